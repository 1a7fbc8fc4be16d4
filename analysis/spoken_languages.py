"""Which language is spoken where: people change it in the middle of a recording.

A recogniser that takes one language for another leaves out what it hears or makes up a translation.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from analysis.listening import SPEECH_RATE
from analysis.recognising import DetectedLanguages

#: Speech that is judged at once: gathered up to the first, in parts from the second on.
LEAST_PASSAGE_S = 3
LONGEST_PASSAGE_S = 6
#: Shorter than this says little: it is taken for many a language.
TELLING_S = 4
#: What is not among a passage's likely languages is about this probable.
IMPROBABLE = 0.002
#: The language of a recording changes seldom: a change must make what is heard likelier by this much, a natural
#: logarithm, and last so long. Measured with Whisper base: of 70 passages in four languages two were taken for another
#: one, both 3 s long.
CHANGE_COST = 2.5
SHORTEST_CHANGE_S = 5

#: A half-open run of samples at ``SPEECH_RATE``.
Run = tuple[int, int]


@dataclass(frozen=True)
class Tongue:
    """Runs of speech one after the other in one language."""

    language: str
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Tongues:
    """All speech of a recording in order; ``language`` is the one that most of it is in, this probable on average."""

    language: str
    probability: float
    spoken: tuple[Tongue, ...]


def one_language(language: str, probability: float, runs: Sequence[Run]) -> Tongues:
    """All speech in a language that is known."""
    return Tongues(language, probability, (Tongue(language, tuple(runs)),))


def tell_languages(runs: Sequence[Run], detect: Callable[[Sequence[Run]], DetectedLanguages]) -> Tongues:
    """The languages of speech, of which there is some.

    Args:
        runs: where somebody speaks, rising.
        detect: tells the language of some of them, or parts of them.
    """
    passages = list(_passages(runs))
    detected = [detect(passage) for passage in passages]
    lengths = np.array([_length(passage) for passage in passages], np.float64)
    names = sorted({one.likely[0].language for one in detected})
    probable = np.array([_probabilities(one, names) for one in detected])
    telling = np.minimum(lengths / (TELLING_S * SPEECH_RATE), 1)
    told = _lasting(_likeliest(np.log(probable) * telling[:, None]), lengths)
    shares = [lengths[told == number].sum() for number in range(len(names))]
    main = int(np.argmax(shares))
    spoken = tuple(
        Tongue(names[number], tuple(_rejoined(run for passage, _ in group for run in passage)))
        for number, group in groupby(zip(passages, told.tolist(), strict=True), key=lambda pair: pair[1])
    )
    of_main = told == main
    return Tongues(names[main], float(np.average(probable[of_main, main], weights=lengths[of_main])), spoken)


def _probabilities(detected: DetectedLanguages, names: Sequence[str]) -> list[float]:
    known = {one.language: one.probability for one in detected.likely}
    return [max(IMPROBABLE, known.get(name, 0.0)) for name in names]


def _likeliest(logarithms: NDArray[np.float64]) -> NDArray[np.int64]:
    """The number of each passage's language in the likeliest course of them, (passages, languages) in."""
    count = logarithms.shape[1]
    changing = CHANGE_COST * (1 - np.eye(count))
    best, came_from = logarithms[0], []
    for here in logarithms[1:]:
        ways = best[:, None] - changing
        came_from.append(ways.argmax(axis=0))
        best = ways.max(axis=0) + here
    course = [int(best.argmax())]
    for backwards in reversed(came_from):
        course.append(int(backwards[course[-1]]))
    return np.array(course[::-1], np.int64)


def _lasting(told: NDArray[np.int64], lengths: NDArray[np.float64]) -> NDArray[np.int64]:
    """The course without what is too short to be believed, which is taken for what was spoken before, or else after."""
    course = told.copy()
    starts = [0, *(np.flatnonzero(np.diff(told)) + 1)]
    for start, end in zip(starts, [*starts[1:], len(told)], strict=True):
        if lengths[start:end].sum() < SHORTEST_CHANGE_S * SPEECH_RATE and len(starts) > 1:
            course[start:end] = course[start - 1] if start else told[end]
    return course


def _passages(runs: Sequence[Run]) -> Iterator[list[Run]]:
    """Runs, long ones in equal parts, gathered until there is enough to judge."""
    gathered: list[Run] = []
    for start, end in runs:
        count = -(-(end - start) // (LONGEST_PASSAGE_S * SPEECH_RATE))
        edges = [start + (end - start) * number // count for number in range(count + 1)]
        for part in pairwise(edges):
            gathered.append(part)
            if _length(gathered) >= LEAST_PASSAGE_S * SPEECH_RATE:
                yield gathered
                gathered = []
    if gathered:
        yield gathered


def _rejoined(parts: Iterable[Run]) -> Iterator[Run]:
    """Runs as they were before they were parted."""
    whole: Run | None = None
    for part in parts:
        if whole is not None and part[0] == whole[1]:
            whole = whole[0], part[1]
        else:
            if whole is not None:
                yield whole
            whole = part
    if whole is not None:
        yield whole


def _length(passage: Sequence[Run]) -> int:
    return sum(end - start for start, end in passage)

"""The best passages of a given length: one dynamic programme over the places where a passage may start and end."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import inf

from director.costs import OF_LINES, share
from director.scenes import scene_changes
from director.scoring import ScoredScript, asks
from director.script import Script
from director.style import GOOD_PAUSE_US, USABLE_PAUSE_US
from director.thoughts import missing_after, missing_before

#: The fewest and the most frames a passage may last.
Bounds = tuple[int, int]
#: A run from one place to a later one, by their numbers, and its worth.
Run = tuple[int, int, float]
#: Mean length of a shot [Salt; Bordwell: 4-6 s]; where scenes change as often, nothing holds a passage together.
_SHOT_S = 5
#: A passage through as many scenes as this could not tell less of one thing.
_MANY_SCENES = 12
#: Parts of a passage's worth by name, each from 0 to 1.
Parts = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Passage:
    """Words ``[first, end)`` of a script, what they are worth, and the shares by name that this is the sum of."""

    first: int
    end: int
    worth: float
    shares: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """A word that a passage may start with, and end before; what either adds to its worth, ``None`` if it may not."""

    word: int
    start: Parts | None
    end: Parts | None


class Cuts:
    """What is cut out inside a passage, whether it goes from one footage or scene to another, and what it lacks."""

    def __init__(self, script: Script, full: int = 0) -> None:
        self._script = script
        self._full = full
        self._scenes = list(accumulate(scene_changes(script), initial=0))
        self._before = list(accumulate((not joined for joined in script.joined), initial=0))
        spoken = zip(script.places, script.words, strict=True)
        shots = [(number, script.footage[number].shot_at(word.start)[0]) for (number, _), word in spoken]
        self._shots = list(accumulate((one != other for one, other in pairwise(shots)), initial=0))

    def scenes_between(self, earlier: int, later: int) -> int:
        """How many scenes later a word is said than an earlier one."""
        return self._scenes[later] - self._scenes[earlier]

    def within(self, first: int, end: int) -> Parts:
        places = self._script.places
        cuts = self._before[end] - self._before[first + 1]
        rate = self._script.footage[places[first][0]].clock.rate
        frames = self._script.length(first, end)
        seconds = float(frames / rate)
        changes = places[end - 1][0] != places[first][0]
        shots = self._shots[end - 1] - self._shots[first]
        return {
            "changes_of_scene": changes_of_scene(self.scenes_between(first, end - 1)),
            "brief": max(0.0, 1 - frames / self._full) if self._full else 0.0,
            "inner_cuts": min(1.0, cuts / max(1.0, seconds)),
            "change_of_footage": float(changes),
            "changes_of_shot": 0.5 + 0.5 * min(1.0, shots * _SHOT_S / max(1.0, seconds)) if shots else 0.0,
        }


def sentence_passages(scored: ScoredScript, length: Bounds, most: int, full: int = 0) -> tuple[Passage, ...]:
    """Up to ``most`` passages that start and end with whole sentences, the best first.

    What lasts less than ``full`` frames costs for what it lacks.
    """
    script, lines = scored.script, scored.script.lines
    opens = [line.opens and script.gap_before(line.first) is not None for line in lines]
    closes = [line.closes and script.gap_before(line.end) is not None for line in lines]
    bounds = [*(line.first for line in lines), len(script.words)]
    places = [
        _Place(
            word,
            _start(scored, word) if at < len(lines) and opens[at] else None,
            {**_end(scored, word), "open_question": asks(script.words[word - 1])} if at and closes[at - 1] else None,
        )
        for at, word in enumerate(bounds)
    ]
    return _best(scored, places, length, most, full)


def phrase_passages(scored: ScoredScript, length: Bounds, most: int) -> tuple[Passage, ...]:
    """Up to ``most`` passages, whole sentences or not, the best first.

    Boundaries in pauses are tried first; boundaries between words that touch only when nothing else fits.
    """
    words = len(scored.script.words)
    for narrowest in (1, 0):
        bounds = [word for word in range(words + 1) if _is_bound(scored.script, word, narrowest)]
        places = [
            _Place(word, _start(scored, word) if word < words else None, _end(scored, word) if word else None)
            for word in bounds
        ]
        found = _best(scored, places, length, most)
        if found:
            return found
    return ()


def passage_of_line(scored: ScoredScript, index: int, **more: float) -> Passage:
    """A line as a passage; ``more`` are parts besides its own."""
    line = scored.script.lines[index]
    return _passage(scored, line.first, line.end, {**_start(scored, line.first), **_end(scored, line.end), **more})


def passage_of_lines(scored: ScoredScript, lines: range, cuts: Cuts, **more: float) -> Passage:
    """Lines that follow each other as a passage; ``more`` are parts besides its own."""
    first, end = scored.script.lines[lines.start].first, scored.script.lines[lines.stop - 1].end
    parts = {**_start(scored, first), **_end(scored, end), **cuts.within(first, end), **more}
    return _passage(scored, first, end, parts)


def _best(
    scored: ScoredScript, places: Sequence[_Place], length: Bounds, most: int, full: int = 0
) -> tuple[Passage, ...]:
    """The passages between places, apart, that are worth most together."""
    script = scored.script
    starts = [_worth(place.start) for place in places]
    ends = [_worth(place.end) for place in places]
    cuts = Cuts(script, full)

    def runs_to(end: int) -> Iterator[tuple[int, float]]:
        if places[end].end is None:
            return
        last = places[end].word
        for start in range(end - 1, -1, -1):
            first = places[start].word
            frames = script.length(first, last)
            if frames > length[1]:
                return
            if frames >= length[0] and places[start].start is not None:
                yield start, starts[start] + ends[end] + scored.mean(first, last) + _worth(cuts.within(first, last))

    runs = _worthiest(len(places), runs_to, most)
    passages = [
        _passage(scored, first, end, {**(places[a].start or {}), **(places[b].end or {}), **cuts.within(first, end)})
        for a, b, _ in runs
        for first, end in [(places[a].word, places[b].word)]
    ]
    return tuple(sorted(passages, key=lambda passage: (-passage.worth, passage.first)))


def _worth(parts: Parts | None) -> float:
    return sum(share(name, value) for name, value in parts.items()) if parts else 0.0


def _passage(scored: ScoredScript, first: int, end: int, parts: Parts) -> Passage:
    """A passage with every part of its worth: those of its lines, then its own."""
    all_parts = {**scored.parts(first, end), **parts}
    shares = tuple((name, share(name, value)) for name, value in all_parts.items() if value or name in OF_LINES)
    return Passage(first, end, sum(value for _, value in shares), shares)


def _worthiest(places: int, runs_to: Callable[[int], Iterable[tuple[int, float]]], most: int) -> list[Run]:
    """Of all runs between places, as many as there can be up to ``most``, apart and with the greatest sum of worth.

    ``runs_to(end)`` gives the start and worth of each run that ends at a place. ``totals[k][place]`` is the worth of
    the best ``k`` runs up to a place, and ``last[k][place]`` the last of them.
    """
    totals = [[0.0] * places, *([-inf] * places for _ in range(most))]
    last: list[list[Run | None]] = [[None] * places for _ in range(most + 1)]
    for end in range(1, places):
        for count in range(1, most + 1):
            totals[count][end], last[count][end] = totals[count][end - 1], last[count][end - 1]
        for start, worth in runs_to(end):
            for count in range(1, most + 1):
                total = totals[count - 1][start] + worth
                if total > totals[count][end]:
                    totals[count][end], last[count][end] = total, (start, end, worth)
    return list(_traced(last, places - 1))


def _traced(last: Sequence[Sequence[Run | None]], place: int) -> Iterator[Run]:
    """The runs behind the largest number of them that can be had, the last first."""
    if place < 0:
        return
    count = max(count for count in range(len(last)) if count == 0 or last[count][place] is not None)
    while count:
        run = last[count][place]
        if run is None:
            return
        yield run
        place, count = run[0], count - 1


def changes_of_scene(scenes: int) -> float:
    """The part of a passage's worth that so many changes of scene take."""
    return min(1.0, scenes / _MANY_SCENES)


def _is_bound(script: Script, index: int, narrowest: int) -> bool:
    gap = script.gap_before(index)
    return gap is not None and (index in {0, len(script.words)} or gap >= narrowest)


def _start(scored: ScoredScript, first: int) -> Parts:
    line = scored.line_of[first]
    begins = scored.script.lines[line]
    whole = begins.first == first and begins.opens
    return {
        "opening": scored.opening(first),
        "uncertain_opening": scored.doubt(first),
        "needs_context": scored.context[line] if begins.first == first else scored.context_of(first, begins.end),
        "starts_inside_sentence": 0.0
        if whole
        else missing_before(scored.script.words, begins.first, first, scored.language_at(first)),
        **_pause(scored.script, first, "start"),
    }


def _end(scored: ScoredScript, end: int) -> Parts:
    line = scored.script.lines[scored.line_of[end - 1]]
    whole = line.end == end and line.closes
    return {
        "ends_inside_sentence": 0.0
        if whole
        else missing_after(scored.script.words, line.first, end, scored.language_at(end - 1)),
        **_pause(scored.script, end, "end"),
    }


def lost_by_cutting(script: Script, index: int, side: str) -> float:
    """What a passage loses that is cut out before a word, at this side of it: 0 or less."""
    return _worth(_pause(script, index, side))


def _pause(script: Script, index: int, side: str) -> Parts:
    """How narrow the pause is that a passage is cut out in, at this side of it."""
    gap = script.gap_before(index)
    if index in {0, len(script.words)}:
        return {}
    if not gap:
        return {f"no_pause_at_{side}": 1.0}
    pause_us = script.footage[script.places[index][0]].clock.length_us(gap)
    if pause_us < USABLE_PAUSE_US:
        return {f"short_pause_at_{side}": 1.0}
    return {f"tight_pause_at_{side}": float(pause_us < GOOD_PAUSE_US)}

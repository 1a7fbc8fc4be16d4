"""The best passages of a given length: one dynamic programme over the places where a passage may start and end."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import inf

from director.scoring import ScoredScript, needs_context
from director.script import Script
from director.style import GOOD_PAUSE_US, USABLE_PAUSE_US

# What a passage loses (score is about -0.4 to 1) for where it starts and ends.

#: It does not start, or end, where a sentence does.
COST_NO_SENTENCE_START = 0.5
COST_NO_SENTENCE_END = 0.4
#: It starts with a word that points back ("this", "he", "so").
COST_NEEDS_CONTEXT = 0.35
#: The cut at an end falls in a pause under 400 ms, under 150 ms, or between words that touch.
COST_TIGHT_PAUSE = 0.05
COST_SHORT_PAUSE = 0.25
COST_NO_PAUSE = 1.0
#: Each cut inside a passage, as a share of its seconds.
COST_INNER_CUT = 0.3
#: How much the first line counts against the mean of all: a viewer leaves in the first 3 s.
OPENING_WEIGHT = 0.5

#: The fewest and the most frames a passage may last.
Bounds = tuple[int, int]
#: A run from one place to a later one, by their numbers, and its worth.
Run = tuple[int, int, float]


@dataclass(frozen=True, slots=True)
class Passage:
    """Words ``[first, end)`` of a script, and what they were chosen for."""

    first: int
    end: int
    worth: float
    parts: tuple[tuple[str, float], ...]


def sentence_passages(scored: ScoredScript, length: Bounds, most: int) -> tuple[Passage, ...]:
    """Up to ``most`` runs of whole sentences that do not overlap and are worth most together, the best first."""
    script = scored.script
    places = [*(line.first for line in script.lines), len(script.words)]

    def runs_to(last: int) -> Iterator[tuple[int, float]]:
        for opening in range(last - 1, -1, -1):
            frames = script.length(places[opening], script.lines[last - 1].end)
            if frames > length[1]:
                return
            if frames >= length[0]:
                yield opening, _sentences_worth(scored, opening, last - 1)

    return tuple(_sentences(scored, run) for run in _ranked(_worthiest(len(places), runs_to, most)))


def scattered_sentences(scored: ScoredScript, length: Bounds, most: int) -> tuple[tuple[Passage, ...], ...]:
    """Up to ``most`` groups of sentences from several places; each lasts as long as asked, in the order they were said.

    The best sentences go into the first group.
    """
    script = scored.script
    ranked = sorted(
        (i for i, line in enumerate(script.lines) if line.complete and _cuttable(script, line.first, line.end)),
        key=lambda i: (-scored.scores[i].total, i),
    )
    groups: list[tuple[Passage, ...]] = []
    while len(groups) < most:
        group = _filled(script, ranked, length)
        if not group:
            break
        groups.append(tuple(_sentences(scored, (i, i + 1, scored.scores[i].total)) for i in sorted(group)))
        taken = frozenset(group)
        ranked = [index for index in ranked if index not in taken]
    return tuple(groups)


def phrase_passages(scored: ScoredScript, length: Bounds, most: int) -> tuple[Passage, ...]:
    """Up to ``most`` runs of words, whole sentences or not, that do not overlap, the best first.

    Boundaries in pauses are tried first; boundaries between words that touch only when nothing else fits.
    """
    return _phrases(scored, length, most, narrowest=1) or _phrases(scored, length, most, narrowest=0)


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
    count = max(count for count in range(len(last)) if count == 0 or last[count][place] is not None)
    while count:
        run = last[count][place]
        if run is None:
            return
        yield run
        place, count = run[0], count - 1


def _ranked(runs: Iterable[Run]) -> list[Run]:
    return sorted(runs, key=lambda run: (-run[2], run[0]))


def _sentences(scored: ScoredScript, run: Run) -> Passage:
    opening, end, worth = run
    parts = (("mean of its lines", scored.mean(opening, end)), *scored.scores[opening].parts.items())
    lines = scored.script.lines
    return Passage(lines[opening].first, lines[end - 1].end, worth, parts)


def _filled(script: Script, ranked: Sequence[int], length: Bounds) -> list[int]:
    """The first of the ranked lines that together last as long as asked; none if they do not."""
    chosen: list[int] = []
    total = 0
    for index in ranked:
        frames = script.length(script.lines[index].first, script.lines[index].end)
        if total + frames <= length[1]:
            chosen.append(index)
            total += frames
        if total >= length[0]:
            return chosen
    return []


def _sentences_worth(scored: ScoredScript, opening: int, last: int) -> float:
    lines, script = scored.script.lines, scored.script
    start_cost = _start_cost(script, lines[opening].first, sentence=lines[opening].complete)
    end_cost = _end_cost(script, lines[last].end, sentence=lines[last].complete)
    return scored.mean(opening, last + 1) + OPENING_WEIGHT * scored.scores[opening].total - start_cost - end_cost


def _phrases(scored: ScoredScript, length: Bounds, most: int, narrowest: int) -> tuple[Passage, ...]:
    script = scored.script
    bounds = [i for i in range(len(script.words) + 1) if _is_bound(script, i, narrowest)]
    line_of = [index for index, line in enumerate(script.lines) for _ in range(line.first, line.end)]
    ends_line = {line.end: line.complete for line in script.lines}
    cuts_before = list(accumulate((not joined for joined in script.joined), initial=0))
    opening = [_opening_worth(scored, first, line_of[first]) for first in bounds if first < len(script.words)]

    def runs_to(place: int) -> Iterator[tuple[int, float]]:
        end = bounds[place]
        end_cost = _end_cost(script, end, sentence=ends_line.get(end, False))
        for start in range(place - 1, -1, -1):
            frames = script.length(bounds[start], end)
            if frames > length[1]:
                return
            if frames >= length[0]:
                inner_cuts = cuts_before[end] - cuts_before[bounds[start] + 1]
                yield start, opening[start] - end_cost - COST_INNER_CUT * inner_cuts

    runs = _ranked(_worthiest(len(bounds), runs_to, most)) if bounds else []
    return tuple(
        Passage(bounds[start], bounds[end], worth, tuple(scored.scores[line_of[bounds[start]]].parts.items()))
        for start, end, worth in runs
    )


def _opening_worth(scored: ScoredScript, first: int, line: int) -> float:
    """What a phrase that starts here is worth for its line and its start."""
    owner = scored.script.lines[line]
    opens = owner.first == first and owner.complete
    return (1 + OPENING_WEIGHT) * scored.scores[line].total - _start_cost(scored.script, first, sentence=opens)


def _is_bound(script: Script, index: int, narrowest: int) -> bool:
    gap = script.gap_before(index)
    return gap is not None and (index in {0, len(script.words)} or gap >= narrowest)


def _cuttable(script: Script, first: int, end: int) -> bool:
    return script.gap_before(first) is not None and script.gap_before(end) is not None


def _start_cost(script: Script, first: int, *, sentence: bool) -> float:
    cost = 0.0 if sentence else COST_NO_SENTENCE_START
    if needs_context(script.words[first].text):
        cost += COST_NEEDS_CONTEXT
    return cost + _pause_cost(script, first)


def _end_cost(script: Script, end: int, *, sentence: bool) -> float:
    return (0.0 if sentence else COST_NO_SENTENCE_END) + _pause_cost(script, end)


def _pause_cost(script: Script, index: int) -> float:
    gap = script.gap_before(index)
    if index in {0, len(script.words)}:
        return 0.0
    if not gap:
        return COST_NO_PAUSE
    pause_us = script.footage[script.places[index][0]].clock.length_us(gap)
    if pause_us < USABLE_PAUSE_US:
        return COST_SHORT_PAUSE
    return COST_TIGHT_PAUSE if pause_us < GOOD_PAUSE_US else 0.0

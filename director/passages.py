"""The best passage of a given length: a search over every place where one may start and end."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

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


@dataclass(frozen=True, slots=True)
class Passage:
    """Words ``[first, end)`` of a script, and what they were chosen for."""

    first: int
    end: int
    worth: float
    parts: tuple[tuple[str, float], ...]


def best_sentences(scored: ScoredScript, shortest: int, longest: int) -> Passage | None:
    """The best run of whole sentences that lasts from ``shortest`` to ``longest`` frames."""
    script = scored.script
    highest_mean = max((score.total for score in scored.scores), default=0.0)
    best: tuple[float, int, int] | None = None
    for opening in sorted(range(len(script.lines)), key=lambda i: (-_opening_worth(scored, i), i)):
        if best is not None and _opening_worth(scored, opening) + highest_mean <= best[0]:
            break
        for last in range(opening, len(script.lines)):
            length = script.length(script.lines[opening].first, script.lines[last].end)
            if length > longest:
                break
            worth = _sentences_worth(scored, opening, last) if length >= shortest else 0.0
            if length >= shortest and (best is None or worth > best[0]):
                best = worth, opening, last
    if best is None:
        return None
    worth, opening, last = best
    parts = (("mean of its lines", scored.mean(opening, last + 1)), *scored.scores[opening].parts.items())
    return Passage(script.lines[opening].first, script.lines[last].end, worth, parts)


def scattered_sentences(scored: ScoredScript, shortest: int, longest: int) -> tuple[Passage, ...]:
    """The best sentences from several places, in their order, that together last as long as asked; empty if none do."""
    script = scored.script
    ranked = sorted(
        (i for i, line in enumerate(script.lines) if line.complete),
        key=lambda i: (-scored.scores[i].total, i),
    )
    chosen: list[int] = []
    total = 0
    for index in ranked:
        length = script.length(script.lines[index].first, script.lines[index].end)
        if total + length <= longest and _cuttable(script, script.lines[index].first, script.lines[index].end):
            chosen.append(index)
            total += length
        if total >= shortest:
            break
    if total < shortest:
        return ()
    return tuple(
        Passage(
            script.lines[i].first, script.lines[i].end, scored.scores[i].total, tuple(scored.scores[i].parts.items())
        )
        for i in sorted(chosen)
    )


def best_phrases(scored: ScoredScript, shortest: int, longest: int) -> Passage | None:
    """The best run of words that lasts from ``shortest`` to ``longest`` frames, whole sentences or not.

    Boundaries in pauses are tried first; boundaries between words that touch only when nothing else fits.
    """
    return _best_phrase(scored, shortest, longest, narrowest=1) or _best_phrase(scored, shortest, longest, narrowest=0)


def _opening_worth(scored: ScoredScript, index: int) -> float:
    line = scored.script.lines[index]
    return OPENING_WEIGHT * scored.scores[index].total - _start_cost(scored.script, line.first, sentence=line.complete)


def _sentences_worth(scored: ScoredScript, opening: int, last: int) -> float:
    line = scored.script.lines[last]
    end_cost = _end_cost(scored.script, line.end, sentence=line.complete)
    return scored.mean(opening, last + 1) + _opening_worth(scored, opening) - end_cost


def _best_phrase(scored: ScoredScript, shortest: int, longest: int, narrowest: int) -> Passage | None:
    script = scored.script
    line_of = [index for index, line in enumerate(script.lines) for _ in range(line.first, line.end)]
    ends_line = {line.end: line.complete for line in script.lines}
    cuts_before = list(accumulate((not joined for joined in script.joined), initial=0))
    bounds = [i for i in range(len(script.words) + 1) if _is_bound(script, i, narrowest)]
    promise = {
        first: _phrase_promise(scored, first, line_of[first], place)
        for place, first in enumerate(bounds)
        if first < len(script.words)
    }
    best: tuple[float, int, int] | None = None
    for first, (hoped, place) in sorted(promise.items(), key=lambda item: (-item[1][0], item[0])):
        if best is not None and hoped <= best[0]:
            break
        for end in _ends_within(script, bounds, place, shortest, longest):
            inner_cuts = cuts_before[end] - cuts_before[first + 1]
            end_cost = _end_cost(script, end, sentence=ends_line.get(end, False))
            worth = hoped - end_cost - COST_INNER_CUT * inner_cuts
            if best is None or worth > best[0]:
                best = worth, first, end
    if best is None:
        return None
    worth, first, end = best
    return Passage(first, end, worth, tuple(scored.scores[line_of[first]].parts.items()))


def _phrase_promise(scored: ScoredScript, first: int, line: int, place: int) -> tuple[float, int]:
    """The most a phrase that starts here can be worth, and the place of its start among the bounds."""
    owner = scored.script.lines[line]
    opens = owner.first == first and owner.complete
    worth = (1 + OPENING_WEIGHT) * scored.scores[line].total - _start_cost(scored.script, first, sentence=opens)
    return worth, place


def _ends_within(script: Script, bounds: Sequence[int], place: int, shortest: int, longest: int) -> Iterator[int]:
    first = bounds[place]
    place_of_end = bisect_left(bounds, shortest, lo=place + 1, key=lambda end: script.length(first, end))
    for end in map(bounds.__getitem__, range(place_of_end, len(bounds))):
        length = script.length(first, end)
        if length > longest:
            return
        if length >= shortest:
            yield end


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

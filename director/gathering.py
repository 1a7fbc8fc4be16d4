"""Sentences from several places, where no run of them has the length asked for: a dynamic programme over both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from director.costs import share
from director.passages import Bounds, Passage, passage_of_line
from director.scoring import ScoredScript

#: Lengths are told apart by this share of the longest; of two sets of sentences alike in length the better is kept.
_STEPS = 120


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Lines chosen so far: the last of them, those before it, and what they last and are worth together."""

    line: int
    before: "_Chosen | None"
    frames: int
    worth: float

    def grown(self, line: int, frames: int, worth: float) -> "_Chosen":
        return _Chosen(line, self, self.frames + frames, self.worth + worth)

    def lines(self) -> Iterator[int]:
        chosen: _Chosen | None = self
        while chosen is not None:
            yield chosen.line
            chosen = chosen.before


def gathered_sentences(scored: ScoredScript, length: Bounds, most: int) -> tuple[tuple[Passage, ...], ...]:
    """Up to ``most`` groups of whole sentences, no sentence in two; each group lasts as long as asked, the best first.

    Within a group the sentences keep the order in which they were said.
    """
    script = scored.script
    free = [
        index
        for index, line in enumerate(script.lines)
        if line.complete and script.gap_before(line.first) is not None and script.gap_before(line.end) is not None
    ]
    groups: list[tuple[Passage, ...]] = []
    while len(groups) < most:
        chosen = _best_group(scored, free, length)
        if chosen is None:
            break
        lines = sorted(chosen.lines())
        groups.append(tuple(_passages(scored, lines)))
        free = [index for index in free if index not in set(lines)]
    return tuple(groups)


def _passages(scored: ScoredScript, lines: Sequence[int]) -> Iterator[Passage]:
    for place, line in enumerate(lines):
        follows = place > 0 and lines[place - 1] == line - 1
        yield passage_of_line(scored, line, gathered=float(place > 0 and not follows))


def _best_group(scored: ScoredScript, free: Sequence[int], length: Bounds) -> _Chosen | None:
    """Of all sets of the free lines that last as long as asked, one of the most worth, weighed by length."""
    best: dict[int, _Chosen] = {}
    followed: dict[int, _Chosen] = {}
    for index in free:
        line = scored.script.lines[index]
        frames = scored.script.length(line.first, line.end)
        value = scored.scores[index].total * frames / length[1]
        leans = share("needs_context", scored.context[index])
        jump = share("gathered", 1.0) + leans
        grown = [_Chosen(index, None, frames, value + share("opening", scored.opening(line.first)) + leans)]
        grown += [one.grown(index, frames, value) for one in followed.values() if one.line == index - 1]
        grown += [one.grown(index, frames, value + jump) for one in best.values()]
        followed = {}
        for one in grown:
            if one.frames <= length[1]:
                _keep(followed, one, one.frames * _STEPS // length[1])
        for step, one in followed.items():
            _keep(best, one, step)
    fitting = [one for _, one in sorted(best.items()) if one.frames >= length[0]]
    return max(fitting, key=lambda one: one.worth, default=None)


def _keep(held: dict[int, _Chosen], one: _Chosen, step: int) -> None:
    if step not in held or one.worth > held[step].worth:
        held[step] = one

"""Sentences from several places, where no run of them has the length asked for, or each tells of too many things.

A dynamic programme over both.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from director.costs import OF_LINES, share
from director.passages import Bounds, Cuts, Passage, changes_of_scene, lost_by_cutting, passage_of_lines
from director.scoring import ScoredScript
from director.script import Script

#: Parts of what several passages, or scenes, lack to be one.
_APART = frozenset({"changes_of_scene", "gathered"})
#: Parts of how it opens, which only the first of several passages does.
_OPENING = frozenset({"opening", "uncertain_opening"})
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
    cuts = Cuts(script)
    groups: list[tuple[Passage, ...]] = []
    while len(groups) < most:
        chosen = _best_group(scored, cuts, free, length)
        if chosen is None:
            break
        lines = sorted(chosen.lines())
        groups.append(tuple(_passages(scored, cuts, list(_runs(lines)))))
        free = [index for index in free if index not in set(lines)]
    return tuple(groups)


def held_together(passages: Sequence[Passage]) -> float:
    """What passages lose that are not one passage of one scene: 0 or less."""
    return sum(
        value
        for place, passage in enumerate(passages)
        for part, value in passage.shares
        if part in _APART or (place and part == "needs_context")
    )


def _runs(lines: Sequence[int]) -> Iterator[range]:
    """Lines in order as ranges of those that follow each other."""
    first = lines[0]
    for line, after in zip(lines, (*lines[1:], None), strict=True):
        if after != line + 1:
            yield range(first, line + 1)
            first = after or 0


def _passages(scored: ScoredScript, cuts: Cuts, runs: Sequence[range]) -> Iterator[Passage]:
    """The runs as passages of one group, whose lines count by their share of it."""
    lines = scored.script.lines
    words = sum(lines[run.stop - 1].end - lines[run.start].first for run in runs)
    for place, run in enumerate(runs):
        first, end = lines[run.start].first, lines[run.stop - 1].end
        more = {}
        if place:
            scenes = cuts.scenes_between(first, end - 1) + _other_scene(scored, cuts, runs[place - 1].stop - 1, first)
            more = {"gathered": 1.0, "changes_of_scene": changes_of_scene(scenes)}
        passage = passage_of_lines(scored, run, cuts, **more)
        shares = tuple(
            (part, value * (end - first) / words if part in OF_LINES else value)
            for part, value in passage.shares
            if not place or part not in _OPENING
        )
        yield replace(passage, shares=shares, worth=sum(value for _, value in shares))


def _other_scene(scored: ScoredScript, cuts: Cuts, before: int, word: int) -> int:
    """1 where a word is said in another scene than the end of a line."""
    return min(1, cuts.scenes_between(scored.script.lines[before].end - 1, word))


def _best_group(scored: ScoredScript, cuts: Cuts, free: Sequence[int], length: Bounds) -> _Chosen | None:
    """Of all sets of the free lines that last as long as asked, one of the most worth, weighed by length."""
    script = scored.script
    best: dict[int, _Chosen] = {}
    followed: dict[int, _Chosen] = {}
    another = share("changes_of_scene", changes_of_scene(1))
    for index in free:
        line = script.lines[index]
        frames = script.length(line.first, line.end)
        inside = share("changes_of_scene", changes_of_scene(cuts.scenes_between(line.first, line.end - 1)))
        value = scored.scores[index].total * frames / length[1] + inside
        begun = share("needs_context", scored.context[index]) + lost_by_cutting(script, line.first, "start")
        grown = [_Chosen(index, None, frames, value + share("opening", scored.opening(line.first)) + begun)]
        for one in (*(one for one in followed.values() if one.line == index - 1), *best.values()):
            worth = value + another * _other_scene(scored, cuts, one.line, line.first)
            if one.line != index - 1:
                worth += share("gathered", 1.0) + begun + _left(script, one)
            grown.append(one.grown(index, frames, worth))
        followed = {}
        for one in grown:
            if one.frames <= length[1]:
                _keep(followed, one, one.frames * _STEPS // length[1])
        for step, one in followed.items():
            _keep(best, one, step)
    fitting = [one for _, one in sorted(best.items()) if one.frames >= length[0]]
    return max(fitting, key=lambda one: one.worth + _left(script, one), default=None)


def _left(script: Script, chosen: _Chosen) -> float:
    """What it loses to be cut off after the last of the lines."""
    return lost_by_cutting(script, script.lines[chosen.line].end, "end")


def _keep(held: dict[int, _Chosen], one: _Chosen, step: int) -> None:
    if step not in held or one.worth > held[step].worth:
        held[step] = one

"""Stretches laid end to end on the timeline, and where their words fall."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from director.same_view import same_view
from director.script import Stretch
from director.style import HALF_JUMP_US, VISIBLE_JUMP_US


@dataclass(frozen=True, slots=True)
class Placed:
    """A stretch that starts at timeline frame ``start``.

    Its picture begins ``shift`` frames after its sound: more than 0 in a J-cut, less in an L-cut.
    """

    stretch: Stretch
    start: int
    shift: int = 0

    @property
    def end(self) -> int:
        return self.start + self.stretch.frames

    def on_timeline(self, source_frame: int) -> int:
        return self.start + source_frame - self.stretch.start


class PlacedWord(NamedTuple):
    """A word on the timeline, frames ``[start, end)``; ``after_cut`` says that the edit cuts right before it."""

    text: str
    start: int
    end: int
    ends_sentence: bool
    ends_phrase: bool
    after_cut: bool = False


def place(stretches: Sequence[Stretch]) -> tuple[Placed, ...]:
    placed = []
    position = 0
    for stretch in stretches:
        placed.append(Placed(stretch, position))
        position += stretch.frames
    return tuple(placed)


def pictures(placed: Sequence[Placed]) -> Iterator[tuple[Placed, int, int]]:
    """Each stretch with the source frames ``[first, end)`` that are seen of it; the next one's picture ends its own."""
    following = [*(one.shift for one in placed[1:]), 0]
    for one, shift in zip(placed, following, strict=True):
        yield one, one.stretch.start + one.shift, one.stretch.end + shift


def placed_words(placed: Sequence[Placed]) -> Iterator[PlacedWord]:
    """Every word, unworded speech included, in order."""
    for one in placed:
        shift = one.on_timeline(0)
        for place, word in enumerate(one.stretch.words):
            start, end = word.start + shift, word.end + shift
            yield PlacedWord(word.text, start, end, word.ends_sentence, word.ends_phrase, place == 0)


def jump_cuts(placed: Sequence[Placed]) -> Iterator[tuple[Placed, Placed]]:
    """Neighbours between which the speaker jumps: cut from one shot, or from another one that was framed the same."""
    for before, after in pairwise(placed):
        if is_jump(before.stretch, after.stretch):
            yield before, after


def is_jump(before: Stretch, after: Stretch) -> bool:
    """Whether the speaker jumps where one stretch follows another."""
    return _in_one_shot(before, after) or same_view(before, after)


def visible_jumps(placed: Sequence[Placed]) -> Iterator[tuple[Placed, Placed]]:
    """The jump cuts over more than a moment, in which the speaker has moved."""
    for before, after in jump_cuts(placed):
        left_out = abs(after.stretch.start - before.stretch.end)
        least = after.stretch.footage.clock.length(VISIBLE_JUMP_US)
        if left_out >= least or not _in_one_shot(before.stretch, after.stretch):
            yield before, after


def jump_seen(before: Placed, after: Placed) -> float:
    """How much more of a jump is seen between two neighbours for what was left out, from 0 to 1: by how long it was.

    Nothing between two shots, whose speaker would jump without that.
    """
    if not _in_one_shot(before.stretch, after.stretch):
        return 0.0
    left_out_us = before.stretch.footage.clock.length_us(abs(after.stretch.start - before.stretch.end))
    return left_out_us / (left_out_us + HALF_JUMP_US)


def _in_one_shot(before: Stretch, after: Stretch) -> bool:
    one = before.footage
    return one is after.footage and one.shot_at(before.end - 1) == one.shot_at(after.start)


def changes_of_picture(placed: Sequence[Placed]) -> Iterator[int]:
    """Timeline frames on which another shot begins, inside a stretch or with a new one."""
    jumps = {after.start for _, after in jump_cuts(placed)}
    for one, first, end in pictures(placed):
        if one.start and one.start not in jumps:
            yield one.on_timeline(first)
        bounds = one.stretch.footage.shot_bounds
        inside = bounds[bisect_right(bounds, first) : bisect_left(bounds, end)]
        yield from map(one.on_timeline, inside)

"""How each frame differs from the one before, those included that were left out and are known by their times alone."""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from analysis.planes import Plane
from analysis.thumbnails import Thumbnail, changed, difference, likeness
from analysis.zooming import is_zoom

#: Less different pictures are the same as far as cuts go, in code values.
MIN_DIFFERENCE = 6.0
#: More alike ones are not looked at for a change of size.
MIN_UNLIKENESS = 0.92
#: A change is measured against as many before and after it, of which one may be a cut itself; standing less than this
#: above the second largest of them it is no cut.
MIN_PROMINENCE = 1.8
NEIGHBOURS = 6
#: A change over n frames is about n to this power as large as each of them.
GROWTH = 0.7
#: How near, as a share of the difference, a picture must be to an earlier one to be back where that was.
FLASH_DIFFERENCE_SHARE = 0.25
#: Black: no luma above this, in video code values (16 is black).
BLACK_LUMA = 32


@dataclass
class Change:
    """How a frame differs from the one before; ``returns`` once a later frame is like that one again.

    Where frames were left out, two pictures were compared that lie ``over`` frames apart. The frames between have that
    difference too, are not ``seen``, and tell nothing else.
    """

    at_us: int
    gap_us: int
    difference: float
    likeness: float = 1.0
    rows: float = 0.0
    balance: float = 0.0
    area: float = 0.0
    black: bool = False
    zoomed: bool = False
    returns: bool = False
    over: int = 1
    seen: bool = True


@dataclass(frozen=True)
class _Recent:
    """A picture that a flash could come back to, and the number of its change."""

    picture: Thumbnail
    number: int


@dataclass(frozen=True)
class _Candidate:
    """A change, by number, that may turn out to be a change of size only."""

    number: int
    before: Plane
    after: Plane


class Changes:
    """The changes of a run of frames, which keeps only the few pictures that a flash could come back to."""

    def __init__(self, flash_frames: int) -> None:
        self._all: list[Change] = []
        self._flash_frames = flash_frames
        self._recent: deque[_Recent] = deque()
        self._candidates: deque[_Candidate] = deque()

    def add(self, picture: Thumbnail, at_us: int, left_out_us: Sequence[int] = ()) -> Change:
        """The next frame that was seen, and the times, rising, of those between it and the one before."""
        black = _is_black(picture)
        if self._recent:
            change = self._changed(picture, at_us, left_out_us, black=black)
            self._judge(len(self._all) - NEIGHBOURS)
        else:
            change = Change(at_us, 0, 0.0, black=black)
            self._all.append(change)
        self._recent.append(_Recent(picture, len(self._all) - 1))
        return change

    def finish(self) -> list[Change]:
        """All of them, in order."""
        self._judge(len(self._all))
        return self._all

    def _changed(self, picture: Thumbnail, at_us: int, left_out_us: Sequence[int], *, black: bool) -> Change:
        before, over = self._recent[-1].picture, len(left_out_us) + 1
        change = _change(before, picture, at_us, prominent_from=MIN_PROMINENCE * _usual(self._all[-NEIGHBOURS:]))
        change.over, change.black = over, black
        between_black = black and self._all[-1].black
        for time in left_out_us:
            self._append(Change(time, 0, change.difference, black=between_black, over=over, seen=False))
        self._append(change)
        if change.difference >= MIN_DIFFERENCE:
            self._mark_returns(picture)
        if change.likeness <= MIN_UNLIKENESS:
            self._candidates.append(_Candidate(len(self._all) - 1, before.luma, picture.luma))
        return change

    def _append(self, change: Change) -> None:
        change.gap_us = change.at_us - self._all[-1].at_us
        self._all.append(change)

    def _judge(self, before: int) -> None:
        """Look at the candidates before a change: it takes a while, so only at those that stand out on both sides."""
        while self._candidates and self._candidates[0].number < before:
            one = self._candidates.popleft()
            change, after = self._all[one.number], one.number + 1
            around = self._all[max(0, one.number - NEIGHBOURS) : one.number] + self._all[after : after + NEIGHBOURS]
            if change.difference >= MIN_PROMINENCE * _usual(around):
                change.zoomed = is_zoom(one.before, one.after)

    def _mark_returns(self, picture: Thumbnail) -> None:
        """A change back to the picture before a recent change undoes both."""
        number = len(self._all) - 1
        while self._recent and self._recent[0].number < number - self._flash_frames - 1:
            self._recent.popleft()
        now, recent = self._all[-1], list(self._recent)
        for original, away in zip(recent[-2::-1], recent[:0:-1], strict=True):
            began = self._all[away.number]
            if began.difference < MIN_DIFFERENCE:
                continue
            limit = FLASH_DIFFERENCE_SHARE * min(began.difference, now.difference)
            if difference(original.picture, picture) < limit:
                self._undo(range(original.number + 1, away.number + 1))
                self._undo(range(recent[-1].number + 1, number + 1))
                return

    def _undo(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._all[number].returns = True


def replaced(changes: Sequence[Change], exact: Sequence[Change]) -> list[Change]:
    """Changes with those that were measured frame by frame in their time's place; the first of these only begins it."""
    times = [change.at_us for change in changes]
    first, last = bisect_right(times, exact[0].at_us), bisect_right(times, exact[-1].at_us)
    return [*changes[:first], *exact[1:], *changes[last:]]


def _usual(changes: Sequence[Change]) -> float:
    """The second largest of some changes."""
    sizes = sorted(0.0 if one.returns else one.difference / one.over**GROWTH for one in changes)
    return sizes[-2] if len(sizes) > 1 else 0.0


def _change(before: Thumbnail, after: Thumbnail, at_us: int, prominent_from: float) -> Change:
    """More than how large it is matters only of a change that can be a cut."""
    size = difference(before, after)
    if size < max(MIN_DIFFERENCE, prominent_from):
        return Change(at_us, 0, size)
    blocks = changed(before, after)
    return Change(
        at_us,
        0,
        size,
        likeness=likeness(before.blocks, after.blocks),
        rows=float(blocks.any(axis=1).mean()),
        balance=_balance(blocks),
        area=float(blocks.mean()),
    )


def _balance(blocks: NDArray[np.bool_]) -> float:
    """The share of what changed that lies in that half of the picture, left or right, in which less did."""
    left, right = np.array_split(blocks.sum(axis=0), 2)
    return float(min(left.sum(), right.sum()) / max(1, blocks.sum()))


def _is_black(picture: Thumbnail) -> bool:
    return cv2.minMaxLoc(picture.luma)[1] <= BLACK_LUMA

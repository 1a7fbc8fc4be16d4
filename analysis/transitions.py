"""Gradual changes of picture: dissolves, fades and wipes, to the frame.

Half way through a dissolve or a fade the picture is the mean of what it comes from and what it goes to; half way
through a wipe each part of it is one or the other. Movement is neither: what moves leaves a place that is like neither.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from analysis.thumbnails import Blocks, likeness
from schemas.facts import TransitionKind

#: Half the frames over which a change is looked at: the shorter ones for quick changes, the longer for slow ones, which
#: differ too little over few frames. Longest first.
REACHES = (8, 4, 2)
#: Two pictures this near to each other (mean difference of luma in code values) say nothing of what lies between.
MIN_DIFFERENCE = 6.0
#: How far the middle may be from the mean, or each of its parts from the nearer end, against how far apart the ends
#: are. Measured: mostly below 0.15 in dissolves of moving pictures and 0.08 in wipes, above 0.25 in most movement.
MAX_BLEND_RESIDUE = 0.2
MAX_WIPE_RESIDUE = 0.1
#: The share of a change that has happened in the middle of a wipe.
WIPED = (0.15, 0.85)
#: As many frames in a row must be the middle of a change, with at most so many between them that are not.
MIN_RUN = 3
MAX_BREAK = 3
#: Frames on either side of what was noticed in which the change is followed to its first and last frame.
MARGIN = 10
#: A change's ends are this far apart and this unlike; a change of light or a title leaves the composition as it was.
MIN_CHANGE = 8.0
MAX_LIKENESS = 0.75
#: The share of the change up to which a frame is still the old picture, and from which it is the new one.
BEGUN, DONE = 0.04, 0.96
#: The part of the picture in which a change leaves another structure behind, by this many code values; a change of
#: exposure moves everything alike, a title or somebody passing by changes only a part.
MIN_AREA = 0.5
AREA_DIFFERENCE = 6.0
#: A change is told if its frames follow a straight way from one picture to the other this well, none of them going
#: further of the way than this (which a hard cut does).
MAX_STRAY = 0.25
MAX_STEP = 0.4
#: Mean luma, in code values (16 is black, 235 white), at most or at least, and the spread against the other end's, of a
#: picture faded away.
FADED_LUMA = 45.0
FADED_WHITE_LUMA = 215.0
FADED_SPREAD = 0.3
#: Frames of black between fading out and in that are still one change.
MAX_BLACK = 8
#: Frames that are kept: a change of up to about four seconds, and what surrounds it.
MEMORY = 240
#: Frames that are examined at once.
BATCH = 32


@dataclass(frozen=True)
class Gradual:
    """A gradual change: the first frame that is not the old picture, the first that is only the new, and what it is.

    White counts as black does: it is what a picture fades to and another comes from.
    """

    start_us: int
    end_us: int
    kind: TransitionKind
    from_black: bool = False
    to_black: bool = False

    @property
    def across(self) -> bool:
        """Whether it leads from one picture to another, not only out of black or into it."""
        return not (self.from_black or self.to_black)

    def holds(self, at_us: int) -> bool:
        return self.start_us <= at_us < self.end_us


@dataclass(frozen=True)
class _Seen:
    at_us: int
    blocks: Blocks


@dataclass
class _Run:
    """Consecutive frames, by number, that each lie in the middle of a change of one kind."""

    wipe: bool
    first: int
    last: int
    marks: int = 1


class TransitionFinder:
    """Sees the block means of every frame and tells the gradual changes among them."""

    def __init__(self) -> None:
        self._recent: deque[_Seen] = deque(maxlen=MEMORY + BATCH)
        self._count = 0
        self._examined = 0
        self._open: dict[bool, _Run] = {}
        self._found: list[Gradual] = []

    def see(self, blocks: Blocks, at_us: int, left_out_us: Sequence[int] = ()) -> None:
        """The next frame, and the times of those that were left out before it: about what is on either side of them."""
        if self._recent:
            before, over = self._recent[-1].blocks, len(left_out_us) + 1
            for number, time in enumerate(left_out_us, start=1):
                self._recent.append(_Seen(time, _between(before, blocks, number, over)))
            self._count += len(left_out_us)
        self._recent.append(_Seen(at_us, blocks))
        self._count += 1
        if self._count - self._examined >= BATCH:
            self._examine()

    def finish(self) -> tuple[Gradual, ...]:
        """Everything found, as ``together``."""
        self._examine()
        self._close(self._count)
        return together(self._found, self._frame_us())

    def _examine(self) -> None:
        """Mark the new frames that have the middle of a change behind them, many at once since that is cheapest."""
        fresh = self._count - self._examined
        if not fresh:
            return
        recent = list(self._recent)[-(fresh + 2 * REACHES[0]) :]
        blocks = np.stack([one.blocks for one in recent]).reshape(len(recent), -1)
        kinds = {reach: _middles(blocks, reach) for reach in REACHES}
        for number in range(self._examined, self._count):
            for reach in REACHES:
                if (wipe := kinds[reach].get(number - self._count)) is not None:
                    self._mark(number - reach, wipe=wipe)
            self._close(number - REACHES[0] - MAX_BREAK - MARGIN)
        self._examined = self._count

    def _mark(self, number: int, *, wipe: bool) -> None:
        run = self._open.get(wipe)
        if run is None:
            self._open[wipe] = _Run(wipe, number, number)
        elif number > run.last:
            run.last, run.marks = number, run.marks + 1
        else:
            run.first = min(run.first, number)

    def _close(self, before: int) -> None:
        """Decide on the runs that nothing was added to since frame ``before``."""
        for wipe, run in list(self._open.items()):
            if run.last <= before:
                del self._open[wipe]
                if run.marks >= MIN_RUN:
                    self._found += self._followed(run)

    def _followed(self, run: _Run) -> Iterator[Gradual]:
        """The change around a run, or the two that meet in black or white, each up to the first frame after it."""
        forgotten = self._count - len(self._recent)
        first, last = max(run.first - MARGIN - forgotten, 0), min(run.last + MARGIN - forgotten, len(self._recent) - 1)
        frames = [self._recent[number] for number in range(first, last + 1)]
        dip = _dip(frames)
        parts = [frames] if dip is None else [frames[: dip + 1], frames[dip:]]
        for part in parts:
            if (found := _change_in(part, wipe=run.wipe)) is not None:
                yield found

    def _frame_us(self) -> float:
        times = [frame.at_us for frame in self._recent]
        return float(np.median(np.diff(times))) if len(times) > 1 else 0.0


def _between(old: Blocks, new: Blocks, number: int, count: int) -> Blocks:
    """A frame that was left out: the mean of both sides where it is the only one, else the nearer of them."""
    if count == 2:
        return np.asarray((old + new) / 2, np.float32)
    return old if 2 * number < count else new


def _middles(blocks: NDArray[np.float32], reach: int) -> dict[int, bool]:
    """Of pictures that have the middle of a change ``reach`` behind them, by number from the end: is it a wipe's?"""
    old, middle, new = blocks[: -2 * reach], blocks[reach:-reach], blocks[2 * reach :]
    apart = np.abs(new - old)
    sizes = apart.mean(axis=1)
    changed = np.flatnonzero(sizes >= MIN_DIFFERENCE)
    if not len(changed):
        return {}
    old, middle, new, apart, size = old[changed], middle[changed], new[changed], apart[changed], sizes[changed]
    blended = np.abs(middle - (old + new) / 2).mean(axis=1) < MAX_BLEND_RESIDUE * size
    from_old, from_new = np.abs(middle - old), np.abs(middle - new)
    wiped = (apart * (from_new < from_old)).mean(axis=1) / size
    clean = np.minimum(from_old, from_new).mean(axis=1) < MAX_WIPE_RESIDUE * size
    wipes = clean & (wiped > WIPED[0]) & (wiped < WIPED[1]) & ~blended
    told = blended | wipes
    return {int(number) - len(sizes): bool(wipe) for number, wipe in zip(changed[told], wipes[told], strict=True)}


def _distance(a: Blocks, b: Blocks) -> float:
    """Mean absolute difference, in code values."""
    return float(cv2.norm(a, b, cv2.NORM_L1)) / a.size


def _change_in(frames: list[_Seen], *, wipe: bool) -> Gradual | None:
    """The change that leads from the first of some frames to the last."""
    old, new = frames[0].blocks, frames[-1].blocks
    if _distance(old, new) < MIN_CHANGE:
        return None
    from_black, to_black = not wipe and _faded(old, new), not wipe and _faded(new, old)
    if not (from_black or to_black or _is_other_picture(old, new)):
        return None
    progress, stray = _way(np.stack([frame.blocks for frame in frames]).reshape(len(frames), -1))
    middle = int(np.abs(progress - 0.5).argmin())
    begins = int(np.flatnonzero(progress[: middle + 1] <= BEGUN)[-1]) + 1
    ends = middle + int(np.flatnonzero(progress[middle:] >= DONE)[0])
    if ends - begins < MIN_RUN - 1:
        return None
    straight = float(stray[begins:ends].mean()) < MAX_STRAY and float(np.diff(progress).max()) < MAX_STEP
    if not (wipe or straight):
        return None
    kind = TransitionKind.WIPE if wipe else TransitionKind.DISSOLVE
    kind = TransitionKind.FADE if from_black or to_black else kind
    return Gradual(frames[begins].at_us, frames[ends].at_us, kind, from_black, to_black)


def _is_other_picture(old: Blocks, new: Blocks) -> bool:
    change = new - old
    area = float((np.abs(change - np.median(change)) > AREA_DIFFERENCE).mean())
    return likeness(old, new) <= MAX_LIKENESS and area >= MIN_AREA


def _faded(picture: Blocks, other: Blocks) -> bool:
    luma = float(picture.mean())
    gone = luma < FADED_LUMA or luma > FADED_WHITE_LUMA
    return gone and float(picture.std()) < FADED_SPREAD * float(other.std())


def _dip(frames: Sequence[_Seen]) -> int | None:
    """The number of the frame that is the black, or the white, between the first of some frames and the last."""
    lumas = np.array([frame.blocks.mean() for frame in frames])
    for number in (int(lumas.argmin()), int(lumas.argmax())):
        between = frames[number].blocks
        if _faded(between, frames[0].blocks) and _faded(between, frames[-1].blocks):
            return number
    return None


def _way(pictures: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How far each frame has come from the first picture to the last, and how far off the straight way it lies."""
    change = pictures[-1] - pictures[0]
    gone = pictures - pictures[0]
    progress = gone @ change / float(change @ change)
    off = np.abs(gone - progress[:, None] * change).mean(axis=1) / np.abs(change).mean()
    return progress.astype(np.float32), off.astype(np.float32)


def together(found: Sequence[Gradual], frame_us: float) -> tuple[Gradual, ...]:
    """Changes in order, where a frame takes so long; fading out and at once in again is one of them."""
    return tuple(_joined(sorted(found, key=lambda one: one.start_us), frame_us))


def _joined(found: Sequence[Gradual], frame_us: float) -> Iterator[Gradual]:
    """What overlaps is one change, and so is fading out and at once in again."""
    waiting: Gradual | None = None
    for one in found:
        if waiting is None:
            waiting = one
        elif one.start_us < waiting.end_us or _through_black(waiting, one, frame_us):
            waiting = _merged(waiting, one)
        else:
            yield waiting
            waiting = one
    if waiting is not None:
        yield waiting


def _through_black(out: Gradual, back: Gradual, frame_us: float) -> bool:
    return out.to_black and back.from_black and back.start_us - out.end_us <= MAX_BLACK * frame_us


def _merged(first: Gradual, second: Gradual) -> Gradual:
    longer = max(first, second, key=lambda one: one.end_us - one.start_us)
    end_us = max(first.end_us, second.end_us)
    return Gradual(first.start_us, end_us, longer.kind, first.from_black, second.to_black)

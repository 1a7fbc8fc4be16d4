"""Shots: where the picture is cut, to the frame.

Every frame is compared with the one before on a small picture. A cut stands out from the frames around it and leaves
another composition behind; a flash comes back to where it was, a moving camera changes every frame alike.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analysis.thumbnails import Thumbnail, changed, difference, likeness
from analysis.transitions import Gradual, TransitionFinder
from analysis.viewing import View
from analysis.zooming import is_zoom
from schemas.facts import Shots, Span, Transition
from schemas.media import MediaProbe, VideoStream
from schemas.model import Model
from schemas.timebase import pts_to_us

#: A change of scene: this different, this unlike in composition, and this far above the changes around it.
SCENE_DIFFERENCE = 20.0
SCENE_LIKENESS = 0.65
SCENE_PROMINENCE = 1.8
#: A jump within a scene (the same camera, moments apart): less different, so it must stand out more, and not be a title
#: that appears (which changes a few rows only) or one half of a split screen, a change of light (which keeps the
#: composition), a punch-in (which only enlarges it) or a jerk of the camera (which moves nearly everything; a jump
#: leaves the background where it was).
JUMP_DIFFERENCE = 6.0
JUMP_LIKENESS = 0.92
JUMP_PROMINENCE = 2.8
JUMP_ROWS = 0.55
JUMP_BALANCE = 0.05
JUMP_AREA = 0.7
#: Frames before and after that a change is measured against. One of them may be a cut itself.
NEIGHBOURS = 6
#: A picture that is back within this time was interrupted by a flash.
FLASH_S = 0.17
FLASH_DIFFERENCE_SHARE = 0.25
MAX_FLASH_FRAMES = 12
#: Black: no luma above this, in video code values (16 is black).
BLACK_LUMA = 32
#: Frames a change's prominence is scaled down for when the frame before is missing, at most.
MAX_GAP_FRAMES = 4.0


class ShotsParameters(Model):
    """Nothing to choose."""


@dataclass
class _Change:
    """How a frame differs from the one before; ``returns`` once a later frame is like that one again."""

    at_us: int
    gap_us: int
    difference: float
    likeness: float
    rows: float
    balance: float
    area: float
    black: bool
    zoomed: bool = False
    returns: bool = False


class ShotFinder:
    """Looks at frames one by one and keeps only the few that a flash could come back to."""

    def __init__(self, probe: MediaProbe) -> None:
        self._video = probe.video
        self._origin = probe.origin
        self._flash_frames = 0 if probe.video is None else _flash_frames(probe.video)
        self._changes: list[_Change] = []
        self._recent: deque[Thumbnail] = deque(maxlen=self._flash_frames + 1)
        self._transitions = TransitionFinder()

    def process_frame(self, view: View) -> None:
        picture = view.thumbnail
        black = bool(picture.luma.max() <= BLACK_LUMA)
        if not self._recent:
            self._changes.append(_Change(view.at_us, 0, 0.0, 1.0, 0.0, 0.0, 0.0, black))
        else:
            before, gap_us = self._recent[-1], view.at_us - self._changes[-1].at_us
            self._changes.append(_change(before, picture, view.at_us, gap_us, black=black))
            self._mark_returns(picture)
        self._recent.append(picture)
        self._transitions.see(picture.blocks, view.at_us)

    def finish(self) -> Shots:
        if self._video is None:
            return Shots(shots=())
        start_us = pts_to_us(self._video.start_pts, self._video.time_base, self._origin)
        end_us = pts_to_us(self._video.end_pts, self._video.time_base, self._origin)
        gradual = self._transitions.finish()
        cuts = [cut for cut in cut_times(self._changes, gradual) if start_us < cut < end_us]
        borders = [start_us, *cuts, end_us]
        return Shots(
            shots=tuple(Span(start_us=a, end_us=b) for a, b in pairwise(borders)),
            gradual=tuple(Transition(start_us=one.start_us, end_us=one.end_us, kind=one.kind) for one in gradual),
        )

    def _mark_returns(self, picture: Thumbnail) -> None:
        """A change back to the picture before a recent change undoes both."""
        now = self._changes[-1]
        if now.difference < JUMP_DIFFERENCE:
            return
        for age in range(2, len(self._recent) + 1):
            began, original = self._changes[-age], self._recent[-age]
            if began.difference < JUMP_DIFFERENCE:
                continue
            limit = FLASH_DIFFERENCE_SHARE * min(began.difference, now.difference)
            if difference(original, picture) < limit:
                now.returns = began.returns = True
                return


def _change(before: Thumbnail, after: Thumbnail, at_us: int, gap_us: int, *, black: bool) -> _Change:
    size = difference(before, after)
    if size < JUMP_DIFFERENCE:
        return _Change(at_us, gap_us, size, 1.0, 0.0, 0.0, 0.0, black)
    blocks, alike = changed(before, after), likeness(before.blocks, after.blocks)
    return _Change(
        at_us,
        gap_us,
        size,
        alike,
        float(blocks.any(axis=1).mean()),
        _balance(blocks),
        float(blocks.mean()),
        black,
        zoomed=alike <= JUMP_LIKENESS and is_zoom(before.luma, after.luma),
    )


def _balance(blocks: NDArray[np.bool_]) -> float:
    """The share of what changed that lies in that half of the picture, left or right, in which less did."""
    left, right = np.array_split(blocks.sum(axis=0), 2)
    return float(min(left.sum(), right.sum()) / max(1, blocks.sum()))


def _flash_frames(video: VideoStream) -> int:
    return int(np.clip(round(FLASH_S * video.measured_rate), 1, MAX_FLASH_FRAMES))


def cut_times(changes: list[_Change], gradual: Sequence[Gradual] = ()) -> list[int]:
    """The times of the frames that begin a new shot, rising: hard cuts, and the middles of changes across."""
    if not changes:
        return []
    prominent = _prominence(changes)
    cuts = {
        change.at_us
        for change, prominence in zip(changes, prominent, strict=True)
        if not change.returns and _is_cut(change, prominence) and not any(one.holds(change.at_us) for one in gradual)
    }
    cuts |= set(_gradual_middles(changes, gradual))
    return sorted(cuts | set(_black_middles(changes, cuts)))


def _gradual_middles(changes: list[_Change], gradual: Sequence[Gradual]) -> Iterator[int]:
    """The middle frame of each change from one picture to another; where black lies between, the first after it."""
    times = [change.at_us for change in changes]
    for one in gradual:
        if one.across:
            yield times[bisect_left(times, (one.start_us + one.end_us) // 2)]
    for out, back in pairwise(gradual):
        if out.to_black and back.from_black:
            yield back.start_us


def _is_cut(change: _Change, prominence: float) -> bool:
    scene = (
        not change.zoomed
        and change.difference >= SCENE_DIFFERENCE
        and change.likeness <= SCENE_LIKENESS
        and prominence >= SCENE_PROMINENCE
    )
    jump = (
        not change.zoomed
        and change.difference >= JUMP_DIFFERENCE
        and change.likeness <= JUMP_LIKENESS
        and change.rows >= JUMP_ROWS
        and change.balance >= JUMP_BALANCE
        and change.area <= JUMP_AREA
        and prominence >= JUMP_PROMINENCE
    )
    return scene or jump


def _prominence(changes: list[_Change]) -> list[float]:
    """How far each change stands above the second largest around it; less where frames are missing before it."""
    sizes = np.array([0.0 if change.returns else change.difference for change in changes])
    gaps = np.array([change.gap_us for change in changes], np.float64)
    usual = np.median(gaps[1:]) if len(gaps) > 1 else 1.0
    missing = np.clip(gaps / max(usual, 1.0), 1.0, MAX_GAP_FRAMES)
    padded = np.pad(sizes, NEIGHBOURS)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBOURS + 1).copy()
    windows[:, NEIGHBOURS] = 0
    second = np.sort(windows, axis=1)[:, -2]
    return [float(value) for value in sizes / np.maximum(second, 0.5) / missing]


def _black_middles(changes: list[_Change], cuts: Iterable[int]) -> Iterator[int]:
    """The middle of each stretch of black that was faded into and out of."""
    cuts = set(cuts)
    start: int | None = None
    for position, change in enumerate(changes):
        if change.black and start is None:
            start = position
        elif not change.black and start is not None:
            stretch = changes[start : position + 1]
            if start > 0 and not any(frame.at_us in cuts for frame in stretch):
                yield stretch[len(stretch) // 2].at_us
            start = None

"""Shots: where the picture is cut, to the frame.

Each frame is compared with the one before on a small picture. A cut stands out from the frames around it and leaves
another composition behind; a flash comes back to where it was, a moving camera changes every frame alike. Where frames
were left out and there may be a cut among them, a second look at every frame decides.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from analysis.changes import GROWTH, MIN_DIFFERENCE, MIN_PROMINENCE, NEIGHBOURS, Change, Changes, replaced
from analysis.observing import Observed, joined, rows_in, table
from analysis.parts import Parts
from analysis.thumbnails import Thumbnail, difference, likeness
from analysis.transitions import Gradual, TransitionFinder, together
from analysis.viewing import View
from schemas.facts import Shots, Span, Transition, TransitionKind
from schemas.media import MediaProbe, VideoStream
from schemas.model import Model
from schemas.timebase import pts_to_us

#: A change of scene: this different, this unlike in composition, and this far above the changes around it.
SCENE_DIFFERENCE = 20.0
SCENE_LIKENESS = 0.65
SCENE_PROMINENCE = MIN_PROMINENCE
#: A jump within a scene (the same camera, moments apart): less different, so it must stand out more, and not be a title
#: that appears (which changes a few rows only) or one half of a split screen, a change of light (which keeps the
#: composition), a punch-in (which only enlarges it) or a jerk of the camera (which moves nearly everything; a jump
#: leaves the background where it was).
JUMP_DIFFERENCE = MIN_DIFFERENCE
JUMP_LIKENESS = 0.92
JUMP_PROMINENCE = 2.8
JUMP_ROWS = 0.55
JUMP_BALANCE = 0.05
JUMP_AREA = 0.7
#: A change over several frames, each of which may have its part in it, that may be a cut in one of them: this much less
#: different and more alike.
DOUBTFUL_DIFFERENCE = 0.8
DOUBTFUL_LIKENESS = 0.05
#: A picture that is back within this time was interrupted by a flash.
FLASH_S = 0.17
MAX_FLASH_FRAMES = 12
#: Frames a change's prominence is scaled down for when the frame before is missing, at most.
MAX_GAP_FRAMES = 4.0

Line = NDArray[np.float64]


class ShotsParameters(Model):
    """Nothing to choose."""


class ShotAnalysis:
    """Finds the shots, which every pass does, since all others need them."""

    def __init__(self, probe: MediaProbe, parts: Parts | None = None) -> None:
        self.parts = parts or Parts()
        self._video = probe.video
        self._origin = probe.origin
        self._flash_frames = 0 if probe.video is None else _flash_frames(probe.video)

    def begin(self) -> "ShotFinder":
        return ShotFinder(self._flash_frames)

    def find(self, observed: Sequence[Observed]) -> Shots:
        if self._video is None:
            return Shots(shots=())
        start_us = pts_to_us(self._video.start_pts, self._video.time_base, self._origin)
        end_us = pts_to_us(self._video.end_pts, self._video.time_base, self._origin)
        changes = [_change_of(row) for row in joined(observed, "changes").tolist()]
        gradual = together([_gradual_of(row) for row in joined(observed, "gradual").tolist()], _usual_gap(changes))
        cuts = [cut for cut in cut_times(changes, gradual) if start_us < cut < end_us]
        borders = [start_us, *cuts, end_us]
        return Shots(
            shots=tuple(Span(start_us=a, end_us=b) for a, b in pairwise(borders)),
            gradual=tuple(Transition(start_us=one.start_us, end_us=one.end_us, kind=one.kind) for one in gradual),
        )

    def finish(self, _: Sequence[Observed], shots: Shots) -> Shots:
        return shots


class ShotFinder:
    """Looks at the frames of a stretch one by one and keeps how each differs from the one before."""

    def __init__(self, flash_frames: int) -> None:
        self._flash_frames = flash_frames
        self._changes = Changes(flash_frames)
        self._mended: list[Change] | None = None
        self._transitions = TransitionFinder()

    def process_frame(self, view: View) -> bool:
        """Look at the next frame; whether it seems to be of another scene than the one before."""
        change = self._changes.add(view.thumbnail, view.at_us, view.left_out_us)
        self._transitions.see(view.thumbnail.blocks, view.at_us, view.left_out_us)
        return change.difference >= SCENE_DIFFERENCE and change.likeness <= SCENE_LIKENESS

    def doubts(self, stretch: Span) -> list[Span]:
        """Where every frame must be seen to tell whether and where there is a cut: rising, apart from each other."""
        found = _stretches(self._changes.finish(), reach=NEIGHBOURS + self._flash_frames + 1)
        return [one for one in found if one.end_us >= stretch.start_us and one.start_us < stretch.end_us]

    def look_again(self, doubts: Sequence[Span], views: Iterable[View]) -> None:
        """Every frame of stretches that were in doubt, from the first to the last of each."""
        ends, mended = [doubt.end_us for doubt in doubts], self._changes.finish()
        for _, views_of_one in groupby(views, key=lambda view: bisect_left(ends, view.at_us)):
            exact = Changes(self._flash_frames)
            for view in views_of_one:
                exact.add(view.thumbnail, view.at_us)
            mended = replaced(mended, exact.finish())
        self._mended = mended

    def observed(self, stretch: Span) -> Observed:
        changes = self._changes.finish() if self._mended is None else self._mended
        gradual = [_row_of(one) for one in self._transitions.finish()]
        return Observed(
            stretch=stretch,
            tables={
                "changes": rows_in(
                    table([tuple(vars(change).values()) for change in changes], len(fields(Change))), stretch
                ),
                "gradual": rows_in(table(gradual, len(fields(Gradual))), stretch),
            },
        )


def _change_of(row: Sequence[float]) -> Change:
    at_us, gap_us, different, alike, rows, balance, area, black, zoomed, returns, over, seen = row
    return Change(
        int(at_us),
        int(gap_us),
        different,
        alike,
        rows,
        balance,
        area,
        black=bool(black),
        zoomed=bool(zoomed),
        returns=bool(returns),
        over=int(over),
        seen=bool(seen),
    )


#: The kinds of gradual change as they are kept.
_KINDS = tuple(TransitionKind)


def _row_of(one: Gradual) -> tuple[float, ...]:
    return one.start_us, one.end_us, _KINDS.index(one.kind), one.from_black, one.to_black


def _gradual_of(row: Sequence[float]) -> Gradual:
    start_us, end_us, kind, from_black, to_black = row
    return Gradual(int(start_us), int(end_us), _KINDS[int(kind)], bool(from_black), bool(to_black))


def _usual_gap(changes: Sequence[Change]) -> float:
    return float(np.median([change.gap_us for change in changes[1:]])) if len(changes) > 1 else 0.0


def _flash_frames(video: VideoStream) -> int:
    return int(np.clip(round(FLASH_S * video.measured_rate), 1, MAX_FLASH_FRAMES))


def is_other_scene(before: Thumbnail, after: Thumbnail) -> bool:
    """Whether one picture cannot be the other moments later: as seen from two frames alone, whatever lies between."""
    return difference(before, after) >= SCENE_DIFFERENCE and likeness(before.blocks, after.blocks) <= SCENE_LIKENESS


def cut_times(changes: Sequence[Change], gradual: Sequence[Gradual] = ()) -> list[int]:
    """The times of the frames that begin a new shot, rising: hard cuts, and the middles of changes across."""
    if not changes:
        return []
    cuts = {
        change.at_us
        for change, prominence in zip(changes, _prominence(changes, _sizes(changes)), strict=True)
        if change.over == 1 and _is_cut(change, prominence) and not any(one.holds(change.at_us) for one in gradual)
    }
    cuts |= set(_gradual_middles(changes, gradual))
    return sorted(cuts | set(_black_middles(changes, cuts)))


def _stretches(changes: Sequence[Change], reach: int) -> Iterator[Span]:
    """What lies within some frames of a change that is in doubt, between frames that were seen."""
    first = last = -1
    for number in _doubtful(changes):
        start, end = max(0, number - reach), min(len(changes) - 1, number + reach)
        while not changes[start].seen:
            start -= 1
        while not changes[end].seen:
            end += 1
        if start > last:
            if last >= 0:
                yield Span(start_us=changes[first].at_us, end_us=changes[last].at_us)
            first = start
        last = max(last, end)
    if last >= 0:
        yield Span(start_us=changes[first].at_us, end_us=changes[last].at_us)


def _doubtful(changes: Sequence[Change]) -> Iterator[int]:
    """Changes, by number, that may be cuts, and those of which the frames left out around them leave that open."""
    if all(change.over == 1 for change in changes):
        return
    sizes = _sizes(changes)
    least = _prominence(changes, sizes)
    most = _prominence(changes, sizes / np.array([change.over for change in changes]) ** GROWTH, sizes)
    for number, change in enumerate(changes):
        if change.over == 1:
            if _is_cut(change, float(most[number])) != _is_cut(change, float(least[number])):
                yield number
        elif change.seen and _may_hold_cut(change, float(most[number])):
            yield number


def _may_hold_cut(change: Change, prominence: float) -> bool:
    scene = (
        change.difference >= DOUBTFUL_DIFFERENCE * SCENE_DIFFERENCE
        and change.likeness <= SCENE_LIKENESS + DOUBTFUL_LIKENESS
        and prominence >= SCENE_PROMINENCE
    )
    jump = (
        change.difference >= JUMP_DIFFERENCE
        and change.likeness <= JUMP_LIKENESS + DOUBTFUL_LIKENESS
        and prominence >= JUMP_PROMINENCE
    )
    return not change.returns and (scene or jump)


def _gradual_middles(changes: Sequence[Change], gradual: Sequence[Gradual]) -> Iterator[int]:
    """The middle frame of each change from one picture to another; where black lies between, the first after it."""
    times = [change.at_us for change in changes]
    for one in gradual:
        if one.across:
            yield times[bisect_left(times, (one.start_us + one.end_us) // 2)]
    for out, back in pairwise(gradual):
        if out.to_black and back.from_black:
            yield back.start_us


def _is_cut(change: Change, prominence: float) -> bool:
    scene = (
        change.difference >= SCENE_DIFFERENCE and change.likeness <= SCENE_LIKENESS and prominence >= SCENE_PROMINENCE
    )
    jump = (
        change.difference >= JUMP_DIFFERENCE
        and change.likeness <= JUMP_LIKENESS
        and change.rows >= JUMP_ROWS
        and change.balance >= JUMP_BALANCE
        and change.area <= JUMP_AREA
        and prominence >= JUMP_PROMINENCE
    )
    return not (change.zoomed or change.returns) and (scene or jump)


def _sizes(changes: Sequence[Change]) -> Line:
    return np.array([0.0 if change.returns else change.difference for change in changes])


def _prominence(changes: Sequence[Change], around: Line, sizes: Line | None = None) -> Line:
    """How far each change stands above the second largest around it; less where frames are missing before it."""
    gaps = np.array([change.gap_us for change in changes], np.float64)
    missing = np.clip(gaps / max(_usual_gap(changes), 1.0), 1.0, MAX_GAP_FRAMES)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(around, NEIGHBOURS), 2 * NEIGHBOURS + 1).copy()
    windows[:, NEIGHBOURS] = 0
    second = np.partition(windows, -2, axis=1)[:, -2]
    return np.asarray((around if sizes is None else sizes) / np.maximum(second, 0.5) / missing, np.float64)


def _black_middles(changes: Sequence[Change], cuts: Iterable[int]) -> Iterator[int]:
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

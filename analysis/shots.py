"""Shots: where the picture is cut, to the frame.

Every frame is compared with the one before on a small picture. A cut stands out from the frames around it and leaves
another composition behind; a flash comes back to where it was, a moving camera changes every frame alike.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import av
import numpy as np

from analysis.demuxing import decode_video, open_media
from analysis.progressing import in_steps
from analysis.thumbnails import Thumbnail, Thumbnailer, changed_area, changed_rows, difference, likeness
from schemas.facts import Shots, Span
from schemas.media import MediaProbe, VideoStream
from schemas.model import Model
from schemas.progress import ProgressCallback, ignore_progress
from schemas.timebase import pts_to_us

#: A change of scene: this different, this unlike in composition, and this far above the changes around it.
SCENE_DIFFERENCE = 20.0
SCENE_LIKENESS = 0.65
SCENE_PROMINENCE = 1.8
#: A jump within a scene (the same camera, moments apart): less different, so it must stand out more, and not be a title
#: that appears (which changes a few rows only), a change of light (which keeps the composition) or a jerk of the camera
#: (which moves nearly everything; a jump leaves the background where it was).
JUMP_DIFFERENCE = 6.0
JUMP_LIKENESS = 0.92
JUMP_PROMINENCE = 2.8
JUMP_ROWS = 0.55
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
    area: float
    black: bool
    returns: bool = False


@dataclass
class _Watch:
    """Looks at frames one by one and keeps only the few that a flash could come back to."""

    flash_frames: int
    changes: list[_Change] = field(default_factory=list)
    _recent: deque[Thumbnail] = field(default_factory=deque)

    def see(self, picture: Thumbnail, at_us: int) -> None:
        black = bool(picture.luma.max() <= BLACK_LUMA)
        if not self._recent:
            self.changes.append(_Change(at_us, 0, 0.0, 1.0, 0.0, 0.0, black))
        else:
            before = self._recent[-1]
            self.changes.append(
                _Change(
                    at_us,
                    at_us - self.changes[-1].at_us,
                    difference(before, picture),
                    likeness(before, picture),
                    changed_rows(before, picture),
                    changed_area(before, picture),
                    black,
                )
            )
            self._mark_returns(picture)
        self._recent.append(picture)
        if len(self._recent) > self.flash_frames + 1:
            self._recent.popleft()

    def _mark_returns(self, picture: Thumbnail) -> None:
        """A change back to the picture before a recent change undoes both."""
        now = self.changes[-1]
        if now.difference < JUMP_DIFFERENCE:
            return
        for age in range(2, len(self._recent) + 1):
            began, original = self.changes[-age], self._recent[-age]
            if began.difference < JUMP_DIFFERENCE:
                continue
            limit = FLASH_DIFFERENCE_SHARE * min(began.difference, now.difference)
            if difference(original, picture) < limit:
                now.returns = began.returns = True
                return


def find_shots(path: Path, probe: MediaProbe, progress: ProgressCallback = ignore_progress) -> Shots:
    """The shots of a probed file's picture, to the frame; none where there is no picture.

    Raises:
        MediaRefused: when most of the picture is damaged.
    """
    if probe.video is None:
        return Shots(shots=())
    progress = in_steps(progress)
    start_us = pts_to_us(probe.video.start_pts, probe.video.time_base, probe.origin)
    end_us = pts_to_us(probe.video.end_pts, probe.video.time_base, probe.origin)
    watch = _Watch(flash_frames=_flash_frames(probe.video))
    for picture, at_us in _pictures(path, probe, probe.video):
        watch.see(picture, at_us)
        progress((at_us - start_us) / (end_us - start_us))
    cuts = [cut for cut in cut_times(watch.changes) if start_us < cut < end_us]
    progress(1.0)
    borders = [start_us, *cuts, end_us]
    return Shots(shots=tuple(Span(start_us=a, end_us=b) for a, b in pairwise(borders)))


def _flash_frames(video: VideoStream) -> int:
    return int(np.clip(round(FLASH_S * video.measured_rate), 1, MAX_FLASH_FRAMES))


def _pictures(path: Path, probe: MediaProbe, video: VideoStream) -> Iterator[tuple[Thumbnail, int]]:
    """Thumbnails and their times, rising; the rest after damage may repeat times, and is left out."""
    thumbnailer, last_us = Thumbnailer(), -1
    with open_media(path) as container:
        stream = container.streams[video.index]
        assert isinstance(stream, av.VideoStream)
        stream.thread_type = "AUTO"
        for frame in decode_video(container, stream):
            assert frame.pts is not None
            at_us = pts_to_us(frame.pts, video.time_base, probe.origin)
            if at_us > last_us:
                yield thumbnailer.make(frame), at_us
                last_us = at_us


def cut_times(changes: list[_Change]) -> list[int]:
    """The times of the frames that begin a new shot, rising."""
    if not changes:
        return []
    prominent = _prominence(changes)
    cuts = {
        change.at_us
        for change, prominence in zip(changes, prominent, strict=True)
        if not change.returns and _is_cut(change, prominence)
    }
    return sorted(cuts | set(_black_middles(changes, cuts)))


def _is_cut(change: _Change, prominence: float) -> bool:
    scene = (
        change.difference >= SCENE_DIFFERENCE and change.likeness <= SCENE_LIKENESS and prominence >= SCENE_PROMINENCE
    )
    jump = (
        change.difference >= JUMP_DIFFERENCE
        and change.likeness <= JUMP_LIKENESS
        and change.rows >= JUMP_ROWS
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

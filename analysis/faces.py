"""Faces: who is in the picture where, sampled over time and followed within each shot."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from analysis.demuxing import decode_video, open_media
from analysis.detectors import MIN_SIDE, SEARCHED_SIDE, Box, available_detector, load_detector, overlap
from analysis.orientation import Orientation
from analysis.progressing import in_steps
from analysis.shots import SCENE_DIFFERENCE, SCENE_LIKENESS
from analysis.thumbnails import Thumbnail, Thumbnailer, difference, likeness
from schemas.facts import Faces, FaceSample, FaceTrack
from schemas.media import MediaProbe, VideoStream
from schemas.model import Model
from schemas.progress import ProgressCallback, ignore_progress
from schemas.timebase import pts_to_us

#: Time between samples: a head moves about its own width in a second, so it overlaps itself from one to the next.
STEP_US = 250_000
#: From this rate on, frames that no other frame needs are not decoded: enough are left to sample.
MIN_SKIPPING_RATE = 20
#: A face seen again within this overlap of where it was is the same face.
SAME_FACE = 0.3
#: A face that hides (turns away, is passed in front of) for longer than this begins a new track.
MAX_HIDDEN_US = 1_000_000
#: A track with fewer samples is a chance hit, unless the shot is no longer than that.
MIN_SAMPLES = 2
#: One that is this sure is told however short.
SURE_SCORE = 0.85


class FacesParameters(Model):
    """The detector to use; ``None`` for the best that can be had."""

    detector: Literal["yunet", "centerface", "none"] | None = None


@dataclass
class _Track:
    samples: list[FaceSample] = field(default_factory=list)
    box: Box | None = None

    @property
    def last_us(self) -> int:
        return self.samples[-1].at_us

    @property
    def credible(self) -> bool:
        return len(self.samples) >= MIN_SAMPLES or max(sample.score for sample in self.samples) >= SURE_SCORE


@dataclass
class Linker:
    """Follows faces from sample to sample; a cut ends every track."""

    _open: list[_Track] = field(default_factory=list)
    _done: list[_Track] = field(default_factory=list)

    def cut(self) -> None:
        self._done += self._open
        self._open = []

    def add(self, at_us: int, boxes: list[Box]) -> None:
        lost = [track for track in self._open if at_us - track.last_us > MAX_HIDDEN_US]
        self._done += lost
        self._open = [track for track in self._open if track not in lost]
        unmatched = list(self._open)
        for box in sorted(boxes, key=lambda one: -one.score):
            track = max(unmatched, key=lambda one: _likeness(one, box), default=None)
            if track is not None and _likeness(track, box) >= SAME_FACE:
                unmatched.remove(track)
            else:
                track = _Track()
                self._open.append(track)
            track.box = box
            track.samples.append(_sample(at_us, box))

    def tracks(self) -> tuple[FaceTrack, ...]:
        """All tracks so far, in the order in which they begin."""
        told = [track for track in [*self._done, *self._open] if track.credible]
        told.sort(key=lambda track: (track.samples[0].at_us, track.samples[0].left))
        return tuple(FaceTrack(samples=tuple(track.samples)) for track in told)


def _likeness(track: _Track, box: Box) -> float:
    return overlap(track.box, box) if track.box is not None else 0.0


def _sample(at_us: int, box: Box) -> FaceSample:
    return FaceSample(
        at_us=at_us,
        left=box.left,
        top=box.top,
        width=box.width,
        height=box.height,
        eyes_y=box.eyes_y,
        score=box.score,
    )


def find_faces(
    path: Path,
    probe: MediaProbe,
    parameters: FacesParameters,
    models: Path,
    progress: ProgressCallback = ignore_progress,
) -> Faces:
    """The faces of a probed file's picture, boxes as a viewer sees it.

    Raises:
        MediaRefused: when most of the picture is damaged.
    """
    name = parameters.detector or available_detector(models)
    detector = load_detector(name, models) if name else None
    if detector is None:
        return Faces(
            detector=None,
            step_us=STEP_US,
            note="No face detector could be had, so the picture is framed without knowing where people are.",
        )
    if probe.video is None or min(probe.video.display_width, probe.video.display_height) < MIN_SIDE:
        return Faces(detector=name, step_us=STEP_US)
    tell, linker = in_steps(progress), Linker()
    before: Thumbnail | None = None
    for at_us, picture, thumbnail in _samples(path, probe, probe.video):
        if before is not None and _is_cut(before, thumbnail):
            linker.cut()
        linker.add(at_us, detector.detect(picture))
        before = thumbnail
        tell(at_us / probe.duration_us)
    tell(1.0)
    return Faces(detector=name, step_us=STEP_US, tracks=linker.tracks())


def _is_cut(before: Thumbnail, after: Thumbnail) -> bool:
    return difference(before, after) >= SCENE_DIFFERENCE and likeness(before, after) <= SCENE_LIKENESS


def _samples(path: Path, probe: MediaProbe, video: VideoStream) -> Iterator[tuple[int, NDArray[np.uint8], Thumbnail]]:
    """A frame every ``STEP_US`` and the first after each cut: its time, upright BGR picture, and thumbnail."""
    thumbnailer, searcher = Thumbnailer(), _Searcher(video)
    due_us = 0
    before: Thumbnail | None = None
    with open_media(path) as container:
        stream = container.streams[video.index]
        assert isinstance(stream, av.VideoStream)
        stream.thread_type = "AUTO"
        if video.measured_rate >= MIN_SKIPPING_RATE:
            stream.codec_context.skip_frame = "NONREF"
        for frame in decode_video(container, stream):
            assert frame.pts is not None
            at_us = pts_to_us(frame.pts, video.time_base, probe.origin)
            if at_us < 0:
                continue
            thumbnail = thumbnailer.make(frame)
            if at_us >= due_us or (before is not None and _is_cut(before, thumbnail)):
                yield at_us, searcher.picture(frame), thumbnail
                due_us = at_us + STEP_US - at_us % STEP_US
            before = thumbnail


class _Searcher:
    """Makes the picture that is searched: at most ``SEARCHED_SIDE``, square pixels, upright."""

    def __init__(self, video: VideoStream) -> None:
        self._orientation = Orientation(video.rotation, video.mirrored)
        width, height = video.display_width, video.display_height
        if self._orientation.swaps_sides:
            width, height = height, width
        share = min(1.0, SEARCHED_SIDE / max(width, height))
        self._size = max(1, round(width * share)), max(1, round(height * share))
        self._reformatter = VideoReformatter()

    def picture(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        width, height = self._size
        small = self._reformatter.reformat(
            frame, width=width, height=height, format="bgr24", interpolation=Interpolation.AREA
        )
        return self._orientation.apply(np.asarray(small.to_ndarray(), np.uint8))

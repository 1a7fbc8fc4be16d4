"""A file's frames in the sizes that are looked at, each made once for all who look."""

import os
from bisect import bisect_right
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cached_property, partial
from pathlib import Path

import av
import av.error
from av.container import InputContainer

from analysis.ahead import made_ahead
from analysis.camera import Projections, project
from analysis.demuxing import decode_video, is_undated, open_media
from analysis.orientation import Orientation
from analysis.planes import Picture, Plane, PlaneReader, coloured, shrunk
from analysis.skimming import Skimmed, skim, whole
from analysis.thumbnails import FINE_HEIGHT, FINE_WIDTH, Thumbnail, thumbnail
from schemas.facts import Span
from schemas.media import MediaProbe, VideoStream
from schemas.timebase import pts_to_us, us_to_pts

#: Longest sides of the small view and of the large one, in pixels.
SMALL_SIDE = 320
LARGE_SIDE = 640
#: From this rate on, in frames a second, frames that no other frame needs may be left out: enough are left to see by.
MIN_SKIMMING_RATE = 20
#: Frames that are decoded at once while others are looked at, and of large ones no more than take up so many pixels.
AHEAD_FRAMES = 4
AHEAD_PIXELS = 1 << 23
#: Decoding small pictures with threads takes a seventh more processor time: one is enough where there are no processors
#: for more, since another thread looks at what it has decoded. Large ones keep two busy, for a twentieth more.
FEW_PROCESSORS = 2
MOST_THREADS = 4
LARGE_PIXELS = 1920 * 1080
#: Time that seeking must pass over to be worth it; before, what is between two stretches is read.
WORTH_SEEKING_US = 5_000_000


class Viewer:
    """How one stream's frames are looked at, with the scalers that are kept between them."""

    def __init__(self, video: VideoStream) -> None:
        self.orientation = Orientation(video.rotation, video.mirrored)
        self.thumbnails, self.pictures = PlaneReader(), PlaneReader()
        sides = video.display_width, video.display_height
        self._sides = sides[::-1] if self.orientation.swaps_sides else sides

    def size(self, longest: int) -> tuple[int, int]:
        """Width and height of a picture as it is stored, in square pixels, its longest side given; both even."""
        share = min(1.0, longest / max(self._sides))
        width, height = (max(2, 2 * round(side * share / 2)) for side in self._sides)
        return width, height


class View:
    """One frame, at ``at_us`` on the media clock, in the sizes that somebody asks for; each is made once.

    ``left_out_us`` are the times, rising, of the frames since the view before that were not decoded.
    """

    def __init__(self, frame: av.VideoFrame, at_us: int, viewer: Viewer, left_out_us: tuple[int, ...] = ()) -> None:
        self.at_us = at_us
        self.left_out_us = left_out_us
        self._frame = frame
        self._viewer = viewer

    @cached_property
    def thumbnail(self) -> Thumbnail:
        """As stored, neither turned nor mirrored, at the same few pixels whatever its shape."""
        return thumbnail(self._viewer.thumbnails.read(self._frame, FINE_WIDTH, FINE_HEIGHT))

    @cached_property
    def fine(self) -> Plane:
        """The thumbnail's luma before its last halving, (rows, columns), as a viewer sees it."""
        return self._viewer.orientation.apply(self.thumbnail.fine)

    @cached_property
    def projections(self) -> Projections:
        """Of the luma, as a viewer sees it."""
        return project(self._viewer.orientation.apply(self.thumbnail.luma))

    @cached_property
    def luma(self) -> Plane:
        """Luma in square pixels, at most ``LARGE_SIDE``, as stored."""
        width, height = self._viewer.size(LARGE_SIDE)
        return shrunk(self._viewer.pictures.read(self._frame, width, height)[0], width, height)

    @cached_property
    def small(self) -> Picture:
        """BGR (rows, columns, 3) in square pixels, at most ``SMALL_SIDE``, as a viewer sees it."""
        return self._coloured(SMALL_SIDE)

    @cached_property
    def large(self) -> Picture:
        """The same, at most ``LARGE_SIDE``."""
        return self._coloured(LARGE_SIDE)

    def _coloured(self, longest: int) -> Picture:
        planes = self._viewer.pictures.read(self._frame, *self._viewer.size(LARGE_SIDE))
        return self._viewer.orientation.apply(coloured(planes, *self._viewer.size(longest)))


class Footage:
    """The picture of a probed file: most of it at a glance, and stretches of it frame by frame."""

    def __init__(self, path: Path, container: InputContainer, probe: MediaProbe, video: VideoStream) -> None:
        stream = container.streams[video.index]
        assert isinstance(stream, av.VideoStream)
        stream.thread_type = "FRAME"
        stream.codec_context.thread_count = _threads(os.cpu_count() or 1, video.coded_width * video.coded_height)
        self._container, self._stream = container, stream
        self._path, self._probe, self._video = path, probe, video
        self._viewer = Viewer(video)
        self._decoding: Generator[Skimmed, None, None] | None = None
        self._keyframes_us: list[int] = []

    def rest(self) -> None:
        """Wait until nothing is decoded ahead any more, whoever still has views to come: there is one decoder."""
        if self._decoding is not None:
            self._decoding.close()

    def views(self) -> Generator[View, None, None]:
        """The frames that must be seen, times rising; the rest after damage may repeat times, and is left out."""
        return self.viewed(self._skimmed())

    def views_from(self, start_us: int) -> Generator[View, None, None]:
        """The same from the last keyframe on that is not behind a time, or from the first where none can be sought."""
        return self._from(start_us, Footage._skimmed)

    def again(self, stretches: Sequence[Span]) -> Iterator[View]:
        """Every frame of some stretches that begin with a frame each, rising, which must not overlap."""
        near: list[Span] = []
        for stretch in stretches:
            if near and self._keyframe_before(stretch.start_us) - near[-1].end_us > WORTH_SEEKING_US:
                yield from self._from(near[0].start_us, partial(Footage._whole, stretches=near))
                near = []
            near.append(stretch)
        if near:
            yield from self._from(near[0].start_us, partial(Footage._whole, stretches=near))

    def _keyframe_before(self, at_us: int) -> int:
        """Where seeking leads as far as has been seen: with one keyframe in all, to the beginning each time."""
        behind = bisect_right(self._keyframes_us, at_us)
        return self._keyframes_us[behind - 1] if behind else 0

    def _skimmed(self) -> Iterator[Skimmed]:
        if self._video.measured_rate < MIN_SKIMMING_RATE or is_undated(self._container, self._stream):
            return (Skimmed(frame) for frame in decode_video(self._container, self._stream))
        return skim(self._container, self._stream)

    def _whole(self, stretches: Sequence[Span]) -> Iterator[Skimmed]:
        ticks = [(self._ticks(one.start_us), self._ticks(one.end_us)) for one in stretches]
        return whole(self._container, self._stream, ticks)

    def _from(self, start_us: int, decode: "Callable[[Footage], Iterator[Skimmed]]") -> Generator[View, None, None]:
        """What is decoded from a keyframe on; from the beginning where a format is sought in too far, or not at all."""
        self.rest()
        with suppress(av.error.FFmpegError):
            self._container.seek(self._ticks(start_us), stream=self._stream)
        with closing(self.viewed(decode(self))) as views:
            first = next(views, None)
            if first is not None and first.at_us <= start_us:
                yield first
                yield from views
                return
        with open_footage(self._path, self._probe, self._video) as anew:
            yield from anew.viewed(decode(anew))

    def _ticks(self, at_us: int) -> int:
        return us_to_pts(at_us, self._video.time_base, self._probe.origin)

    def _time(self, pts: int) -> int:
        return pts_to_us(pts, self._video.time_base, self._probe.origin)

    def viewed(self, frames: Iterator[Skimmed]) -> Generator[View, None, None]:
        """Frames whose times rise; those of others are damaged."""
        last_us = -1
        batch = max(1, min(AHEAD_FRAMES, AHEAD_PIXELS // (self._video.coded_width * self._video.coded_height)))
        with closing(made_ahead(frames, batch)) as self._decoding:
            for one in self._decoding:
                assert one.frame.pts is not None
                at_us = self._time(one.frame.pts)
                if at_us <= last_us:
                    continue
                if one.frame.key_frame and at_us > max(self._keyframes_us[-1:], default=-1):
                    self._keyframes_us.append(at_us)
                left_out = [self._time(pts) for pts in one.left_out]
                yield View(one.frame, at_us, self._viewer, tuple(t for t in left_out if last_us < t < at_us))
                last_us = at_us


def _threads(processors: int, pixels: int) -> int:
    """How many threads decode pictures of so many pixels."""
    return 1 if processors <= FEW_PROCESSORS and pixels < LARGE_PIXELS else min(processors, MOST_THREADS)


@contextmanager
def open_footage(path: Path, probe: MediaProbe, video: VideoStream) -> Iterator[Footage]:
    """Raises ``MediaRefused`` for what cannot be read."""
    with open_media(path) as container:
        footage = Footage(path, container, probe, video)
        try:
            yield footage
        finally:
            footage.rest()

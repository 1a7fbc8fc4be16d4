"""A file's frames in the sizes that are looked at, each made once for all who look."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from analysis.camera import Projections, project
from analysis.demuxing import decode_video, open_media
from analysis.orientation import Orientation
from analysis.thumbnails import Thumbnail, Thumbnailer
from schemas.media import MediaProbe, VideoStream
from schemas.timebase import pts_to_us

#: Longest side of the large view, in pixels.
LARGE_SIDE = 640


class Viewer:
    """Scales one stream's frames to the sizes that are looked at, keeping the scalers between frames."""

    def __init__(self, video: VideoStream) -> None:
        self._thumbnailer, self._reformatter = Thumbnailer(), VideoReformatter()
        self._orientation = Orientation(video.rotation, video.mirrored)
        width, height = video.display_width, video.display_height
        if self._orientation.swaps_sides:
            width, height = height, width
        share = min(1.0, LARGE_SIDE / max(width, height))
        self._size = max(1, round(width * share)), max(1, round(height * share))

    def thumbnail(self, frame: av.VideoFrame) -> Thumbnail:
        return self._thumbnailer.make(frame)

    def upright(self, plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return self._orientation.apply(plane)

    def large(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        width, height = self._size
        small = self._reformatter.reformat(
            frame, width=width, height=height, format="bgr24", interpolation=Interpolation.AREA
        )
        return self._orientation.apply(np.asarray(small.to_ndarray(), np.uint8))


class View:
    """One frame, at ``at_us`` on the media clock, in the sizes that somebody asks for; each is made once."""

    def __init__(self, frame: av.VideoFrame, at_us: int, viewer: Viewer) -> None:
        self.at_us = at_us
        self._frame = frame
        self._viewer = viewer

    @cached_property
    def thumbnail(self) -> Thumbnail:
        """As stored, neither turned nor mirrored, at the same few pixels whatever its shape."""
        return self._viewer.thumbnail(self._frame)

    @cached_property
    def fine(self) -> NDArray[np.uint8]:
        """The thumbnail's luma before its last halving, (rows, columns), as a viewer sees it."""
        return self._viewer.upright(self.thumbnail.fine)

    @cached_property
    def projections(self) -> Projections:
        """Of the luma, as a viewer sees it."""
        return project(self._viewer.upright(self.thumbnail.luma))

    @cached_property
    def large(self) -> NDArray[np.uint8]:
        """BGR (rows, columns, 3) in square pixels, at most ``LARGE_SIDE``, as a viewer sees it."""
        return self._viewer.large(self._frame)


def views(path: Path, probe: MediaProbe, video: VideoStream) -> Iterator[View]:
    """The frames in the order of their times, rising; the rest after damage may repeat times, and is left out."""
    viewer, last_us = Viewer(video), -1
    with open_media(path) as container:
        stream = container.streams[video.index]
        assert isinstance(stream, av.VideoStream)
        stream.thread_type = "AUTO"
        for frame in decode_video(container, stream):
            assert frame.pts is not None
            at_us = pts_to_us(frame.pts, video.time_base, probe.origin)
            if at_us > last_us:
                yield View(frame, at_us, viewer)
                last_us = at_us

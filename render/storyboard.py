"""Small pictures of a finished video for a player's time line: one image, and WebVTT that says which part is when.

Cues whose text is an image's address with a media fragment ``#xywh=`` (W3C Media Fragments URI 1.0, section 4.2.2) are
what players take for previews.
"""

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
from av import VideoFrame
from numpy.typing import NDArray

from render.jpeg import write_jpeg
from schemas.storyboard import StoryboardGrid

#: The longer side of a picture; how many there are at most, and in a row; at least so long is one shown.
_LONGER_SIDE = 160
_MOST = 100
_COLUMNS = 10
_SHORTEST_STEP_MS = 1_000
_QUALITY = 75


class StoryboardMaker:
    """Collects the pictures while something else decodes the video."""

    def __init__(self, frames: int, rate: Fraction) -> None:
        """``frames``: how many the video has, ``rate`` of them a second."""
        self._duration_ms = max(1, round(frames * 1000 / rate))
        self._step_ms = max(_SHORTEST_STEP_MS, math.ceil(self._duration_ms / _MOST))
        self._count = math.ceil(self._duration_ms / self._step_ms)
        self._places = {
            min(frames - 1, int((at * self._step_ms + self._shown_ms(at) / 2) * rate / 1000)): at
            for at in reversed(range(self._count))
        }
        self._image: NDArray[np.uint8] | None = None
        self._size = (0, 0)

    def offer(self, frame: VideoFrame, number: int) -> None:
        """Take the video's frame ``number``, if it is one of those to show."""
        at = self._places.get(number)
        if at is None:
            return
        image = self._begun(frame) if self._image is None else self._image
        width, height = self._size
        small = frame.reformat(width=width, height=height, format="bgr24", interpolation="AREA").to_ndarray()
        row, column = divmod(at, _COLUMNS)
        image[row * height : (row + 1) * height, column * width : (column + 1) * width] = small

    def write(self, target: Path) -> StoryboardGrid:
        """Write what was taken as a JPEG."""
        if self._image is None:
            raise ValueError("no picture was offered")
        write_jpeg(self._image, target, _QUALITY)
        width, height = self._size
        return StoryboardGrid(
            count=self._count,
            columns=min(_COLUMNS, self._count),
            width=width,
            height=height,
            step_ms=self._step_ms,
            duration_ms=self._duration_ms,
        )

    def _shown_ms(self, at: int) -> int:
        return min(self._step_ms, self._duration_ms - at * self._step_ms)

    def _begun(self, frame: VideoFrame) -> NDArray[np.uint8]:
        scale = _LONGER_SIDE / max(frame.width, frame.height)
        width, height = (max(2, round(side * scale / 2) * 2) for side in (frame.width, frame.height))
        self._size = (width, height)
        rows = math.ceil(self._count / _COLUMNS)
        self._image = np.zeros((rows * height, min(_COLUMNS, self._count) * width, 3), np.uint8)
        return self._image


def storyboard_vtt(grid: StoryboardGrid, image: str) -> str:
    """WebVTT that names, for each stretch of the video, its part of the image at address ``image``."""
    cues = []
    for at in range(grid.count):
        start, end = at * grid.step_ms, min((at + 1) * grid.step_ms, grid.duration_ms)
        row, column = divmod(at, grid.columns)
        part = f"{column * grid.width},{row * grid.height},{grid.width},{grid.height}"
        cues.append(f"{_clock(start)} --> {_clock(end)}\n{image}#xywh={part}\n")
    return "\n".join(["WEBVTT\n", *cues])


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"

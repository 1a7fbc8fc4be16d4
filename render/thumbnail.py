"""A still that represents a finished video."""

from fractions import Fraction
from pathlib import Path

import numpy as np
from av import VideoFrame
from numpy.typing import NDArray

from render.jpeg import write_jpeg

_WIDTH = 640
_QUALITY = 88
#: Where to look, as shares of the duration: away from fades at the ends.
_CANDIDATES = (Fraction(1, 10), Fraction(1, 4), Fraction(2, 5), Fraction(11, 20), Fraction(3, 4))
#: Mean luma outside this range (of 255) is too dark or too bright to tell anything.
_DARKEST, _BRIGHTEST = 40, 215
_LOOKED_AT_WIDTH = 320


class Thumbnail:
    """The sharpest well-exposed picture of a few across a video, chosen while something else decodes it."""

    def __init__(self, frames: int) -> None:
        """``frames``: how many the video has."""
        self._numbers = {int(share * frames) for share in _CANDIDATES}
        self._appeal = float("-inf")
        self._picture: NDArray[np.uint8] | None = None

    def offer(self, frame: VideoFrame, number: int) -> None:
        """Look at the video's frame ``number``, if it is one of the few."""
        if number not in self._numbers:
            return
        appeal = _appeal(frame)
        if appeal > self._appeal:
            self._appeal, self._picture = appeal, _small(frame)

    def write(self, target: Path) -> Path:
        """Write the best of what was offered as a JPEG, 640 pixels wide at most."""
        if self._picture is None:
            raise ValueError("no picture was offered")
        write_jpeg(self._picture, target, _QUALITY)
        return target


def _small(frame: VideoFrame) -> NDArray[np.uint8]:
    width = min(_WIDTH, frame.width)
    height = max(2, round(frame.height * width / frame.width / 2) * 2)
    picture = frame.reformat(width=width, height=height, format="bgr24", interpolation="AREA").to_ndarray()
    return picture.astype(np.uint8, copy=False)


def _appeal(frame: VideoFrame) -> float:
    """Sharpness (spread of the Laplacian of the luma), a tenth of it where the exposure is off."""
    height = max(2, round(frame.height * _LOOKED_AT_WIDTH / frame.width))
    grey = frame.reformat(width=_LOOKED_AT_WIDTH, height=height, format="gray", interpolation="AREA").to_ndarray()
    luma: NDArray[np.float32] = grey.astype(np.float32)
    laplacian = 4 * luma[1:-1, 1:-1] - luma[:-2, 1:-1] - luma[2:, 1:-1] - luma[1:-1, :-2] - luma[1:-1, 2:]
    exposed = _DARKEST <= float(luma.mean()) <= _BRIGHTEST
    return float(laplacian.std()) * (1.0 if exposed else 0.1)

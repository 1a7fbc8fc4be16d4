"""Frames scaled down until only composition and colour are left, and how much two of them differ."""

from dataclasses import dataclass

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

WIDTH = 160
HEIGHT = 90
#: Blocks of 5 by 5 pixels in which structure and the spread of a change are judged: noise averages out in them.
_BLOCK = 5
_BLOCK_ROWS = HEIGHT // _BLOCK
_BLOCK_COLUMNS = WIDTH // _BLOCK
#: Contrast (root of summed squares over the blocks) that keeps flat pictures from being alike or unlike by noise alone.
_FLAT_CONTRAST = 20.0
#: A block has changed when its mean luma moved by more than this.
_BLOCK_CHANGED = 6.0

Plane = NDArray[np.uint8]


@dataclass(frozen=True)
class Thumbnail:
    """Luma and both chroma planes at half size, and the luma's block means."""

    luma: Plane
    chroma: Plane
    blocks: NDArray[np.float32]


class Thumbnailer:
    """Makes thumbnails, keeping the scaler between frames."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def make(self, frame: av.VideoFrame) -> Thumbnail:
        small = self._reformatter.reformat(
            frame, width=WIDTH, height=HEIGHT, format="yuv420p", interpolation=Interpolation.AREA
        )
        planes = small.to_ndarray()
        luma = np.array(planes[:HEIGHT], np.uint8)
        blocks = luma.reshape(_BLOCK_ROWS, _BLOCK, _BLOCK_COLUMNS, _BLOCK).mean((1, 3), dtype=np.float32)
        return Thumbnail(luma, np.array(planes[HEIGHT:], np.uint8), blocks)


def difference(a: Thumbnail, b: Thumbnail) -> float:
    """Mean absolute difference of luma plus that of chroma, in code values."""
    return _mean_difference(a.luma, b.luma) + _mean_difference(a.chroma, b.chroma)


def likeness(a: Thumbnail, b: Thumbnail) -> float:
    """Correlation of composition, -1 to 1: unmoved by brightness and contrast, near 0 for unrelated pictures."""
    x, y = a.blocks - a.blocks.mean(), b.blocks - b.blocks.mean()
    contrast = (np.linalg.norm(x) + _FLAT_CONTRAST) * (np.linalg.norm(y) + _FLAT_CONTRAST)
    return float((x * y).sum() / contrast)


def changed_area(a: Thumbnail, b: Thumbnail) -> float:
    """The share of the picture in which something changed."""
    return float((np.abs(a.blocks - b.blocks) > _BLOCK_CHANGED).mean())


def changed_rows(a: Thumbnail, b: Thumbnail) -> float:
    """The share of the picture's height in which something changed."""
    return float((np.abs(a.blocks - b.blocks) > _BLOCK_CHANGED).any(axis=1).mean())


def _mean_difference(a: Plane, b: Plane) -> float:
    return float(np.abs(a.astype(np.int16) - b).mean())

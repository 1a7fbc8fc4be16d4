"""Frames scaled down until only composition and colour are left, and how much two of them differ."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from analysis.planes import Plane, Planes, shrunk

WIDTH = 160
HEIGHT = 90
#: The first scaling, halved again for the thumbnail.
FINE_WIDTH = 2 * WIDTH
FINE_HEIGHT = 2 * HEIGHT
#: Blocks of 5 by 5 pixels in which structure and the spread of a change are judged: noise averages out in them.
_BLOCK = 5
BLOCK_ROWS = HEIGHT // _BLOCK
BLOCK_COLUMNS = WIDTH // _BLOCK
#: Contrast (root of summed squares over the blocks) that keeps flat pictures from being alike or unlike by noise alone.
_FLAT_CONTRAST = 20.0
#: A block has changed when its mean luma moved by more than this.
_BLOCK_CHANGED = 6.0

Blocks = NDArray[np.float32]


@dataclass(frozen=True)
class Thumbnail:
    """Luma; both chroma planes at half size, above each other; the luma's block means; the luma twice as fine."""

    luma: Plane
    chroma: Plane
    blocks: Blocks
    fine: Plane


def thumbnail(planes: Planes) -> Thumbnail:
    """Of luma and both chromas at half the size or smaller, whatever their shape."""
    luma_plane, *chroma_planes = planes
    fine = shrunk(luma_plane, FINE_WIDTH, FINE_HEIGHT)
    luma = shrunk(fine, WIDTH, HEIGHT)
    chroma = np.concatenate([shrunk(plane, WIDTH // 2, HEIGHT // 2) for plane in chroma_planes])
    blocks = cv2.resize(luma, (BLOCK_COLUMNS, BLOCK_ROWS), interpolation=cv2.INTER_AREA)
    return Thumbnail(luma, chroma, np.asarray(blocks, np.float32), fine)


def difference(a: Thumbnail, b: Thumbnail) -> float:
    """Mean absolute difference of luma plus that of chroma, in code values."""
    return _mean_difference(a.luma, b.luma) + _mean_difference(a.chroma, b.chroma)


def likeness(a: Blocks, b: Blocks) -> float:
    """Correlation of composition, -1 to 1: unmoved by brightness and contrast, near 0 for unrelated pictures."""
    x, y = a - a.mean(), b - b.mean()
    contrast = (np.linalg.norm(x) + _FLAT_CONTRAST) * (np.linalg.norm(y) + _FLAT_CONTRAST)
    return float((x * y).sum() / contrast)


def changed(a: Thumbnail, b: Thumbnail) -> NDArray[np.bool_]:
    """The blocks in which something changed, (rows, columns)."""
    return np.asarray(np.abs(a.blocks - b.blocks) > _BLOCK_CHANGED, np.bool_)


def _mean_difference(a: Plane, b: Plane) -> float:
    return float(cv2.norm(a, b, cv2.NORM_L1)) / a.size

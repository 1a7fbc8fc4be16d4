"""Soft-edged shapes as masks: how much of each pixel they cover, 0 to 1."""

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.float32]


def rounded_rectangle(width: int, height: int, radius: float) -> Mask:
    """1 inside a rectangle with round corners, fading over a pixel at its corners."""
    x = np.abs(np.arange(width, dtype=np.float32) + 0.5 - width / 2) - (width / 2 - radius)
    y = np.abs(np.arange(height, dtype=np.float32) + 0.5 - height / 2) - (height / 2 - radius)
    distance = np.hypot(np.maximum(x, 0)[None, :], np.maximum(y, 0)[:, None])
    return np.asarray(np.clip(radius - distance + 0.5, 0, 1), np.float32)


def grown(mask: Mask, radius: float) -> Mask:
    """The mask with a round edge of ``radius`` pixels around what it covers by half and more."""
    distance = cv2.distanceTransform((mask < 0.5).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.clip(radius + 1 - distance, 0, 1), np.float32)


def shadow(mask: Mask, drop: float, blur: float) -> Mask:
    """The mask as it falls ``drop`` pixels below itself, blurred by ``blur`` pixels."""
    rows = round(drop)
    dropped = np.pad(mask, ((rows, 0), (0, 0)))[: mask.shape[0]]
    return np.asarray(cv2.GaussianBlur(dropped, (0, 0), max(0.5, blur)), np.float32)


def halved(mask: Mask) -> Mask:
    """The mask at half its size, as 4:2:0 chroma has it; sides are even."""
    return np.asarray(cv2.resize(mask, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32)

"""Where faces that were found have gone since, by how they looked: much cheaper than to search for them again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from analysis.detectors import Box
from analysis.planes import Plane

#: How far a face may have gone since it was last seen, in shares of its own sides.
REACH = 0.5
#: It is the same place if it looks the same (correlation, 1 is the same) to this degree.
MIN_LIKENESS = 0.7
#: A face of fewer pixels across looks like anything.
MIN_PIXELS = 8


@dataclass(frozen=True)
class _Face:
    """A face where it was found, how it looked there, and where it was last."""

    found: Box
    look: Plane
    box: Box


class Follower:
    """Follows faces from one luma plane to the next, all of one size."""

    def __init__(self) -> None:
        self._faces: list[_Face] = []

    def found(self, plane: Plane, boxes: Sequence[Box]) -> None:
        """From here on these faces are followed."""
        self._faces = [_Face(box, _cut_out(plane, box), box) for box in boxes]

    def follow(self, plane: Plane) -> list[Box] | None:
        """Where the faces are now; ``None`` if any of them is not to be seen where it could be."""
        places = [_place_of(face, plane) for face in self._faces]
        boxes = [place for place in places if place is not None]
        if len(boxes) < len(places):
            return None
        self._faces = [replace(face, box=box) for face, box in zip(self._faces, boxes, strict=True)]
        return boxes


def _place_of(face: _Face, plane: Plane) -> Box | None:
    rows, columns = face.look.shape
    if min(rows, columns) < MIN_PIXELS:
        return None
    left, top = _corner(face.box, plane)
    x0, y0 = max(0, left - round(REACH * columns)), max(0, top - round(REACH * rows))
    x1, y1 = left + columns + round(REACH * columns), top + rows + round(REACH * rows)
    around = plane[y0:y1, x0:x1]
    if around.shape[0] < rows or around.shape[1] < columns:
        return None
    likeness = np.asarray(cv2.matchTemplate(around, face.look, cv2.TM_CCOEFF_NORMED), np.float32)
    _, best, _, (x, y) = cv2.minMaxLoc(likeness)
    if not best >= MIN_LIKENESS:
        return None
    x_found, y_found = _corner(face.found, plane)
    right = (x0 + x + _vertex(likeness[y], x) - x_found) / plane.shape[1]
    down = (y0 + y + _vertex(likeness[:, x], y) - y_found) / plane.shape[0]
    return _moved(face.found, right, down)


def _cut_out(plane: Plane, box: Box) -> Plane:
    height, width = plane.shape
    left, top = _corner(box, plane)
    return plane[top : top + max(1, round(box.height * height)), left : left + max(1, round(box.width * width))].copy()


def _corner(box: Box, plane: Plane) -> tuple[int, int]:
    height, width = plane.shape
    return round(box.left * width), round(box.top * height)


def _vertex(likeness: NDArray[np.float32], best: int) -> float:
    """Where between two pixels the likeness is greatest, by a parabola through the best and its neighbours."""
    if not 0 < best < len(likeness) - 1:
        return 0.0
    before, most, after = (float(value) for value in likeness[best - 1 : best + 2])
    curvature = 2 * most - before - after
    return float(np.clip((after - before) / (2 * curvature), -0.5, 0.5)) if curvature > 0 else 0.0


def _moved(box: Box, right: float, down: float) -> Box:
    left, top = float(np.clip(box.left + right, 0, 1 - box.width)), float(np.clip(box.top + down, 0, 1 - box.height))
    return replace(box, left=left, top=top, eyes_y=float(np.clip(box.eyes_y + top - box.top, 0, 1)))

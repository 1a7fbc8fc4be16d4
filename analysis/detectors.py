"""Face detectors behind one face: a picture in, boxes and eyes out, in fractions of the picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from analysis.models import YUNET, YUNET_DYNAMIC, find_centerface, find_pinned
from analysis.planes import Picture

#: Faces less certain than this are not told (YuNet's authors evaluate at 0.6 and above).
MIN_SCORE = 0.6
_CENTERFACE_MIN_SCORE = 0.5
_OVERLAP = 0.3
_MOST_FACES = 50
_CENTERFACE_STRIDE = 4
_CENTERFACE_MULTIPLE = 32
_CENTERFACE_OUTPUTS = ("537", "538", "539", "540")
#: Smallest picture worth searching: neither network finds a face of fewer pixels.
MIN_SIDE = 32

Values = NDArray[np.float32]


@dataclass(frozen=True)
class Box:
    """A face in fractions of the picture; ``eyes_y`` is the height of the line between the eyes."""

    left: float
    top: float
    width: float
    height: float
    eyes_y: float
    score: float


class Detector(Protocol):
    """Finds faces in an upright BGR picture (rows, columns, 3)."""

    def detect(self, picture: Picture) -> list[Box]: ...


class YuNetDetector:
    """OpenCV's ``FaceDetectorYN``, one for each size of picture, since another size is costly to prepare for."""

    def __init__(self, model: Path) -> None:
        self._model = model
        self._networks: dict[tuple[int, int], cv2.FaceDetectorYN] = {}

    def detect(self, picture: Picture) -> list[Box]:
        height, width = picture.shape[:2]
        found = self._network((width, height)).detect(picture)[1]
        return [box for row in _rows(found) if (box := _clipped(_yunet_corners(row), width, height)) is not None]

    def _network(self, size: tuple[int, int]) -> cv2.FaceDetectorYN:
        if size not in self._networks:
            self._networks[size] = cv2.FaceDetectorYN.create(
                str(self._model), "", size, MIN_SCORE, _OVERLAP, _MOST_FACES
            )
        return self._networks[size]


def _rows(found: object) -> Sequence[Values]:
    """OpenCV answers ``None`` for no face, whatever its declared type says."""
    return () if found is None else list(np.asarray(found, np.float32))


def _yunet_corners(row: NDArray[np.float32]) -> tuple[float, ...]:
    x, y, w, h, _, right_eye, _, left_eye = (float(value) for value in row[:8])
    return x, y, x + w, y + h, (right_eye + left_eye) / 2, float(row[-1])


class CenterFaceDetector:
    """CenterFace run by OpenCV: a heat map of centres, with size, offset and five landmarks at each."""

    def __init__(self, model: Path) -> None:
        self._network = cv2.dnn.readNetFromONNX(str(model))

    def detect(self, picture: Picture) -> list[Box]:
        height, width = picture.shape[:2]
        size = tuple(-(-side // _CENTERFACE_MULTIPLE) * _CENTERFACE_MULTIPLE for side in (width, height))
        self._network.setInput(cv2.dnn.blobFromImage(picture, 1.0, size, (0, 0, 0), swapRB=True))
        planes = [np.asarray(plane, np.float32) for plane in self._network.forward(_CENTERFACE_OUTPUTS)]
        corners = _centerface_corners(*planes)
        boxes = [_clipped(one, size[0], size[1]) for one in corners]
        return _without_overlaps([box for box in boxes if box is not None])


def _centerface_corners(heat: Values, scale: Values, offset: Values, landmarks: Values) -> list[tuple[float, ...]]:
    found: list[tuple[float, ...]] = []
    for row, column in np.argwhere(heat[0, 0] > _CENTERFACE_MIN_SCORE):
        height, width = (float(value) * _CENTERFACE_STRIDE for value in np.exp(scale[0, :, row, column]))
        centre_y = (row + float(offset[0, 0, row, column]) + 0.5) * _CENTERFACE_STRIDE
        centre_x = (column + float(offset[0, 1, row, column]) + 0.5) * _CENTERFACE_STRIDE
        top, left = centre_y - height / 2, centre_x - width / 2
        eyes_y = top + height * float(landmarks[0, 0, row, column] + landmarks[0, 2, row, column]) / 2
        found.append((left, top, left + width, top + height, eyes_y, float(heat[0, 0, row, column])))
    return sorted(found, key=lambda one: -one[-1])[:_MOST_FACES]


def _without_overlaps(boxes: list[Box]) -> list[Box]:
    kept: list[Box] = []
    for box in boxes:
        if all(overlap(box, other) < _OVERLAP for other in kept):
            kept.append(box)
    return kept


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(a.left + a.width, b.left + b.width) - max(a.left, b.left)
    height = min(a.top + a.height, b.top + b.height) - max(a.top, b.top)
    shared = max(0.0, width) * max(0.0, height)
    return shared / max(a.width * a.height + b.width * b.height - shared, 1e-12)


def _clipped(corners: tuple[float, ...], width: int, height: int) -> Box | None:
    """A box in fractions, cut to the picture; ``None`` where nothing of it is inside or a number is none."""
    if not np.isfinite(corners).all():
        return None
    left, right = (float(np.clip(corners[i] / width, 0, 1)) for i in (0, 2))
    top, bottom, eyes_y = (float(np.clip(corners[i] / height, 0, 1)) for i in (1, 3, 4))
    if right <= left or bottom <= top:
        return None
    return Box(left, top, right - left, bottom - top, eyes_y, float(np.clip(corners[5], 0, 1)))


#: The detectors by name, best first, each with how to find its model.
DETECTORS = ("yunet", "centerface")


def available_detector(models: Path) -> str | None:
    """The name of the best detector whose model can be had."""
    return next((name for name in DETECTORS if _model_of(name, models) is not None), None)


def load_detector(name: str, models: Path) -> Detector | None:
    """A detector by name; ``None`` where its model cannot be had."""
    model = _model_of(name, models)
    return None if model is None else _loaded(name, model)


@lru_cache(maxsize=len(DETECTORS))
def _loaded(name: str, model: Path) -> Detector:
    return YuNetDetector(model) if name == "yunet" else CenterFaceDetector(model)


def _model_of(name: str, models: Path) -> Path | None:
    if name == "yunet":
        return find_pinned(YUNET_DYNAMIC, models) or find_pinned(YUNET, models)
    return find_centerface() if name == "centerface" else None

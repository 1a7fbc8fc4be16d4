"""Face detectors behind one face: a picture in, boxes and eyes out, in fractions of the picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from analysis.models import YUNET, YUNET_DYNAMIC, find_centerface, find_pinned
from analysis.planes import Picture

#: Faces less certain than this are not told (YuNet's authors evaluate at 0.6 and above).
MIN_SCORE = 0.6
_CENTERFACE_MIN_SCORE = 0.5
_OVERLAP = 0.3
_MOST_FACES = 50
_YUNET_STRIDES = (8, 16, 32)
#: A side of the input in a model that was written for one size: 640, as a message of an ONNX file.
_YUNET_FIXED_SIDE = b"\x0a\x03\x08\x80\x05"
_ONLY_ERRORS = 3
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

    def detect(self, picture: Picture, at_least: float | None = None) -> list[Box]:
        """Those that it is sure enough of to tell, or to this degree, in order of that."""


class YuNetDetector:
    """YuNet run by ONNX Runtime: the answers of OpenCV's ``FaceDetectorYN`` in a quarter of the time."""

    def __init__(self, model: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # the picture is too small to be worth dividing
        options.log_severity_level = _ONLY_ERRORS  # it warns of every output that is of another size than in the file
        content = _of_any_size(model.read_bytes())
        self._network = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self._input = self._network.get_inputs()[0].name
        self._outputs = [f"{kind}_{stride}" for stride in _YUNET_STRIDES for kind in ("cls", "obj", "bbox", "kps")]

    def detect(self, picture: Picture, at_least: float | None = None) -> list[Box]:
        least = MIN_SCORE if at_least is None else at_least
        height, width = picture.shape[:2]
        rows, columns = (-(-side // _YUNET_STRIDES[-1]) * _YUNET_STRIDES[-1] for side in (height, width))
        padded = np.zeros((1, 3, rows, columns), np.float32)
        padded[0, :, :height, :width] = picture.transpose(2, 0, 1)
        outputs = [np.asarray(one, np.float32)[0] for one in self._network.run(self._outputs, {self._input: padded})]
        found = [
            corners
            for number, stride in enumerate(_YUNET_STRIDES)
            for corners in _yunet_corners(outputs[4 * number : 4 * number + 4], stride, columns // stride, least)
        ]
        boxes = [_clipped(corners, width, height) for corners in sorted(found, key=lambda one: -one[-1])]
        return _without_overlaps([box for box in boxes if box is not None])[:_MOST_FACES]


def _of_any_size(model: bytes) -> bytes:
    """The model with names in place of its input's height and width, where these are given as numbers.

    In an ONNX file a dimension is one field or the other of a message; both take as many bytes here. The network has
    no layer that depends on its size.
    """
    for name in (b"h", b"w"):
        model = model.replace(_YUNET_FIXED_SIDE, b"\x0a\x03\x12\x01" + name, 1)
    return model


def _yunet_corners(level: Sequence[Values], stride: int, columns: int, least: float) -> Iterator[tuple[float, ...]]:
    """What was found at one size of face: left, top, right, bottom, height of the eyes, in pixels, and the score."""
    classes, objects, boxes, landmarks = level
    scores = np.sqrt(np.clip(classes[:, 0], 0, 1) * np.clip(objects[:, 0], 0, 1))
    for index in np.flatnonzero(scores >= least):
        row, column = divmod(int(index), columns)
        right, down, width, height = (float(value) for value in boxes[index])
        x, y = (column + right) * stride, (row + down) * stride
        half_width, half_height = np.exp(width) * stride / 2, np.exp(height) * stride / 2
        eyes_y = (row + float(landmarks[index, 1] + landmarks[index, 3]) / 2) * stride
        yield x - half_width, y - half_height, x + half_width, y + half_height, eyes_y, float(scores[index])


class CenterFaceDetector:
    """CenterFace run by OpenCV: a heat map of centres, with size, offset and five landmarks at each."""

    def __init__(self, model: Path) -> None:
        self._network = cv2.dnn.readNetFromONNX(str(model))

    def detect(self, picture: Picture, at_least: float | None = None) -> list[Box]:
        least = _CENTERFACE_MIN_SCORE if at_least is None else at_least
        height, width = picture.shape[:2]
        size = tuple(-(-side // _CENTERFACE_MULTIPLE) * _CENTERFACE_MULTIPLE for side in (width, height))
        self._network.setInput(cv2.dnn.blobFromImage(picture, 1.0, size, (0, 0, 0), swapRB=True))
        planes = [np.asarray(plane, np.float32) for plane in self._network.forward(_CENTERFACE_OUTPUTS)]
        corners = _centerface_corners(least, *planes)
        boxes = [_clipped(one, size[0], size[1]) for one in corners]
        return _without_overlaps([box for box in boxes if box is not None])


def _centerface_corners(
    least: float, heat: Values, scale: Values, offset: Values, landmarks: Values
) -> list[tuple[float, ...]]:
    found: list[tuple[float, ...]] = []
    for row, column in np.argwhere(heat[0, 0] > least):
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
    if not all(map(isfinite, corners)):
        return None
    left, right = (_share(corners[i] / width) for i in (0, 2))
    top, bottom, eyes_y = (_share(corners[i] / height) for i in (1, 3, 4))
    if right <= left or bottom <= top:
        return None
    return Box(left, top, right - left, bottom - top, eyes_y, _share(corners[5]))


def _share(value: float) -> float:
    return min(max(float(value), 0.0), 1.0)


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

"""A second opinion on what a detector half takes for a face: what is one stays one however it is looked at."""

import cv2
import numpy as np

from analysis.detectors import Box, Detector, overlap
from analysis.planes import Picture

#: Sides that the face is brought to, in pixels, each looked at as it is and mirrored: those of faces that are easily
#: found. What only looks like a face at one place on the detector's grid does so at few of them.
SIDES = (20, 32, 48, 72)
#: Side of the cut-out around it, in pixels.
CUT_OUT = 160
#: However little it is taken for one, a face is the same if it overlaps what is in doubt by this much.
LEAST_SCORE = 0.2
SAME_PLACE = 0.4


def agreement(detector: Detector, picture: Picture, face: Box) -> float:
    """How sure the detector is of a face in a picture on average over several ways to look at it, 0 to 1."""
    looks = [look for side in SIDES for look in _looks(detector, picture, face, side)]
    return sum(looks) / len(looks)


def _looks(detector: Detector, picture: Picture, face: Box, side: int) -> tuple[float, float]:
    rows, columns = picture.shape[:2]
    width, height = face.width * columns, face.height * rows
    scale = side / max(1.0, float(np.sqrt(width * height)))
    centre = np.array([face.left * columns + width / 2, face.top * rows + height / 2])
    moved = np.column_stack((scale * np.eye(2), CUT_OUT / 2 - scale * centre))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    cut_out = np.asarray(cv2.warpAffine(picture, moved, (CUT_OUT, CUT_OUT), flags=interpolation), np.uint8)
    width, height = width * scale / CUT_OUT, height * scale / CUT_OUT
    expected = Box(0.5 - width / 2, 0.5 - height / 2, width, height, eyes_y=0.5, score=1.0)
    return (
        _score(detector, cut_out, expected),
        _score(detector, np.ascontiguousarray(cut_out[:, ::-1]), expected),
    )


def _score(detector: Detector, picture: Picture, face: Box) -> float:
    found = detector.detect(picture, at_least=LEAST_SCORE)
    return max((one.score for one in found if overlap(one, face) >= SAME_PLACE), default=0.0)

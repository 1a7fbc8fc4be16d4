"""Whether one picture is the other, only nearer or further: a punch-in, not another shot."""

import cv2
import numpy as np
from numpy.typing import NDArray

#: Changes of size that are looked for; smaller ones are no punch-in (EDITING: at least 10 % to be visible).
FACTORS = (1.08, 1.12, 1.16, 1.2, 1.25, 1.3, 1.35, 1.4, 1.5, 1.6, 1.75, 2.0)
#: How well the nearer picture must match a part of the further one (correlation, 1 is the same), and by how much better
#: than the whole pictures match each other.
MIN_MATCH = 0.9
MIN_GAIN = 0.08
#: What does not match this well at half the size, which takes a fifth of the time, is not looked at any closer.
MIN_ROUGH_MATCH = 0.75

#: Spread of luma, in code values, below which a picture holds nothing to match.
FLAT = 4.0

Plane = NDArray[np.uint8]


def is_zoom(before: Plane, after: Plane) -> bool:
    """Whether ``after`` is a part of ``before`` enlarged, or the other way round; luma planes of the same size."""
    if min(before.std(), after.std()) < FLAT:
        return False
    before, after = _halved(before), _halved(after)
    if not _is_zoomed(_halved(before), _halved(after), MIN_ROUGH_MATCH):
        return False
    return _is_zoomed(before, after, max(MIN_MATCH, _match(before, after) + MIN_GAIN))


def _is_zoomed(before: Plane, after: Plane, wanted: float) -> bool:
    return any(
        max(_zoomed_match(before, after, factor), _zoomed_match(after, before, factor)) >= wanted for factor in FACTORS
    )


def _halved(picture: Plane) -> Plane:
    height, width = picture.shape
    return np.asarray(cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8)


def _zoomed_match(further: Plane, nearer: Plane, factor: float) -> float:
    height, width = nearer.shape
    size = round(width / factor), round(height / factor)
    return _match(further, np.asarray(cv2.resize(nearer, size, interpolation=cv2.INTER_AREA), np.uint8))


def _match(picture: Plane, part: Plane) -> float:
    """The best normalised correlation of a part anywhere in a picture; 0 where either is flat."""
    best = float(cv2.matchTemplate(picture, part, cv2.TM_CCOEFF_NORMED).max())
    return best if np.isfinite(best) else 0.0

"""How the whole picture moves from frame to frame, from the sums of its rows and columns.

A camera that moves shifts these sums as it shifts the picture; comparing two short lines is much cheaper than comparing
two pictures, and what moves within the picture changes the sums only a little (integral projections, as in electronic
image stabilisation: Ratakonda 1998, "Real-time digital video stabilization for multi-media applications").
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

#: Furthest shift that is looked for from one frame to the next, in pixels of the picture that is compared: a pan over
#: the whole of it within a second, at twelve frames a second.
REACH = 14
#: A shift is believed if it explains the difference of the sums this much better than no shift does.
MIN_EXPLAINED = 0.25
#: Root mean square difference of the sums, in code values, that is noise.
NOISE = 0.2

Line = NDArray[np.float32]


@dataclass(frozen=True)
class Projections:
    """The mean of every column and of every row of a picture's luma, against that of them all."""

    columns: Line
    rows: Line


def project(luma: NDArray[np.uint8]) -> Projections:
    columns = cv2.reduce(luma, 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F)
    rows = cv2.reduce(luma, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F)
    return Projections(_against_mean(columns), _against_mean(rows))


def _against_mean(sums: cv2.typing.MatLike) -> Line:
    line = np.asarray(sums, np.float32).ravel()
    return np.asarray(line - line.mean(), np.float32)


def movement(before: Projections, after: Projections) -> tuple[float, float]:
    """How far the content moved, to the right in widths and down in heights; nothing where no shift explains it."""
    return _shift(before.columns, after.columns), _shift(before.rows, after.rows)


def _shift(before: Line, after: Line) -> float:
    if len(before) <= 4 * REACH:
        return 0.0
    inner = after[None, REACH:-REACH]
    squares = cv2.matchTemplate(before[None], inner, cv2.TM_SQDIFF)
    costs = np.sqrt(np.maximum(np.asarray(squares, np.float32).ravel(), 0) / inner.size)
    unmoved, best = float(costs[REACH]), int(costs.argmin())
    if unmoved < NOISE or float(costs[best]) > (1 - MIN_EXPLAINED) * unmoved or best in {0, 2 * REACH}:
        return 0.0
    return (REACH - best - _vertex(costs, best)) / len(before)


def _vertex(costs: Line, best: int) -> float:
    """Where between two shifts the least cost lies, by a parabola through it and its neighbours."""
    before, least, after = (float(cost) for cost in costs[best - 1 : best + 2])
    curvature = before - 2 * least + after
    return float(np.clip((before - after) / (2 * curvature), -0.5, 0.5)) if curvature > 0 else 0.0

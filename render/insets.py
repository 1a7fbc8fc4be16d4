"""A picture in a picture: laid over a part of the canvas with round corners and a soft shadow."""

from dataclasses import dataclass

import cv2
import numpy as np
from av import VideoFrame

from render.planes import Plane, planes
from render.shapes import Mask, halved, rounded_rectangle, shadow
from schemas.edl import Canvas, Place

#: Shares of the inset's shorter side: its corners, and how far its shadow falls and spreads.
_CORNER, _DROP, _BLUR = 0.045, 0.02, 0.04
_SHADOW_OPACITY = 0.5
#: How many times its blur a shadow reaches.
_REACH = 3

#: Limited-range black: luma and chroma (BT.709-6 table 4).
_BLACK = (16, 128, 128)


@dataclass(frozen=True)
class _Weights:
    """The part of a plane that changes, its step in canvas pixels, and what is kept and added, in 255ths."""

    step: int
    rows: slice
    columns: slice
    kept: Plane
    added: Plane
    shown: Plane


class Inset:
    """The masks of one place on the canvas; small places and canvas edges cut the shadow short."""

    def __init__(self, place: Place, canvas: Canvas) -> None:
        self._place = place
        shorter = min(place.width, place.height)
        reach = 2 * round(shorter * (_REACH * _BLUR + _DROP) / 2)
        self._left, self._top = min(reach, place.x), min(reach, place.y)
        right = min(reach, canvas.width - place.x - place.width)
        bottom = min(reach, canvas.height - place.y - place.height)
        shape = rounded_rectangle(place.width, place.height, max(1.0, _CORNER * shorter))
        self._shape: Mask = np.pad(shape, ((self._top, bottom), (self._left, right)))
        self._shadow = _SHADOW_OPACITY * shadow(self._shape, _DROP * shorter, _BLUR * shorter)
        self._weights: tuple[float, tuple[_Weights, ...]] = (1.0, self._weighed(1.0))

    def lay(self, picture: VideoFrame, canvas: VideoFrame, level: float) -> None:
        """Show ``level`` of a picture of the place's size on a canvas that may be written to; both are yuv420p."""
        if self._weights[0] != level:
            self._weights = (level, self._weighed(level))
        for source, target, weights in zip(planes(picture), planes(canvas), self._weights[1], strict=True):
            part = target[weights.rows, weights.columns]
            whole = np.zeros_like(part)
            top, left = self._top // weights.step, self._left // weights.step
            whole[top : top + source.shape[0], left : left + source.shape[1]] = source
            shown = cv2.multiply(whole, weights.shown, scale=1 / 255)
            kept = cv2.multiply(part, weights.kept, scale=1 / 255)
            part[...] = cv2.add(cv2.add(kept, shown), weights.added)

    def _weighed(self, level: float) -> tuple[_Weights, ...]:
        place, rows, columns = self._place, *self._shape.shape
        shown = level * self._shape
        dark = level * self._shadow * (1 - self._shape)
        found: list[_Weights] = []
        for number, black in enumerate(_BLACK):
            inset, shade, step = (halved(shown), halved(dark), 2) if number else (shown, dark, 1)
            top, left = (place.y - self._top) // step, (place.x - self._left) // step
            found.append(
                _Weights(
                    step=step,
                    rows=slice(top, top + rows // step),
                    columns=slice(left, left + columns // step),
                    kept=np.rint(255 * (1 - inset - shade)).astype(np.uint8),
                    added=np.rint(black * shade).astype(np.uint8),
                    shown=np.rint(255 * inset).astype(np.uint8),
                )
            )
        return tuple(found)

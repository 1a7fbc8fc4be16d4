"""How a stored picture is turned and mirrored to be looked at, from the container's display matrix."""

import struct
from dataclasses import dataclass
from typing import Literal, cast

import av
import numpy as np
from av.sidedata.sidedata import SideDataContainer, Type
from numpy.typing import NDArray

Quarter = Literal[0, 90, 180, 270]

#: Sine and cosine of each quarter turn.
_QUARTERS: dict[Quarter, tuple[int, int]] = {0: (0, 1), 90: (1, 0), 180: (0, -1), 270: (-1, 0)}
_MATRIX_BYTES = 36


@dataclass(frozen=True)
class Orientation:
    """Turn clockwise by ``rotation`` degrees, then flip left to right if ``mirrored``."""

    rotation: Quarter = 0
    mirrored: bool = False

    @property
    def swaps_sides(self) -> bool:
        return self.rotation in {90, 270}

    def apply(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A picture (rows, columns, …) as a viewer sees it."""
        turned = np.rot90(picture, k=-self.rotation // 90)
        return np.ascontiguousarray(turned[:, ::-1] if self.mirrored else turned)


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """What the display matrix that travels with a decoded frame asks for; upright where there is none."""
    side_data = cast("SideDataContainer", frame.side_data)  # declared as what it holds
    try:
        content = bytes(side_data[Type.DISPLAYMATRIX])
    except KeyError:
        return Orientation()
    if len(content) < _MATRIX_BYTES:
        return Orientation()
    return orientation_of_matrix(struct.unpack("=9i", content[:_MATRIX_BYTES]))


def orientation_of_matrix(matrix: tuple[int, ...]) -> Orientation:
    """The nearest quarter turn and mirroring of a 3 by 3 display matrix (ISO/IEC 14496-12, 16.16 fixed point).

    A stored point (x, y), y down, is shown at (a x + c y, b x + d y).
    """
    a, b, _, c, d = matrix[:5]
    mirrored = a * d - b * c < 0
    if mirrored:
        a, c = -a, -c

    def likeness(quarter: Quarter) -> int:
        sine, cosine = _QUARTERS[quarter]
        return (a + d) * cosine + (b - c) * sine

    return Orientation(rotation=max(_QUARTERS, key=likeness), mirrored=mirrored)

"""Turning a stored picture upright by the display matrix its file carries."""

from struct import unpack

from av import VideoFrame
from av.sidedata.sidedata import SideData

from render.chain import Step

_MATRIX_BYTES = 36

#: A vertical flip only turns strides negative; the copy makes rows run downwards in memory again.
_FLIPPED: tuple[Step, ...] = (("vflip", {}), ("copy", {}))

#: Sign pattern (a, b, c, d) of the matrix that maps stored (x, y) to shown (ax + cy, bx + dy), as in ISO/IEC 14496-12
#: 6.2.2, and the filters that do the same to the pixels.
_TURNS: dict[tuple[int, int, int, int], tuple[Step, ...]] = {
    (1, 0, 0, 1): (),
    (-1, 0, 0, 1): (("hflip", {}),),
    (1, 0, 0, -1): _FLIPPED,
    (-1, 0, 0, -1): (("hflip", {}), *_FLIPPED),
    (0, 1, -1, 0): (("transpose", {"dir": "clock"}),),
    (0, -1, 1, 0): (("transpose", {"dir": "cclock"}),),
    (0, 1, 1, 0): (("transpose", {"dir": "cclock_flip"}),),
    (0, -1, -1, 0): (("transpose", {"dir": "clock_flip"}),),
}


def orientation_key(frame: VideoFrame) -> tuple[int, int, int, int]:
    """The frame's turn as a sign pattern: the right angle, mirrored or not, that is nearest to its display matrix."""
    upright = (1, 0, 0, 1)
    data = frame.side_data.get("DISPLAYMATRIX")
    if not isinstance(data, SideData) or data.buffer_size < _MATRIX_BYTES:
        return upright
    a, b, _, c, d = unpack("=9i", bytes(data)[:_MATRIX_BYTES])[:5]
    return max(_TURNS, key=lambda turn: turn[0] * a + turn[1] * b + turn[2] * c + turn[3] * d)


def upright_steps(key: tuple[int, int, int, int]) -> tuple[Step, ...]:
    return _TURNS[key]


def upright_size(key: tuple[int, int, int, int], width: int, height: int) -> tuple[int, int]:
    return (width, height) if key[0] else (height, width)

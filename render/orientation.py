"""Turning a stored picture upright by the display matrix its file carries."""

from struct import unpack
from typing import TypeAlias

from av import VideoFrame
from av.sidedata.sidedata import SideData

from render.chain import Step

#: Sign pattern (a, b, c, d) of the matrix that maps stored (x, y) to shown (ax + cy, bx + dy), y down, as in
#: ISO/IEC 14496-12 6.2.2.
Turn: TypeAlias = tuple[int, int, int, int]

UPRIGHT: Turn = (1, 0, 0, 1)
_MATRIX_BYTES = 36

#: A vertical flip only turns strides negative; the copy makes rows run downwards in memory again.
_FLIPPED: tuple[Step, ...] = (("vflip", {}), ("copy", {}))

#: The filters that do to the pixels what a turn says.
_TURNS: dict[Turn, tuple[Step, ...]] = {
    (1, 0, 0, 1): (),
    (-1, 0, 0, 1): (("hflip", {}),),
    (1, 0, 0, -1): _FLIPPED,
    (-1, 0, 0, -1): (("hflip", {}), *_FLIPPED),
    (0, 1, -1, 0): (("transpose", {"dir": "clock"}),),
    (0, -1, 1, 0): (("transpose", {"dir": "cclock"}),),
    (0, 1, 1, 0): (("transpose", {"dir": "cclock_flip"}),),
    (0, -1, -1, 0): (("transpose", {"dir": "clock_flip"}),),
}


def turn_of(frame: VideoFrame) -> Turn:
    """The right angle, mirrored or not, that is nearest to the frame's display matrix.

    Ask once for a stream: a frame whose side data was looked at lives in a reference cycle, with all its pixels, until
    the garbage collector comes by.
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if not isinstance(data, SideData) or data.buffer_size < _MATRIX_BYTES:
        return UPRIGHT
    a, b, _, c, d = unpack("=9i", bytes(data)[:_MATRIX_BYTES])[:5]
    return max(_TURNS, key=lambda turn: _likeness(turn, (a, b, c, d)))


def _likeness(turn: Turn, matrix: tuple[int, ...]) -> int:
    return sum(sign * value for sign, value in zip(turn, matrix, strict=True))


def upright_steps(turn: Turn) -> tuple[Step, ...]:
    return _TURNS[turn]


def upright_size(turn: Turn, width: int, height: int) -> tuple[int, int]:
    return (width, height) if turn[0] else (height, width)

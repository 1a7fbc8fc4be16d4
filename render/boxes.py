"""The top-level boxes of an MP4 file (ISO/IEC 14496-12 4.2), and whether an edit list hides in them."""

from pathlib import Path
from struct import unpack
from typing import BinaryIO

_CONTAINERS = frozenset({b"moov", b"trak", b"edts"})


def box_order(path: Path) -> list[str]:
    """Types of the top-level boxes in file order."""
    with path.open("rb") as file:
        return [kind.decode("latin-1") for kind, _, _ in _boxes(file, 0, path.stat().st_size)]


def has_edit_list(path: Path) -> bool:
    """Whether any track has an ``elst`` box."""
    with path.open("rb") as file:
        return _contains(file, 0, path.stat().st_size, b"elst")


def _contains(file: BinaryIO, start: int, end: int, wanted: bytes) -> bool:
    return any(
        kind == wanted or (kind in _CONTAINERS and _contains(file, body, stop, wanted))
        for kind, body, stop in _boxes(file, start, end)
    )


def _boxes(file: BinaryIO, start: int, end: int) -> list[tuple[bytes, int, int]]:
    """Type, start of content and end of each box in ``[start, end)``; stops at the first that makes no sense."""
    found: list[tuple[bytes, int, int]] = []
    while start + 8 <= end:
        file.seek(start)
        size, kind = unpack(">I4s", file.read(8))
        header = 8
        if size == 1:
            (size,) = unpack(">Q", file.read(8))
            header = 16
        stop = end if size == 0 else start + size
        if stop > end or stop < start + header:
            break
        found.append((kind, start + header, stop))
        start = stop
    return found

"""The Range header of RFC 9110, section 14, as far as a player or a resumed download uses it: one range of bytes."""

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.IGNORECASE)


class UnsatisfiableRange(Exception):
    """No byte of the range exists; the answer is 416."""


@dataclass(frozen=True)
class ByteRange:
    """Bytes ``[start, start + length)`` of an object of ``total`` bytes."""

    start: int
    length: int
    total: int

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.total}"


def parse_range(header: str | None, total: int) -> ByteRange | None:
    """The range asked for, or ``None`` where the whole is to be sent.

    What is malformed, in other units or asks for several ranges is ignored, as section 14.2 allows.

    Raises:
        UnsatisfiableRange: It lies outside the object.
    """
    match = _ONE_RANGE.fullmatch(header.strip()) if header is not None else None
    if match is None or match.group(1) == match.group(2) == "":
        return None
    first, last = match.groups()
    if first == "":
        start, end = max(0, total - int(last)), total
    else:
        start, end = int(first), min(int(last) + 1, total) if last else total
        if last and int(last) < start:
            return None
    if start >= end:
        raise UnsatisfiableRange
    return ByteRange(start, end - start, total)

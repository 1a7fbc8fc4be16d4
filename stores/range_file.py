"""A remote object as a seekable file: read in blocks as they are needed, and a little ahead of whoever reads on."""

import io
import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

#: The least that is fetched, and the unit in which what was fetched is kept.
BLOCK_BYTES = 256 << 10
#: Blocks kept: a demuxer's index and a few places it goes back and forth between.
KEPT_BLOCKS = 64
#: The most blocks fetched at once by one who reads straight on.
MOST_AHEAD = 16


class FetchRange(Protocol):
    """Fetches exactly the bytes from ``start`` on, ``length`` of them, or raises."""

    def __call__(self, start: int, length: int) -> bytes: ...


class RangeFile(io.RawIOBase):
    """At most ``(KEPT_BLOCKS + MOST_AHEAD) * BLOCK_BYTES`` bytes in memory (20 MiB), whatever the object's size.

    Each fetch that goes on where the last one ended is twice as long; a jump begins small again. Not for several
    threads at once.
    """

    def __init__(self, size_bytes: int, fetch: FetchRange, close: Callable[[], None]) -> None:
        super().__init__()
        self._size = size_bytes
        self._fetch = fetch
        self._on_close = close
        self._position = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._next_block = 0
        self._ahead = 1

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origins = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}
        position = origins[whence] + offset
        if position < 0:
            raise ValueError(f"there is no position {position}")
        self._position = position
        return position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed's name for it is private
        if self._position >= self._size or not buffer:
            return 0
        number, skipped = divmod(self._position, BLOCK_BYTES)
        found = memoryview(self._block(number))[skipped : skipped + len(buffer)]
        buffer[: len(found)] = found
        self._position += len(found)
        return len(found)

    def close(self) -> None:
        if not self.closed:
            self._blocks.clear()
            self._on_close()
        super().close()

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            self._fill(number)
        self._blocks.move_to_end(number)
        return self._blocks[number]

    def _fill(self, number: int) -> None:
        self._ahead = min(self._ahead * 2, MOST_AHEAD) if number == self._next_block and number else 1
        start = number * BLOCK_BYTES
        data = self._fetch(start, min(self._ahead * BLOCK_BYTES, self._size - start))
        for at in range(0, len(data), BLOCK_BYTES):
            self._blocks[number + at // BLOCK_BYTES] = data[at : at + BLOCK_BYTES]
        self._next_block = number + -(-len(data) // BLOCK_BYTES)
        while len(self._blocks) > KEPT_BLOCKS:
            self._blocks.popitem(last=False)

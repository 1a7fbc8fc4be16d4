"""A file that lies elsewhere, as FFmpeg reads it: any part of it is asked for over a descriptor (``RangedFile``)."""

import errno
import os
from functools import cache
from threading import Lock

from schemas.rendering import RANGE_ANSWER, RANGE_MOST_BYTES, RANGE_REQUEST, RangedFile

#: Bytes asked for at once: few enough that a jump to another place wastes little.
READ_BYTES = 128 << 10


class RangeReader:
    """One reader's place in a ranged file, with the methods of a file object that FFmpeg needs."""

    def __init__(self, file: RangedFile) -> None:
        self._size = file.size_bytes
        self._channel = _channel(file.descriptor)
        self._position = 0

    def read(self, count: int) -> bytes:
        """The next ``count`` bytes, or fewer; none at the end.

        Raises:
            OSError: They could not be read where they lie.
        """
        wanted = min(count, self._size - self._position, RANGE_MOST_BYTES)
        if wanted <= 0:
            return b""
        data = self._channel.fetch(self._position, wanted)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origins = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}
        position = origins[whence] + offset
        if position < 0:
            raise OSError(errno.EINVAL, f"there is no position {position}")
        self._position = position
        return position

    def tell(self) -> int:
        return self._position


class _Channel:
    """One descriptor, on which all readers of a file take turns; each question is followed by its answer."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._turn = Lock()

    def fetch(self, position: int, wanted: int) -> bytes:
        with self._turn:
            os.write(self._descriptor, RANGE_REQUEST.pack(position, wanted))
            (length,) = RANGE_ANSWER.unpack(self._exactly(RANGE_ANSWER.size))
            if length < 0:
                raise OSError(errno.EIO, "a part of the file could not be read where it lies")
            return self._exactly(length)

    def _exactly(self, wanted: int) -> bytes:
        data = bytearray()
        while len(data) < wanted:
            piece = os.read(self._descriptor, wanted - len(data))
            if not piece:
                raise OSError(errno.EIO, "nobody reads the file for us any more")
            data += piece
        return bytes(data)


@cache
def _channel(descriptor: int) -> _Channel:
    return _Channel(descriptor)

"""Reading stored objects for a child that reaches no network: it asks for ranges over a socket and is given them.

The child's requests are as little trusted as the media that it decodes: it can ask for nothing but bytes of the one
object behind its socket, and only so many at once.
"""

import asyncio
import os
import socket
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO

from activities.patience import patiently
from schemas.errors import CinemaError, ErrorCode, TransientError
from schemas.rendering import RANGE_ANSWER, RANGE_MOST_BYTES, RANGE_REQUEST, RangedFile

#: Places in one object that are read on from at the same time: a picture's, an overlay's, a sound's, and what is next.
MOST_READERS = 6

#: What was read is kept up to here: picture and sound are opened one after the other, each beginning with the index.
KEPT_BYTES = 32 << 20


@dataclass
class RangedObject:
    """One stored object, opened as often as the child has readers for it; ``open_object`` may block."""

    open_object: Callable[[], BinaryIO]
    size_bytes: int
    _readers: "OrderedDict[int, BinaryIO]" = field(default_factory=OrderedDict)
    _kept: "OrderedDict[tuple[int, int], bytes]" = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        self._ours, self.theirs = socket.socketpair()
        self._ours.settimeout(0)

    def file(self) -> RangedFile:
        """What the child is told of it; ``theirs`` is to be handed to it under its own number."""
        return RangedFile(descriptor=self.theirs.fileno(), size_bytes=self.size_bytes)

    async def serve(self) -> None:
        """Answer until the child is gone.

        Raises:
            CinemaError: The object could not be read; the child is told no more than that.
        """
        while (request := await self._received(RANGE_REQUEST.size)) is not None:
            try:
                data = await self._found_or_read(*RANGE_REQUEST.unpack(request))
            except CinemaError:
                await self._answer(RANGE_ANSWER.pack(-1))
                raise
            await self._answer(RANGE_ANSWER.pack(len(data)) + data)

    async def close(self) -> None:
        """Let go of the socket and of what was opened; the child's end too, should it not have been handed over."""
        self._ours.close()
        self.theirs.close()
        for file in self._readers.values():
            await asyncio.to_thread(file.close)
        self._readers.clear()

    async def _found_or_read(self, reader: int, start: int, length: int) -> bytes:
        data = self._kept.pop((start, length), None)
        if data is None:
            data = await patiently(partial(asyncio.to_thread, self._read, reader, start, length))
        self._kept[start, length] = data
        while sum(map(len, self._kept.values())) > KEPT_BYTES:
            self._kept.popitem(last=False)
        return data

    def _read(self, reader: int, start: int, length: int) -> bytes:
        """In a thread."""
        if not 0 < length <= RANGE_MOST_BYTES or start + length > self.size_bytes:
            raise TransientError(ErrorCode.PROCESS_CRASHED, "The process working on this file asked for nonsense.")
        if reader not in self._readers:
            while len(self._readers) >= MOST_READERS:
                self._readers.popitem(last=False)[1].close()
            self._readers[reader] = self._opened()
        self._readers.move_to_end(reader)
        file = self._readers[reader]
        try:
            file.seek(start)
            data = file.read(length)
        except BaseException:
            # What broke is opened anew, should it be asked for again.
            self._readers.pop(reader).close()
            raise
        if len(data) != length:
            raise TransientError.store("The object store gave less of a file than it has.")
        return data

    def _opened(self) -> BinaryIO:
        """The object, still the one that it was when the edit was made, as far as its size says."""
        file = self.open_object()
        if file.seek(0, os.SEEK_END) != self.size_bytes:
            file.close()
            raise CinemaError(ErrorCode.OBJECT_CORRUPT, "A stored file is no longer the one that was uploaded.")
        return file

    async def _received(self, length: int) -> bytes | None:
        """Exactly so many bytes, or ``None`` once the child is gone."""
        data = b""
        while len(data) < length:
            try:
                piece = await asyncio.get_running_loop().sock_recv(self._ours, length - len(data))
            except ConnectionResetError:
                return None
            if not piece:
                return None
            data += piece
        return data

    async def _answer(self, data: bytes) -> None:
        try:
            await asyncio.get_running_loop().sock_sendall(self._ours, data)
        except (BrokenPipeError, ConnectionResetError):
            # It ended in the midst of asking; that is told by its exit status.
            return

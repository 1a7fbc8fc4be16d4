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

#: Places in one object that are read on from at the same time: its index, and a few stretches that are shown.
MOST_PLACES = 6
#: Within so many bytes of where one place stands another reader follows it, and is given what was read ahead for it.
NEAR_BYTES = 8 << 20

#: What was read is kept up to here: picture and sound are read by several readers, and each begins with the index.
KEPT_BYTES = 32 << 20


@dataclass(eq=False)
class _Place:
    """The object opened once more, and up to which byte it has been read there."""

    file: BinaryIO
    reached: int


@dataclass
class RangedObject:
    """One stored object, opened for each place in it that is read on from; ``open_object`` may block.

    Picture and sound are read side by side, each by a reader of its own: the index, and then one stretch after another.
    """

    open_object: Callable[[], BinaryIO]
    size_bytes: int
    _places: "list[_Place]" = field(default_factory=list)
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
        for place in self._places:
            await asyncio.to_thread(place.file.close)
        self._places.clear()

    async def _found_or_read(self, start: int, length: int) -> bytes:
        data = self._kept.pop((start, length), None)
        if data is None:
            data = await patiently(partial(asyncio.to_thread, self._read, start, length))
        self._kept[start, length] = data
        while sum(map(len, self._kept.values())) > KEPT_BYTES:
            self._kept.popitem(last=False)
        return data

    def _read(self, start: int, length: int) -> bytes:
        """In a thread."""
        if not 0 < length <= RANGE_MOST_BYTES or start + length > self.size_bytes:
            raise TransientError(ErrorCode.PROCESS_CRASHED, "The process working on this file asked for nonsense.")
        place = self._place_near(start)
        try:
            place.file.seek(start)
            data = place.file.read(length)
        except BaseException:
            # What broke is opened anew, should it be asked for again.
            self._places.remove(place)
            place.file.close()
            raise
        if len(data) != length:
            raise TransientError.store("The object store gave less of a file than it has.")
        place.reached = max(place.reached, start + length)
        return data

    def _place_near(self, start: int) -> "_Place":
        """The place from which ``start`` is read on, the one used last at the end of the list; a new one if need be."""
        near = [place for place in self._places if abs(place.reached - start) <= NEAR_BYTES]
        if near:
            place = min(near, key=lambda each: abs(each.reached - start))
            self._places.remove(place)
        else:
            while len(self._places) >= MOST_PLACES:
                self._places.pop(0).file.close()
            place = _Place(self._opened(), start)
        self._places.append(place)
        return place

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

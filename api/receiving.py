"""The body of a request into a partial file: what has arrived counts, wherever the connection breaks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, Final

from starlette.requests import ClientDisconnect

from api.tus import Checksum
from schemas.errors import CinemaError, ErrorCode
from stores.durable_files import disk_errors
from stores.partial_files import PartialFile
from stores.threads import ended, in_thread, over, started

#: Bytes that are handed to a thread at once.
PIECE: Final = 1 << 20
#: Bytes after which what has arrived is made durable and counted. What is sent again after a kill is little more.
CHECKPOINT: Final = 16 << 20
#: Seconds without a byte after which a connection counts as broken, and lets go of the upload.
SILENCE_S: Final = 60.0
#: Seconds within which it is noted that bytes came: a timer for each of them would cost a tenth of receiving.
MOMENT_S: Final = 1.0

OnDurable = Callable[[int], Awaitable[None]]


class ChecksumMismatch(CinemaError):
    """The bytes of this request are not those that its client meant to send; none of them count."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.OBJECT_CORRUPT, "The bytes that arrived do not have the checksum that you gave.")


class TooMuch(CinemaError):
    """More bytes came than the file was announced to have."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.MEDIA_TOO_LARGE, "There are more bytes than the upload was announced to have.")


class Reception:
    """Takes one request's bytes to the end of ``file``, which is to be ``length`` bytes in the end.

    ``on_durable`` is told how many bytes of the file are stored for good, now and then and at the end. The next bytes
    are received while those before are written and hashed in one thread, and made durable in another.
    """

    def __init__(self, file: PartialFile, length: int, checksum: Checksum | None, on_durable: OnDurable) -> None:
        self._file = file
        self._room = length - file.size_bytes
        self._checksum = checksum
        self._hash: Any = None if checksum is None else checksum.hash()
        self._on_durable = on_durable
        self._counted = file.size_bytes
        self._piece_bytes = min(PIECE, max(1, self._room))
        #: One is filled while the other one is written; a short body needs but one.
        self._filling, self._other = bytearray(), bytearray()
        self._filled = 0
        self._writing: asyncio.Future[None] | None = None
        self._sealing: asyncio.Task[None] | None = None
        self._sealed = file.size_bytes

    async def take(self, body: AsyncIterator[bytes]) -> bool:
        """Takes all of it, or as much as comes; returns whether that was all.

        Raises:
            ChecksumMismatch: nothing of it counts.
            TooMuch: nothing of it counts that was not counted before.
        """
        try:
            whole = await self._gather(body)
            if self._checksum is not None and not (whole and self._checksum.matches(self._hash.digest())):
                await self._back()
                if whole:
                    raise ChecksumMismatch
                return False
            await self._seal_all()
            return whole
        finally:
            await self._still()

    async def _gather(self, body: AsyncIterator[bytes]) -> bool:
        whole = True
        clock = asyncio.get_running_loop().time
        heard_at = clock()
        try:
            async with asyncio.timeout(SILENCE_S) as silence:
                async for chunk in body:
                    self._room -= len(chunk)
                    if self._room < 0:
                        await self._back()
                        raise TooMuch
                    await self._add(memoryview(chunk))
                    if clock() - heard_at > MOMENT_S:
                        heard_at = clock()
                        silence.reschedule(heard_at + SILENCE_S)
        except (ClientDisconnect, TimeoutError):
            whole = False
        await self._write_on()
        await self._written()
        return whole

    async def _add(self, chunk: memoryview) -> None:
        while chunk:
            if not self._filling:
                self._filling = bytearray(self._piece_bytes)
            fitting = chunk[: self._piece_bytes - self._filled]
            self._filling[self._filled : self._filled + len(fitting)] = fitting
            self._filled += len(fitting)
            chunk = chunk[len(fitting) :]
            if self._filled == self._piece_bytes:
                await self._write_on()

    async def _write_on(self) -> None:
        """Begins to write what has come, once what came before is written."""
        await self._written()
        if self._checksum is None and self._file.size_bytes - self._sealed >= CHECKPOINT:
            await self._seal_on()
        self._writing = started(partial(self._append, memoryview(self._filling)[: self._filled]))
        self._filling, self._other, self._filled = self._other, self._filling, 0

    async def _written(self) -> None:
        if self._writing is not None:
            with disk_errors():
                await ended(self._writing)

    def _append(self, piece: memoryview) -> None:
        self._file.append(piece)
        if self._hash is not None:
            self._hash.update(piece)

    async def _seal_on(self) -> None:
        """Begins to make durable what is written, once what was written before is."""
        if self._sealing is not None:
            await ended(self._sealing)
        self._sealed = self._file.size_bytes
        self._sealing = asyncio.create_task(self._seal())

    async def _seal_all(self) -> None:
        if self._sealing is not None:  # A disk says of one write only once that it has failed.
            await ended(self._sealing)
        if self._file.size_bytes > self._counted:
            await self._seal()

    async def _seal(self) -> None:
        with disk_errors():
            durable = await in_thread(self._file.seal)
        await self._on_durable(durable)
        self._counted = durable

    async def _back(self) -> None:
        await self._still()
        with disk_errors():
            await in_thread(partial(self._file.cut, self._counted))

    async def _still(self) -> None:
        """Nobody is at the file any more."""
        for going_on in (self._writing, self._sealing):
            if going_on is not None:
                await over(going_on)

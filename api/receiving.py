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
from stores.threads import in_thread

#: Bytes written per change of threads.
PIECE: Final = 1 << 20
#: Bytes after which what has arrived is made durable and counted: the most that is sent again after a kill.
CHECKPOINT: Final = 64 << 20
#: Seconds without a byte after which a connection counts as broken, and lets go of the upload.
SILENCE_S: Final = 60.0

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

    ``on_durable`` is told how many bytes of the file are stored for good, now and then and at the end.
    """

    def __init__(self, file: PartialFile, length: int, checksum: Checksum | None, on_durable: OnDurable) -> None:
        self._file = file
        self._length = length
        self._checksum = checksum
        self._hash: Any = None if checksum is None else checksum.hash()
        self._on_durable = on_durable
        self._counted = file.size_bytes
        self._waiting = bytearray()

    async def take(self, body: AsyncIterator[bytes]) -> bool:
        """Takes all of it, or as much as comes; returns whether that was all.

        Raises:
            ChecksumMismatch: nothing of it counts.
            TooMuch: nothing of it counts that was not counted before.
        """
        whole = await self._gather(body)
        if self._checksum is not None and not (whole and self._checksum.matches(self._hash.digest())):
            await self._back()
            if whole:
                raise ChecksumMismatch
            return False
        await self._count()
        return whole

    async def _gather(self, body: AsyncIterator[bytes]) -> bool:
        try:
            while (chunk := await _next(body)) is not None:
                if self._file.size_bytes + len(self._waiting) + len(chunk) > self._length:
                    await self._back()
                    raise TooMuch
                self._waiting += chunk
                if len(self._waiting) >= PIECE:
                    await self._write()
        except (ClientDisconnect, TimeoutError):
            await self._write()
            return False
        await self._write()
        return True

    async def _write(self) -> None:
        data = bytes(self._waiting)
        self._waiting.clear()
        if not data:
            return
        with disk_errors():
            await in_thread(partial(self._append, data))
        if self._checksum is None and self._file.size_bytes - self._counted >= CHECKPOINT:
            await self._count()

    def _append(self, data: bytes) -> None:
        self._file.append(data)
        if self._hash is not None:
            self._hash.update(data)

    async def _count(self) -> None:
        if self._file.size_bytes == self._counted:
            return
        with disk_errors():
            await in_thread(self._file.seal)
        await self._on_durable(self._file.size_bytes)
        self._counted = self._file.size_bytes

    async def _back(self) -> None:
        with disk_errors():
            await in_thread(partial(self._file.cut, self._counted))


async def _next(body: AsyncIterator[bytes]) -> bytes | None:
    async with asyncio.timeout(SILENCE_S):
        return await anext(body, None)

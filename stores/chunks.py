"""Bytes in steps of a size that is worth moving."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from typing import BinaryIO

from stores.durable_files import disk_errors
from stores.threads import ended, over, started

#: Bytes moved per step: large enough that changing threads costs little, small enough for many streams at once.
CHUNK_BYTES = 1 << 20


async def gathered(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in steps worth a change of threads, however small they arrive."""
    waiting = bytearray()
    async for chunk in chunks:
        if not waiting and len(chunk) >= CHUNK_BYTES:
            yield chunk
            continue
        waiting += chunk
        if len(waiting) >= CHUNK_BYTES:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


def chunks_of(file: BinaryIO, *, limit: int | None = None) -> AsyncGenerator[bytes]:
    """What an open file holds from where it stands, at most ``limit`` bytes of it.

    Whoever does not read it to its end closes it before the file (``contextlib.aclosing``).
    """
    remaining = limit

    def step() -> bytes:
        nonlocal remaining
        data = file.read(CHUNK_BYTES if remaining is None else min(CHUNK_BYTES, remaining))
        if remaining is not None:
            remaining -= len(data)
        return data

    return read_ahead(step)


async def read_ahead(step: Callable[[], bytes]) -> AsyncGenerator[bytes]:
    """What ``step`` reads until it reads nothing, each piece in a thread while the one before is in use.

    Raises:
        TransientError: the disk refuses (``STORE_UNAVAILABLE``, ``DISK_FULL``).
    """
    reading = started(step)
    try:
        while data := await _read(reading):
            reading = started(step)
            yield data
    finally:
        await over(reading)


async def read_step(step: Callable[[], bytes]) -> bytes:
    """One step of reading, in a thread.

    Raises:
        TransientError: the disk refuses (``STORE_UNAVAILABLE``, ``DISK_FULL``).
    """
    return await _read(started(step))


async def _read(reading: asyncio.Future[bytes]) -> bytes:
    with disk_errors():
        return await ended(reading)

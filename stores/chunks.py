"""Bytes in steps of a size that is worth moving."""

from collections.abc import AsyncIterable, AsyncIterator, Callable
from functools import partial
from typing import BinaryIO

from stores.durable_files import disk_errors
from stores.threads import in_thread

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


async def chunks_of(file: BinaryIO, *, limit: int | None = None) -> AsyncIterator[bytes]:
    """What an open file holds from where it stands, at most ``limit`` bytes of it."""
    remaining = limit
    while remaining is None or remaining > 0:
        wanted = CHUNK_BYTES if remaining is None else min(CHUNK_BYTES, remaining)
        data = await read_step(partial(file.read, wanted))
        if not data:
            return
        yield data
        if remaining is not None:
            remaining -= len(data)


async def read_step(step: Callable[[], bytes]) -> bytes:
    """One step of reading, in a thread.

    Raises:
        TransientError: the disk refuses (``STORE_UNAVAILABLE``, ``DISK_FULL``).
    """
    with disk_errors():
        return await in_thread(step)

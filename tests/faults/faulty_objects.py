"""The real object store, failing where the fault plan says so, in the ways that stores fail."""

import asyncio
import io
import os
import signal
from collections.abc import AsyncIterable, AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import BinaryIO

from schemas.errors import CinemaError, ErrorCode, TransientError
from stores import Bucket, LocalObjects, ObjectStat
from stores.range_file import RangeFile
from tests.faults.fault_plan import FaultPlan, Kind, Point, die

#: Seconds that a store which does not answer is waited for, and that a slow one takes.
SILENCE_SECONDS = 3.0
SLOW_SECONDS = 6.0

CHUNK_BYTES = 16 << 10

#: What happens in the midst of the bytes.
_MIDWAY = frozenset({Kind.HALF, Kind.KILL_HALFWAY, Kind.STOP_HALFWAY})
#: What cuts the bytes off without a word.
_CUT = frozenset({Kind.HALF_KEPT, Kind.HALF_ACCEPTED})


class FaultyObjects:
    """An :class:`stores.objects.ObjectStore` around the real one."""

    def __init__(self, real: LocalObjects, plan: FaultPlan) -> None:
        self._real = real
        self._plan = plan

    async def put(
        self, bucket: Bucket, key: str, chunks: AsyncIterable[bytes], *, expected_sha256: str | None = None
    ) -> ObjectStat:
        kind = self._plan.take(Point.PUT, key)
        await _before(kind)
        body = b"".join([chunk async for chunk in chunks])
        if kind is Kind.HALF_KEPT:
            # Whoever reads the object now gets half of it; the writer hears of no success.
            await self._real.put(bucket, key, _stream(body, kind))
            raise TransientError.store("The connection to the store broke off.")
        stored = await self._real.put(bucket, key, _stream(body, kind), expected_sha256=expected_sha256)
        if kind is Kind.KILL_AFTER:
            die()
        if kind is Kind.ANSWER_LOST:
            raise TransientError.store("The store's answer was lost.")
        return stored

    async def put_file(self, bucket: Bucket, key: str, path: Path, *, expected_sha256: str | None = None) -> ObjectStat:
        return await self.put(bucket, key, _once(path.read_bytes()), expected_sha256=expected_sha256)

    async def get(self, bucket: Bucket, key: str) -> AsyncIterator[bytes]:
        kind = self._plan.take(Point.GET, key)
        await _before(kind)
        body = b"".join([chunk async for chunk in self._real.get(bucket, key)])
        async for chunk in _stream(body, kind):
            yield chunk

    def get_range(self, bucket: Bucket, key: str, start: int, length: int) -> AsyncIterator[bytes]:
        return self._real.get_range(bucket, key, start, length)

    def open(self, bucket: Bucket, key: str) -> BinaryIO:
        return self._real.open(bucket, key)

    async def local_path(self, bucket: Bucket, key: str) -> Path:
        await _before(self._plan.take(Point.GET, key))
        return await self._real.local_path(bucket, key)

    async def local_copy(self, bucket: Bucket, key: str) -> Path | None:
        await _before(self._plan.take(Point.GET, key))
        return await self._real.local_copy(bucket, key)

    async def stat(self, bucket: Bucket, key: str) -> ObjectStat | None:
        return await self._real.stat(bucket, key)

    async def delete(self, bucket: Bucket, key: str) -> bool:
        return await self._real.delete(bucket, key)

    def list(self, bucket: Bucket, prefix: str = "") -> AsyncIterator[ObjectStat]:
        return self._real.list(bucket, prefix)

    async def signed_download_url(
        self, bucket: Bucket, key: str, *, expires_in: timedelta, filename: str | None = None
    ) -> str:
        return await self._real.signed_download_url(bucket, key, expires_in=expires_in, filename=filename)

    async def signed_upload_url(self, bucket: Bucket, key: str, *, expires_in: timedelta, max_bytes: int) -> str:
        return await self._real.signed_upload_url(bucket, key, expires_in=expires_in, max_bytes=max_bytes)

    async def sweep_temporary(self) -> int:
        return await self._real.sweep_temporary()


class RemoteFaultyObjects(FaultyObjects):
    """The same as a store on another machine: nothing lies here, and ``bytes_read`` counts what came by ranges."""

    def __init__(self, real: LocalObjects, plan: FaultPlan) -> None:
        super().__init__(real, plan)
        self.bytes_read = 0

    def open(self, bucket: Bucket, key: str) -> BinaryIO:
        file = self._real.open(bucket, key)
        size = os.fstat(file.fileno()).st_size
        return io.BufferedReader(RangeFile(size, partial(self._fetch, file, key), file.close))

    async def local_path(self, bucket: Bucket, key: str) -> Path:
        raise AssertionError(f"{bucket} {key} was downloaded")

    async def local_copy(self, bucket: Bucket, key: str) -> Path | None:  # noqa: ARG002 (there is none)
        return None

    def _fetch(self, file: BinaryIO, key: str, start: int, length: int) -> bytes:
        match self._plan.take(Point.RANGE, key):
            case Kind.ERROR:
                raise TransientError.store("The store answered 503.")
            case Kind.GONE:
                raise CinemaError(ErrorCode.OBJECT_MISSING, "This stored file does not exist.")
        file.seek(start)
        self.bytes_read += length
        return file.read(length)


async def _before(kind: Kind | None) -> None:
    match kind:
        case Kind.ERROR:
            raise TransientError.store("The store answered 503.")
        case Kind.TIMEOUT:
            await asyncio.sleep(SILENCE_SECONDS)
            raise TransientError.store("The store did not answer in time.")
        case Kind.DISK_FULL:
            raise TransientError(ErrorCode.DISK_FULL, "The disk that keeps the files is full.")
        case Kind.SLOW:
            await asyncio.sleep(SLOW_SECONDS)
        case Kind.KILL:
            die()


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _stream(body: bytes, kind: Kind | None) -> AsyncIterator[bytes]:
    half = len(body) // 2
    for start in range(0, half, CHUNK_BYTES):
        yield body[start : min(start + CHUNK_BYTES, half)]
    if kind in _MIDWAY:
        # The store's entrance holds bytes by now: what is written there lies on disk before the fault comes.
        yield bytes(1 << 20) if kind is not Kind.STOP_HALFWAY else b""
        await _midway(kind)
    if kind in _CUT:
        return
    yield body[half:]


async def _midway(kind: Kind | None) -> None:
    match kind:
        case Kind.HALF:
            raise TransientError.store("The connection to the store broke off.")
        case Kind.KILL_HALFWAY:
            die()
        case Kind.STOP_HALFWAY:
            os.kill(os.getpid(), signal.SIGSTOP)
            await asyncio.sleep(0)

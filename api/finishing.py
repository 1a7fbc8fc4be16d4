"""Whole uploads become assets, or are refused: hashed, looked at, stored once for each content."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog

from schemas.errors import OF_MATERIAL, CinemaError, ErrorCode, MediaRefused, TransientError
from schemas.uploads import Look, Upload, UploadStatus
from stores import Bucket, LocalObjects, Pool
from stores.checksums import Version
from stores.durable_files import disk_errors
from stores.partial_files import PartialFile, PartialFileBusy
from stores.threads import in_thread
from stores.uploads import Uploads

#: Files looked at by one process at once.
LOOKS_AT_ONCE: Final = 2
#: Looks at a file that may fail for no reason of its own (a crash, no time) before that counts as one.
MOST_LOOKS: Final = 3
#: Between two rounds of tidying.
TIDY_INTERVAL: Final = timedelta(hours=1)
#: How long a client may ask what became of an upload.
REMEMBERED: Final = timedelta(days=7)
_AT_ONCE: Final = 100

#: What ends an upload; after any other error its bytes are kept, and it is tried again.
REFUSALS: Final = OF_MATERIAL | {ErrorCode.OBJECT_MISSING, ErrorCode.INVALID_TRANSITION}

LookAtFile = Callable[[Path, str], Awaitable[Look]]

log = structlog.get_logger(__name__)


class Finisher:
    """Brings uploads to their end. Every step may be killed, and done again by this or another process."""

    def __init__(self, database: Pool, objects: LocalObjects, look: LookAtFile) -> None:
        self._uploads = Uploads(database)
        self._objects = objects
        self._look = look
        self._looking = asyncio.Semaphore(LOOKS_AT_ONCE)
        self._running: dict[UUID, asyncio.Task[None]] = {}

    async def finish(self, upload_id: UUID, *, patience: timedelta) -> None:
        """Has the upload judged, and waits for that for a while; it goes on when nobody waits.

        Raises:
            TransientError: it could not be judged now; it is tried again later.
        """
        task = self._running.get(upload_id)
        if task is None:
            task = self._running[upload_id] = asyncio.create_task(self._finish(upload_id))
            task.add_done_callback(lambda done: self._ended(upload_id, done))
        await asyncio.wait({task}, timeout=patience.total_seconds())
        if task.done():
            task.result()

    async def tend(self) -> None:
        """Now and again finish what a killed process has left, and end what was given up. Runs until cancelled."""
        while True:
            try:
                await self.tidy()
            except CinemaError as error:
                log.warning("uploads could not be tidied", error=error.message)
            await asyncio.sleep(TIDY_INTERVAL.total_seconds())

    async def tidy(self) -> int:
        """One round of it; returns how many files of ended uploads were removed."""
        for upload_id in await self._uploads.verifying(_AT_ONCE):
            try:
                await self.finish(upload_id, patience=TIDY_INTERVAL)
            except CinemaError as error:
                log.warning("an upload could not be finished", upload=str(upload_id), error=error.message)
        await self._uploads.expire()
        await self._uploads.forget(REMEMBERED)
        removed = await self._remove_left()
        if removed:
            log.info("removed what ended uploads left", files=removed)
        return removed

    async def close(self) -> None:
        """Calls off what runs; another process, or this one's next life, does it again."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _ended(self, upload_id: UUID, task: asyncio.Task[None]) -> None:
        del self._running[upload_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("an upload could not be finished", upload=str(upload_id), error=str(error))

    async def _finish(self, upload_id: UUID) -> None:
        async with self._looking, held(self._objects, upload_id) as file:
            upload = await self._uploads.get(upload_id)
            if upload.status is not UploadStatus.VERIFYING:
                return
            try:
                await self._verify(upload, file)
            except CinemaError as error:
                if error.code not in REFUSALS:
                    raise
                await self._uploads.refuse(upload_id, error.info)
            await in_thread(file.remove)

    async def _verify(self, upload: Upload, file: PartialFile) -> None:
        """Stores the file's bytes and makes it an asset.

        Raises:
            CinemaError: one of ``REFUSALS``, where it is not what it was said to be, or nothing that a job could use,
                or does not fit the plan.
            TransientError: something around us failed.
        """
        if file.size_bytes != upload.length_bytes:
            raise MediaRefused(ErrorCode.OBJECT_MISSING, "Bytes of this file were lost on our side; upload it again.")
        with disk_errors():
            sha256 = await in_thread(file.sha256)
        if upload.sha256 is not None and upload.sha256 != sha256:
            raise MediaRefused(ErrorCode.MEDIA_DAMAGED, "The file that arrived is not the one that was announced.")
        look = await self._looked_at(upload, file.path)
        key = f"{upload.owner_id}/{sha256}"
        async with self._uploads.completing(upload, look.kind, sha256, key) as completes:
            if completes:
                await self._store(key, file.path, Version(size_bytes=upload.length_bytes, sha256=sha256))

    async def _looked_at(self, upload: Upload, path: Path) -> Look:
        try:
            return await self._look(path, upload.name)
        except TransientError as error:
            if await self._uploads.note_failed_look(upload.id) < MOST_LOOKS:
                raise
            raise MediaRefused(ErrorCode.MEDIA_UNREADABLE, f"The file cannot be looked at. {error.message}") from error

    async def _store(self, key: str, path: Path, version: Version) -> None:
        """Under the owner and the content: the same file in two projects is one object."""
        if not await self._is_stored(key, version):
            await self._objects.adopt(Bucket.ASSETS, key, path, version)

    async def _is_stored(self, key: str, version: Version) -> bool:
        """What is stored there, but damaged, is replaced by the bytes that have just arrived."""
        try:
            stored = await self._objects.stat(Bucket.ASSETS, key)
        except CinemaError as error:
            if error.code is not ErrorCode.OBJECT_CORRUPT:
                raise
            return False
        return stored is not None and stored.sha256 == version.sha256

    async def _remove_left(self) -> int:
        with disk_errors():
            found = await in_thread(lambda: tuple(self._objects.uploads.ids()))
        removed = 0
        for start in range(0, len(found), _AT_ONCE):
            some = found[start : start + _AT_ONCE]
            still_open = await self._uploads.open_among(some)
            for upload_id in (one for one in some if one not in still_open):
                removed += await self._remove_if_idle(upload_id)
        return removed

    async def _remove_if_idle(self, upload_id: UUID) -> bool:
        try:
            async with held(self._objects, upload_id) as file:
                await in_thread(file.remove)
        except PartialFileBusy:
            return False
        return True


@asynccontextmanager
async def held(objects: LocalObjects, upload_id: UUID) -> AsyncIterator[PartialFile]:
    """The upload's bytes, for one writer alone.

    Raises:
        PartialFileBusy: there is one already.
    """
    with disk_errors():
        file = await in_thread(partial(objects.uploads.open, upload_id))
    try:
        yield file
    finally:
        await in_thread(file.close)

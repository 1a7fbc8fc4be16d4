"""Whole uploads become assets, or are refused: hashed, looked at, stored once for each content."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog

from schemas.errors import OF_MATERIAL, CinemaError, ErrorCode, MediaRefused, TransientError
from schemas.uploads import Look, Upload, UploadStatus
from stores import Pool
from stores.arrivals import Arrival, Arrivals, ArrivedFile
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

    def __init__(self, database: Pool, arrivals: Arrivals, look: LookAtFile) -> None:
        self.arrivals = arrivals
        self._uploads = Uploads(database)
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
        for upload in await self._uploads.sent_past_us(_AT_ONCE):
            await self.note_arrived(upload)
        for upload_id in await self._uploads.verifying(_AT_ONCE):
            try:
                await self.finish(upload_id, patience=TIDY_INTERVAL)
            except CinemaError as error:
                log.warning("an upload could not be finished", upload=str(upload_id), error=error.message)
        await self._uploads.expire()
        await self._uploads.forget(REMEMBERED)
        removed = await self.arrivals.remove_left(self._uploads)
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

    async def note_arrived(self, upload: Upload) -> bool:
        """Looks whether a file that goes past us lies whole in the store; then it waits to be judged.

        Raises:
            TransientError: the store does not answer.
        """
        arrived = await self.arrivals.arrived_bytes(upload)
        if arrived is None:
            return False
        if arrived != upload.length_bytes:
            problem = f"The file that arrived has {arrived} bytes, not the {upload.length_bytes} that were announced."
            await self._refuse(upload, MediaRefused(ErrorCode.MEDIA_DAMAGED, problem))
        else:
            await self._uploads.note_arrived(upload.id, expires_in=REMEMBERED)
        return True

    async def _finish(self, upload_id: UUID) -> None:
        async with self._looking, self.arrivals.held(await self._uploads.get(upload_id)) as arrival:
            upload = await self._uploads.get(upload_id)
            if upload.status is not UploadStatus.VERIFYING:
                return
            try:
                await self._verify(upload, arrival)
            except CinemaError as error:
                if error.code not in REFUSALS:
                    raise
                if await self._uploads.refuse(upload_id, error.info):
                    await arrival.clear(accepted=False)
            else:
                await arrival.clear(accepted=True)

    async def _refuse(self, upload: Upload, error: CinemaError) -> None:
        if await self._uploads.refuse(upload.id, error.info):
            async with self.arrivals.held(upload) as arrival:
                await arrival.clear(accepted=False)

    async def _verify(self, upload: Upload, arrival: Arrival) -> None:
        """Makes the upload an asset, whose bytes are kept.

        Raises:
            CinemaError: one of ``REFUSALS``, where it is not what it was said to be, or nothing that a job could use,
                or does not fit the plan.
            TransientError: something around us failed.
        """
        if arrival.size_bytes != upload.length_bytes:
            raise MediaRefused(ErrorCode.OBJECT_MISSING, "Bytes of this file were lost on our side; upload it again.")
        file = await _read(arrival)
        if upload.sha256 is not None and upload.sha256 != file.sha256:
            raise _another()
        look = await self._looked_at(upload, file.path)
        key = arrival.object_key(file.sha256)
        async with self._uploads.completing(upload, look.kind, file.sha256, key) as completes:
            if completes:
                await arrival.keep(file)

    async def _looked_at(self, upload: Upload, path: Path) -> Look:
        try:
            return await self._look(path, upload.name)
        except TransientError as error:
            if await self._uploads.note_failed_look(upload.id) < MOST_LOOKS:
                raise
            raise MediaRefused(ErrorCode.MEDIA_UNREADABLE, f"The file cannot be looked at. {error.message}") from error


async def _read(arrival: Arrival) -> ArrivedFile:
    """What arrived. Raises ``MediaRefused`` where it is not what its sender has recorded beside it."""
    try:
        return await arrival.read()
    except CinemaError as error:
        if error.code is not ErrorCode.OBJECT_CORRUPT or isinstance(error, TransientError):
            raise
        raise _another() from error


def _another() -> MediaRefused:
    return MediaRefused(ErrorCode.MEDIA_DAMAGED, "The file that arrived is not the one that was announced.")

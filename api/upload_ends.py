"""How uploads end: judged, or given up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final
from uuid import UUID

from fastapi.exceptions import HTTPException

from api.context import ApiContext
from schemas.errors import CinemaError, TransientError
from schemas.uploads import Upload, UploadStatus
from stores import LocalObjects
from stores.durable_files import disk_errors
from stores.local_arrivals import held
from stores.partial_files import PartialFile, PartialFileBusy
from stores.threads import in_thread
from stores.uploads import Uploads

#: An upload to which nothing was added for this long is given up.
EXPIRES_IN: Final = timedelta(hours=24)
#: How long the request that brings the last byte waits to hear what became of the file.
PATIENCE: Final = timedelta(seconds=20)

_ENDED: Final = frozenset({UploadStatus.REFUSED, UploadStatus.EXPIRED})


def check_alive(upload: Upload) -> None:
    """Raises 410 where the upload has come to nothing: it was refused, or its time is over."""
    is_over = upload.status is not UploadStatus.READY and upload.expires_at <= datetime.now(UTC)
    if upload.status in _ENDED or is_over:
        reason = upload.error.message if upload.error else "This upload was not gone on with in time; begin again."
        raise HTTPException(HTTPStatus.GONE, reason)


async def judged(context: ApiContext, upload_id: UUID) -> Upload:
    """The upload as it is now; one that is whole is judged first, for as long as a client waits.

    Raises:
        CinemaError: it was refused.
    """
    uploads = Uploads(context.database)
    upload = await uploads.get(upload_id)
    if upload.status is UploadStatus.VERIFYING:
        try:
            await context.finisher.finish(upload_id, patience=PATIENCE)
        except (TransientError, PartialFileBusy):
            return upload  # Its bytes are safe, and it is tried again.
        upload = await uploads.get(upload_id)
    if upload.error is not None:
        raise CinemaError.from_info(upload.error)
    return upload


async def end_upload(context: ApiContext, upload: Upload) -> None:
    """Gives an upload up, and its bytes.

    Raises:
        HTTPException: it has become an asset (409), or its bytes are being written or looked at (423).
    """
    removed = await (_end_here(context, upload) if upload.object_key is None else _end_past_us(context, upload))
    if not removed:
        raise HTTPException(HTTPStatus.CONFLICT, "This upload is finished; delete the asset that it has become.")


@asynccontextmanager
async def writing(context: ApiContext, upload_id: UUID) -> AsyncIterator[PartialFile]:
    """The upload's bytes, for this request alone; 423 if another one has them."""
    try:
        async with held(context.embedded, upload_id) as file:
            yield file
    except PartialFileBusy as error:
        raise HTTPException(HTTPStatus.LOCKED, error.message) from error


async def _end_here(context: ApiContext, upload: Upload) -> bool:
    if not isinstance(context.objects, LocalObjects):
        return await Uploads(context.database).remove(upload.id)
    async with writing(context, upload.id) as file:
        removed = await Uploads(context.database).remove(upload.id)
        with disk_errors():
            await in_thread(file.remove)
    return removed


async def _end_past_us(context: ApiContext, upload: Upload) -> bool:
    """What is there now goes now; what may still be sent goes with a later round of tidying."""
    removed = await Uploads(context.database).remove(upload.id)
    if removed and context.finisher.arrivals.folder is not None:
        async with context.finisher.arrivals.held(upload) as arrival:
            await arrival.clear(accepted=False)
    return removed

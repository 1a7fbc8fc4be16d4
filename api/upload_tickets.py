"""Leave to upload one file, wherever its bytes go, and word that all of them are there."""

from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter
from fastapi.exceptions import HTTPException

from api.callers import Authenticated, Caller, Context
from api.context import ApiContext
from api.problems import problem_responses
from api.upload_ends import EXPIRES_IN, check_alive, judged
from api.upload_permissions import permission
from schemas.resources.assets import AssetResource
from schemas.resources.uploads import NewUpload, UploadTicket
from schemas.uploads import NewFile, Upload, UploadStatus
from stores import Projects
from stores.asset_listing import AssetListing
from stores.uploads import Uploads

#: ``/projects/{project_id}/uploads``, ``/uploads/{upload_id}/ticket`` and ``/uploads/{upload_id}/complete``.
routes = APIRouter(tags=["uploads"])


@routes.post(
    "/projects/{project_id}/uploads",
    name="permit",
    status_code=HTTPStatus.CREATED,
    summary="Ask where and how to upload a file",
    responses=problem_responses(HTTPStatus.CONFLICT),
)
async def permit(project_id: UUID, new: NewUpload, caller: Authenticated, context: Context) -> UploadTicket:
    """The answer is a permission for this one file: a browser or another program can upload with it alone."""
    await Projects(caller.connections).get(project_id)
    file = NewFile(name=new.name, length_bytes=new.size_bytes, kind=new.kind, sha256=new.sha256)
    upload = await Uploads(context.database).begin(
        caller.owner_id, project_id, file, expires_in=EXPIRES_IN, folder=context.finisher.arrivals.folder
    )
    return await _ticket(context, upload)


@routes.post(
    "/uploads/{upload_id}/ticket",
    name="renew",
    summary="Ask for a permission anew",
    responses=problem_responses(HTTPStatus.CONFLICT, HTTPStatus.GONE),
)
async def renew(upload_id: UUID, caller: Authenticated, context: Context) -> UploadTicket:
    """For an upload that is not whole when its permission ends; what has arrived stays."""
    upload = await _unfinished(caller, upload_id)
    if upload.status is not UploadStatus.UPLOADING:
        raise HTTPException(HTTPStatus.CONFLICT, "All bytes of this upload have arrived.")
    await Uploads(context.database).extend(upload_id, expires_in=EXPIRES_IN)
    return await _ticket(context, upload)


@routes.post(
    "/uploads/{upload_id}/complete",
    name="complete",
    summary="Say that all bytes are there",
    responses=problem_responses(HTTPStatus.CONFLICT, HTTPStatus.GONE),
)
async def complete(upload_id: UUID, caller: Authenticated, context: Context) -> AssetResource:
    """Has the file looked at, and answers with the asset: `uploading` while that goes on.

    A file that is not of the size, the hash or the sort that was announced is refused here, and its bytes are removed.
    """
    upload = await _unfinished(caller, upload_id)
    if upload.status is UploadStatus.UPLOADING:
        past_us = upload.object_key is not None
        if not past_us or not await context.finisher.note_arrived(upload):
            raise HTTPException(HTTPStatus.CONFLICT, "Not all bytes of this upload have arrived yet.")
    await judged(context, upload_id)
    return await AssetListing(caller.connections).get(upload_id)


async def _unfinished(caller: Caller, upload_id: UUID) -> Upload:
    """The caller's upload.

    Raises:
        CinemaError: there is none (``NOT_FOUND``).
        HTTPException: it has come to nothing (410).
    """
    upload = await Uploads(caller.connections).get(upload_id)
    check_alive(upload)
    return upload


async def _ticket(context: ApiContext, upload: Upload) -> UploadTicket:
    direct = await context.finisher.arrivals.direct(upload)
    if direct is None:
        return await permission(context, upload)
    return UploadTicket(
        asset_id=upload.id,
        url=direct.url,
        headers=direct.headers,
        metadata=direct.metadata,
        piece_bytes=direct.piece_bytes,
        checksums=(),
        expires_at=datetime.now(UTC) + direct.holds_for,
    )

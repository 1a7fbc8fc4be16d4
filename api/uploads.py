"""Uploads that survive broken connections and restarts (tus 1.0.0)."""

from functools import partial
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import HTTPException
from fastapi.responses import JSONResponse

from api import tus
from api.callers import Context
from api.context import ApiContext
from api.problems import MEDIA_TYPE, problem_answer, problem_responses
from api.receiving import ChecksumMismatch, Reception, TooMuch
from api.upload_ends import EXPIRES_IN, check_alive, end_upload, judged, writing
from api.upload_permissions import Uploader, Uploading
from schemas.errors import CinemaError, ErrorCode, MediaRefused
from schemas.resources.assets import AssetResource
from schemas.resources.problem import Problem
from schemas.uploads import Upload, UploadStatus
from stores import Projects
from stores.asset_listing import AssetListing
from stores.durable_files import disk_errors
from stores.partial_files import PartialFile
from stores.threads import in_thread
from stores.uploads import Uploads

_NOT_CACHED: Final = {"Cache-Control": "no-store"}
_REFUSALS: Final = problem_responses(
    HTTPStatus.CONFLICT, HTTPStatus.GONE, HTTPStatus.PRECONDITION_FAILED, HTTPStatus.REQUEST_ENTITY_TOO_LARGE
)
_LOCKED: Final = problem_responses(HTTPStatus.LOCKED)
_OTHER_BYTES: Final = {
    "description": "The bytes do not have the checksum that was given; none of them count.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_BODY: Final = {"content": {tus.CONTENT_TYPE: {"schema": {"type": "string", "format": "binary"}}}}


def router() -> APIRouter:
    """``/uploads``: the protocol's own routes, over the store in a local folder."""
    routes = APIRouter(prefix="/uploads", tags=["uploads"], route_class=tus.TusRoute)
    _add_creation(routes)
    _add_progress(routes)
    _add_termination(routes)
    return routes


def _add_creation(routes: APIRouter) -> None:
    @routes.options("", name="options", status_code=HTTPStatus.NO_CONTENT, summary="Ask what this endpoint can do")
    async def options() -> Response:
        return Response(
            status_code=HTTPStatus.NO_CONTENT,
            headers={
                "Tus-Version": tus.VERSION,
                "Tus-Extension": tus.EXTENSIONS,
                "Tus-Checksum-Algorithm": ",".join(tus.CHECKSUMS),
            },
        )

    @routes.post(
        "",
        name="create",
        status_code=HTTPStatus.CREATED,
        summary="Begin an upload (tus)",
        responses=_REFUSALS,
        openapi_extra=_headers("Upload-Length", "Upload-Metadata"),
    )
    async def create(request: Request, response: Response, caller: Uploading, context: Context) -> AssetResource:
        """`Upload-Metadata` names the `project` and the `filename`, and may name a `kind` and the file's `sha256`.

        `Location` is where the bytes go; the answer is the asset that they become.
        """
        tus.check_version(request.headers)
        upload = await _begun(request, caller, context)
        if tus.carries_bytes(request.headers):
            upload = await _received(request, context, upload, offset=0)
        response.headers.update({"Location": f"/uploads/{upload.id}", **tus.state_of(upload)})
        return await AssetListing(caller.connections).get(upload.id)


def _add_progress(routes: APIRouter) -> None:
    @routes.head("/{upload_id}", name="offset", summary="Ask how much has arrived (tus)", responses=_REFUSALS)
    async def offset(upload_id: UUID, request: Request, caller: Uploading, context: Context) -> Response:
        tus.check_version(request.headers)
        upload = await _found(caller, upload_id)
        if upload.status is UploadStatus.UPLOADING:
            upload = upload.model_copy(update={"received_bytes": await _durable_bytes(context, upload)})
        headers = {"Upload-Length": str(upload.length_bytes), **tus.state_of(upload), **_NOT_CACHED}
        if upload.metadata:
            headers["Upload-Metadata"] = upload.metadata
        return Response(headers=headers)

    @routes.patch(
        "/{upload_id}",
        name="append",
        status_code=HTTPStatus.NO_CONTENT,
        summary="Send bytes (tus)",
        responses={**_REFUSALS, **_LOCKED, tus.CHECKSUM_MISMATCH: _OTHER_BYTES},
        openapi_extra={"requestBody": _BODY, **_headers("Upload-Offset", "Upload-Checksum")},
    )
    async def append(upload_id: UUID, request: Request, caller: Uploading, context: Context) -> Response:
        """The request with the last byte is answered once the file is accepted, or refused with its reason (422)."""
        tus.check_version(request.headers)
        if not tus.carries_bytes(request.headers):
            raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send the bytes as {tus.CONTENT_TYPE}.")
        at = tus.count(request.headers, "upload-offset")
        try:
            upload = await _received(request, context, await _found(caller, upload_id), offset=at)
        except ChecksumMismatch as error:
            return _mismatch(error)
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=tus.state_of(upload))


def _add_termination(routes: APIRouter) -> None:
    @routes.delete(
        "/{upload_id}",
        name="terminate",
        status_code=HTTPStatus.NO_CONTENT,
        summary="Give an upload up (tus)",
        responses={**_REFUSALS, **_LOCKED},
    )
    async def terminate(upload_id: UUID, request: Request, caller: Uploading, context: Context) -> Response:
        tus.check_version(request.headers)
        if not caller.may(upload_id):
            raise _missing()
        await end_upload(context, await Uploads(caller.connections).get(upload_id))
        return Response(status_code=HTTPStatus.NO_CONTENT)


async def _begun(request: Request, caller: Uploader, context: ApiContext) -> Upload:
    """The upload that this request announces, or that its permission is for."""
    length = tus.count(request.headers, "upload-length")
    if length == 0:
        raise MediaRefused(ErrorCode.MEDIA_EMPTY, "The file is empty.")
    given = tus.metadata(request.headers)
    if caller.only is not None:
        upload = await _found(caller, caller.only)
        if upload.length_bytes != length:
            raise HTTPException(HTTPStatus.FORBIDDEN, "This permission is for a file of another size.")
        return upload
    project = await Projects(caller.connections).get(tus.project_of(given))
    file = tus.announced(request.headers, given, length)
    return await Uploads(context.database).begin(caller.owner_id, project.id, file, expires_in=EXPIRES_IN)


async def _received(request: Request, context: ApiContext, upload: Upload, *, offset: int) -> Upload:
    """The upload with the request's bytes in it, as far as they have arrived.

    Raises:
        CinemaError: with the last of them the file was refused.
        ChecksumMismatch: they are not what their client says; none of them count.
        HTTPException: they do not belong there (409), or somebody else is writing (423).
    """
    checksum = tus.checksum(request.headers)
    uploads = Uploads(context.database)

    async def count(received: int) -> None:
        await uploads.note_received(upload.id, received, expires_in=EXPIRES_IN)

    if upload.status is not UploadStatus.UPLOADING:
        _check_offset(offset, upload.length_bytes)
        return await judged(context, upload.id)
    async with writing(context, upload.id) as file:
        current = await uploads.get(upload.id)
        if current.status is UploadStatus.UPLOADING:
            await _settle(file, current)
            _check_offset(offset, file.size_bytes)
            if _announced_bytes(request) > current.length_bytes - offset:
                raise TooMuch
            await Reception(file, current.length_bytes, checksum, count).take(request.stream())
    return await judged(context, upload.id)


def _check_offset(given: int, expected: int) -> None:
    if given != expected:
        detail = f"The next byte is number {expected}, not {given}."
        raise HTTPException(HTTPStatus.CONFLICT, detail, {"Upload-Offset": str(expected)})


async def _settle(file: PartialFile, upload: Upload) -> None:
    """Cuts the file to what is known to be durable: a writer that was killed may have left more, a power cut less."""
    with disk_errors():
        await in_thread(partial(file.cut, min(file.size_bytes, upload.received_bytes)))


async def _durable_bytes(context: ApiContext, upload: Upload) -> int:
    with disk_errors():
        stored = await in_thread(partial(context.embedded.uploads.size, upload.id))
    return min(stored, upload.received_bytes)


async def _found(caller: Uploader, upload_id: UUID) -> Upload:
    """The caller's upload, if it has not ended without a result.

    Raises:
        CinemaError: there is none (``NOT_FOUND``).
        HTTPException: it has been refused, or its time is over (410).
    """
    if not caller.may(upload_id):
        raise _missing()
    upload = await Uploads(caller.connections).get(upload_id)
    check_alive(upload)
    return upload


def _announced_bytes(request: Request) -> int:
    """How long the body says it is; 0 where it does not say."""
    given = request.headers.get("content-length", "")
    return int(given) if given.isdecimal() else 0


def _mismatch(error: ChecksumMismatch) -> JSONResponse:
    title = "Checksum Mismatch"
    return problem_answer(Problem(title=title, status=tus.CHECKSUM_MISMATCH, detail=error.message, code=error.code))


def _headers(*names: str) -> dict[str, Any]:
    """The protocol's headers in the API's description; that they are read by hand keeps to the protocol's answers."""
    named = ("Tus-Resumable", *names)
    return {"parameters": [{"name": name, "in": "header", "schema": {"type": "string"}} for name in named]}


def _missing() -> CinemaError:
    return CinemaError(ErrorCode.NOT_FOUND, "This upload does not exist.")

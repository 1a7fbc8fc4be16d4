"""What outputs delivered: signed addresses of each file, the edit to read, and all of a job as one archive."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse
from zipstream import ZipStream

from api.callers import Authenticated, Caller, Context
from api.problems import problem_responses
from render import storyboard_vtt
from schemas.edl import EDL
from schemas.errors import CinemaError, ConflictError, ErrorCode
from schemas.jobs import Output
from schemas.resources.files import OutputFilesResource, SignedFile
from stores import Bucket, Jobs, ObjectStat, ObjectStore, Outputs, Projects
from stores.output_files import DeliveredFile, delivered_files, file_stem

#: How long a signed address works: long enough to download a large file, short enough to be of little use if it leaks.
VALID_FOR: Final = timedelta(hours=6)
BLOCK: Final = 1 << 20

#: The members of an answer by the endings of the files they stand for.
MEMBERS: Final = {
    "mp4": "video",
    "jpg": "thumbnail",
    "storyboard.jpg": "storyboard",
    "srt": "srt",
    "vtt": "vtt",
    "edl.json": "edl",
    "otio": "otio",
}

_CONFLICT: Final = problem_responses(HTTPStatus.CONFLICT)
_ARCHIVED: Final[dict[int | str, dict[str, Any]]] = {
    HTTPStatus.OK.value: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}},
    **_CONFLICT,
}


class ZipArchive(StreamingResponse):
    """An archive made while it is sent."""

    media_type = "application/zip"


class WebVtt(Response):
    """Cues as text."""

    media_type = "text/vtt"


_CUED: Final[dict[int | str, dict[str, Any]]] = {
    HTTPStatus.OK.value: {"content": {"text/vtt": {"schema": {"type": "string"}}}},
    **_CONFLICT,
}


#: ``files``, ``storyboard`` and ``edl`` below ``/outputs/{output_id}``, and ``/jobs/{job_id}/archive``.
routes = APIRouter(tags=["files"])


@routes.get("/outputs/{output_id}/files", name="list", summary="Get an output's files", responses=_CONFLICT)
async def files(output_id: UUID, caller: Authenticated, context: Context) -> OutputFilesResource:
    """Addresses that work for six hours, with size and SHA-256 of each file."""
    output = await Outputs(caller.connections).get(output_id)
    title = await title_of(caller, output)
    expires_at = datetime.now(UTC) + VALID_FOR
    signed = {MEMBERS[file.ending]: await _signed(context.objects, output, file, title) for file in _of(output)}
    return OutputFilesResource.model_validate({"expires_at": expires_at, **signed})


@routes.get(
    "/outputs/{output_id}/storyboard",
    response_class=WebVtt,
    responses=_CUED,
    summary="Get an output's storyboard for a player's time line",
)
async def storyboard(output_id: UUID, caller: Authenticated, context: Context) -> WebVtt:
    """WebVTT whose cues name parts (`#xywh=`) of one image, at an address that works for six hours."""
    output = await Outputs(caller.connections).get(output_id)
    if output.expiring_since is not None:
        raise _gone()
    if output.files is None or output.files.storyboard is None:
        raise ConflictError(ErrorCode.INVALID_TRANSITION, "This output has no storyboard.")
    board = output.files.storyboard
    image = await context.objects.signed_download_url(Bucket.THUMBS, board.image_key, expires_in=VALID_FOR)
    return WebVtt(storyboard_vtt(board.grid, image))


@routes.get("/outputs/{output_id}/edl", summary="Read an output's edit", responses=_CONFLICT)
async def edl(output_id: UUID, caller: Authenticated, context: Context) -> EDL:
    """The edit decision list, once the output is planned: what is shown and heard, and why."""
    output = await Outputs(caller.connections).get(output_id)
    return await edit_of(context.objects, output)


@routes.get("/jobs/{job_id}/archive", response_class=ZipArchive, responses=_ARCHIVED, summary="Download all of a job")
async def archive(job_id: UUID, caller: Authenticated, context: Context) -> ZipArchive:
    """Every file of every completed output that is kept, uncompressed, as video is already."""
    job = await Jobs(caller.connections).get(job_id)
    title = (await Projects(caller.connections).get(job.project_id)).name
    members = [(file.name(output, title), file) for output in job.outputs for file in delivered_files(output)]
    if not members:
        raise ConflictError(ErrorCode.INVALID_TRANSITION, "Nothing of this job is completed, or still kept.")
    zipped = ZipStream(sized=True)
    for name, file in members:
        found = await _found(context.objects, file)
        zipped.add(_blocks(context.objects, file), name, size=found.size_bytes)
    headers = {
        "Content-Length": str(len(zipped)),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file_stem(title), safe='')}.zip",
    }
    return ZipArchive(iter(zipped), headers=headers)


async def edit_of(objects: ObjectStore, output: Output) -> EDL:
    """Raises ``INVALID_TRANSITION`` where the output has no plan yet, ``OBJECT_MISSING`` where it is kept no longer."""
    if output.edl_key is None:
        raise ConflictError(ErrorCode.INVALID_TRANSITION, "This output is not planned yet.")
    if output.expiring_since is not None:
        raise _gone()
    content = b"".join([chunk async for chunk in objects.get(Bucket.OUTPUTS, output.edl_key)])
    return EDL.model_validate_json(content)


async def title_of(caller: Caller, output: Output) -> str:
    job = await Jobs(caller.connections).get(output.job_id)
    return (await Projects(caller.connections).get(job.project_id)).name


def _of(output: Output) -> tuple[DeliveredFile, ...]:
    files = delivered_files(output)
    if output.expiring_since is not None:
        raise _gone()
    if not files:
        raise ConflictError(ErrorCode.INVALID_TRANSITION, f"This output is {output.status}: it has no files yet.")
    return files


def _gone() -> CinemaError:
    return CinemaError(ErrorCode.OBJECT_MISSING, "The files of this output are no longer kept.")


async def _signed(objects: ObjectStore, output: Output, file: DeliveredFile, title: str) -> SignedFile:
    found, name = await _found(objects, file), file.name(output, title)
    url = await objects.signed_download_url(file.bucket, file.key, expires_in=VALID_FOR, filename=name)
    return SignedFile(name=name, url=url, size_bytes=found.size_bytes, sha256=found.sha256)


async def _found(objects: ObjectStore, file: DeliveredFile) -> ObjectStat:
    found = await objects.stat(file.bucket, file.key)
    if found is None:
        raise CinemaError(ErrorCode.OBJECT_MISSING, "A file of this output is no longer stored.")
    return found


def _blocks(objects: ObjectStore, file: DeliveredFile) -> Iterator[bytes]:
    """The object's bytes, read in a thread of the server's as they are sent."""
    with closing(objects.open(file.bucket, file.key)) as opened:
        while block := opened.read(BLOCK):
            yield block

"""An output's edit for other programs, and its captions: a format is a line in a table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, Any, Final, TypeAlias
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from api.callers import Authenticated, Caller, Context
from api.context import ApiContext
from api.files import VALID_FOR, edit_of, title_of
from api.problems import problem_responses
from director import EXPORTS, Export
from render import to_srt, to_vtt
from schemas.edl import EDL, Source
from schemas.errors import ConflictError, ErrorCode
from stores import Assets, Bucket, Jobs, Outputs
from stores.output_files import file_name
from stores.threads import in_thread

MediaAddress: TypeAlias = Callable[[Source], str]


class Format(StrEnum):
    """What an edit can be fetched as. The first four are for editing programs, ``edl`` is our own."""

    OTIO = "otio"
    FCPXML = "fcpxml"
    PREMIERE = "premiere"
    CMX3600 = "cmx3600"
    EDL = "edl"
    SRT = "srt"
    VTT = "vtt"


class Media(StrEnum):
    """How an edit says where its footage lies."""

    RELATIVE = "relative"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True)
class Written:
    """How an edit is written in a format, what its file's name ends in, and its media type."""

    write: Callable[[EDL, MediaAddress], str]
    ending: str
    media_type: str


def _for_programs(export: Export) -> Written:
    return Written(lambda edl, media: export.write(edl, media_url=media), export.ending, export.media_type)


FORMATS: Final[Mapping[Format, Written]] = MappingProxyType(
    {
        **{Format(name.value): _for_programs(export) for name, export in EXPORTS.items()},
        Format.EDL: Written(lambda edl, _: edl.model_dump_json(indent=1), "edl.json", "application/json"),
        Format.SRT: Written(lambda edl, _: to_srt(edl), "srt", "application/x-subrip"),
        Format.VTT: Written(lambda edl, _: to_vtt(edl), "vtt", "text/vtt"),
    }
)

Wanted = Annotated[Format, Path(alias="format")]
Footage = Annotated[
    Media,
    Query(description="Footage by its file name beside the exported file, or by addresses that work for six hours."),
]

_TEXT: Final = {"schema": {"type": "string"}}
_EXPORTED: Final[dict[int | str, dict[str, Any]]] = {
    HTTPStatus.OK.value: {
        "description": "The file.",
        "content": dict.fromkeys(dict.fromkeys(each.media_type for each in FORMATS.values()), _TEXT),
    },
    **problem_responses(HTTPStatus.CONFLICT),
}

#: ``/outputs/{output_id}/exports/{format}``.
routes = APIRouter(tags=["files"])


@routes.get(
    "/outputs/{output_id}/exports/{format}",
    name="export",
    response_class=Response,
    responses=_EXPORTED,
    summary="Get an output's edit for another program, or its captions",
)
async def export(
    output_id: UUID, wanted: Wanted, caller: Authenticated, context: Context, media: Footage = Media.RELATIVE
) -> Response:
    """Once the output is planned, whether or not it is rendered."""
    output = await Outputs(caller.connections).get(output_id)
    edl = await edit_of(context.objects, output)
    address = await _addresses(caller, context, output.job_id, edl) if media is Media.SIGNED else _relative
    written = FORMATS[wanted]
    text = await in_thread(lambda: written.write(edl, address))
    name = file_name(output, await title_of(caller, output), written.ending)
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Response(text, media_type=written.media_type, headers={"Content-Disposition": disposition})


def _relative(source: Source) -> str:
    return quote(source.name)


async def _addresses(caller: Caller, context: ApiContext, job_id: UUID, edl: EDL) -> MediaAddress:
    """Signed addresses of the edit's footage.

    Raises:
        ConflictError: some of it is not in the project any more (``INVALID_TRANSITION``).
    """
    project_id = (await Jobs(caller.connections).get(job_id)).project_id
    keys = {asset.sha256: asset.object_key for asset in await Assets(caller.connections).live_for_project(project_id)}
    missing = [source.name for source in edl.sources if source.sha256 not in keys]
    if missing:
        raise ConflictError(ErrorCode.INVALID_TRANSITION, f"{missing[0]} is no longer in this project.")
    signed = {
        source.id: await context.objects.signed_download_url(
            Bucket.ASSETS, keys[source.sha256], expires_in=VALID_FOR, filename=source.name
        )
        for source in edl.sources
    }
    return lambda source: signed[source.id]

"""Edits by hand: held against the footage, and rendered as a job of their own."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.exceptions import HTTPException
from pydantic import ValidationError

from activities.known_facts import known_facts
from activities.output_keys import edit_key
from activities.uploads import upload_bytes
from api.callers import Authenticated, Context
from api.context import ApiContext
from api.files import edit_of
from api.jobs import IdempotencyKey
from api.problems import problem_responses
from director import adopt, captions_from, import_otio, with_captions
from schemas.edl import EDL, Variant
from schemas.errors import ConflictError, ErrorCode
from schemas.facts import AssetFacts
from schemas.invalid_input import FieldProblem, InvalidInput
from schemas.jobs import BroughtPlan, Job, JobRequest, Output
from schemas.resources.edits import EXAMPLE_EDIT, EditReview, NewRevision
from schemas.resources.jobs import JobResource
from stores import Analyses, Assets, Bucket, Jobs, Outputs
from stores.threads import in_thread

JSON: Final = "application/json"
OTIO: Final = "application/vnd.pixar.opentimelineio+json"
SUBTITLES: Final = ("application/x-subrip", "text/vtt", "text/plain")

Read = TypeVar("Read")

AcceptFindings = Annotated[
    bool, Query(description="Render it although a viewer may notice what was found; out-of-step sound stays refused.")
]

_REFUSALS: Final = problem_responses(HTTPStatus.CONFLICT, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
_EDL: Final = {"$ref": "#/components/schemas/EDL"}
_CAPTION: Final = {"$ref": "#/components/schemas/Caption"}
_CUE: Final = "00:00:00.000 --> 00:00:01.500\nLight is what you paint with.\n"
_ONE_CAPTION: Final = {"captions": [{"start": 0, "end": 45, "lines": ["Light is what you paint with."]}]}
_EDIT_BODY: Final[Mapping[str, Any]] = {
    "required": True,
    "content": {
        JSON: {
            "schema": _EDL,
            "examples": {"edit": {"summary": "A second of one file", "value": EXAMPLE_EDIT.model_dump(mode="json")}},
        }
    },
}
_REVISION_BODY: Final[Mapping[str, Any]] = {
    "required": True,
    "content": {
        JSON: {
            "schema": {
                "oneOf": [
                    {"type": "object", "properties": {"edl": _EDL}, "required": ["edl"]},
                    {
                        "type": "object",
                        "properties": {"captions": {"type": "array", "items": _CAPTION}},
                        "required": ["captions"],
                    },
                ]
            },
            "examples": {"captions": {"summary": "Other captions, times in frames", "value": _ONE_CAPTION}},
        },
        OTIO: {"schema": {"type": "object"}},
        "text/vtt": {"schema": {"type": "string"}, "example": f"WEBVTT\n\n{_CUE}"},
        "application/x-subrip": {"schema": {"type": "string"}, "example": f"1\n{_CUE.replace('.0', ',0')}"},
    },
}


#: ``PUT /outputs/{output_id}/edl`` and ``/outputs/{output_id}/revisions``.
routes = APIRouter()


@routes.put(
    "/outputs/{output_id}/edl",
    tags=["files"],
    summary="Hold an edit against the footage",
    responses=_REFUSALS,
    openapi_extra={"requestBody": _EDIT_BODY},
)
async def check_edit(output_id: UUID, request: Request, caller: Authenticated, context: Context) -> EditReview:
    """What would become of this edit as a revision of the output. Nothing is rendered, and nothing is kept."""
    _media_type(request, JSON)
    output = await Outputs(caller.connections).get(output_id)
    job = await Jobs(caller.connections).get(output.job_id)
    content = await request.body()
    edl = await in_thread(lambda: _valid(lambda: EDL.model_validate_json(content)))
    facts = await _facts(context, job.project_id)
    if facts is None:
        raise ConflictError(ErrorCode.INVALID_TRANSITION, "Not all footage of this project is analysed just now.")
    return await in_thread(lambda: _reviewed(edl, facts, output.variant))


@routes.post(
    "/outputs/{output_id}/revisions",
    tags=["jobs"],
    status_code=HTTPStatus.CREATED,
    summary="Render an output as edited by hand",
    responses=_REFUSALS,
    openapi_extra={"requestBody": _REVISION_BODY},
)
async def revise(
    output_id: UUID,
    request: Request,
    caller: Authenticated,
    context: Context,
    *,
    accept_findings: AcceptFindings = False,
    idempotency_key: IdempotencyKey = None,
) -> JobResource:
    """A new job in the same project, for this one output. Captions may come as SubRip or WebVTT text.

    An OpenTimelineIO timeline that was exported here may come back as another program has left it.

    What it was made of stays as it is; `request.plans` of the new job says which output that was.
    """
    media_type = _media_type(request, JSON, OTIO, *SUBTITLES)
    output = await Outputs(caller.connections).get(output_id)
    job = await Jobs(caller.connections).get(output.job_id)
    content = await request.body()
    edl = await _revised(content, media_type, lambda: edit_of(context.objects, output))
    stored = edl.model_dump_json(indent=1).encode()
    order = _order(job, output, hashlib.sha256(stored).hexdigest(), accept_findings=accept_findings)
    if idempotency_key is not None:
        known = await Jobs(context.database).ordered_before(
            caller.owner_id, job.project_id, order, idempotency_key=idempotency_key
        )
        if known is not None:
            return JobResource.of(known)
    await _hold(context, job, output, edl, accept_findings=accept_findings)
    key = edit_key(caller.owner_id, job.project_id, order.plans[0].edl_sha256)
    await upload_bytes(context.objects, Bucket.OUTPUTS, key, stored)
    made = await Jobs(context.database).create(caller.owner_id, job.project_id, order, idempotency_key=idempotency_key)
    return JobResource.of(made)


def _media_type(request: Request, *taken: str) -> str:
    """What the body is. Raises 415 for anything that is not taken here."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in taken:
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"The body should be {' or '.join(taken)}.")
    return media_type


def _valid(read: Callable[[], Read]) -> Read:
    """What was read. Raises ``InvalidInput`` with the paths of what is wrong."""
    try:
        return read()
    except ValidationError as error:
        raise InvalidInput.from_validation(error) from error


async def _revised(content: bytes, media_type: str, edit: Callable[[], Awaitable[EDL]]) -> EDL:
    """The edit that was sent, or the output's own ``edit`` with the captions that were sent."""
    if media_type == OTIO:
        timeline = _text(content)
        return await in_thread(lambda: import_otio(timeline))
    if media_type != JSON:
        text, before = _text(content), await edit()
        return await in_thread(lambda: _valid(lambda: with_captions(before, captions_from(text, before.rate))))
    revision = await in_thread(lambda: _valid(lambda: NewRevision.model_validate_json(content)))
    if revision.edl is not None:
        return revision.edl
    before, captions = await edit(), revision.captions or ()
    return await in_thread(lambda: _valid(lambda: with_captions(before, captions)))


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput.of("", "should be text in UTF-8") from error


def _order(job: Job, output: Output, edl_sha256: str, *, accept_findings: bool) -> JobRequest:
    """The job's request for this one output, so that its analyses are those that are needed again."""
    plan = BroughtPlan(
        variant=output.variant, edl_sha256=edl_sha256, revised_from=output.id, accept_findings=accept_findings
    )
    changes = {"variants": (output.variant,), "outputs": (), "plans": (plan,), "approval": None}
    return JobRequest.model_validate({**dict(job.request), **changes})


async def _facts(context: ApiContext, project_id: UUID) -> tuple[AssetFacts, ...] | None:
    assets = await Assets(context.database).live_for_project(project_id)
    return await known_facts(context.objects, Analyses(context.database), assets)


async def _hold(context: ApiContext, job: Job, output: Output, edl: EDL, *, accept_findings: bool) -> None:
    """Refuse at once what the job would refuse; footage that has to be analysed again is the job's to know.

    Raises:
        InvalidInput: the edit is none of this footage, or a viewer would notice what was not accepted.
    """
    facts = await _facts(context, job.project_id)
    if facts is None:
        return
    _, rows = await in_thread(lambda: adopt(edl, facts, output.variant, accept_findings=accept_findings))
    missed = [row for row in rows if row.hard and not row.passed]
    if missed:
        told = (f"{row.name}: {row.measured} {row.unit} ({row.limit})".replace("  ", " ") for row in missed)
        raise InvalidInput([FieldProblem(field="edl", problem=sentence) for sentence in told])


def _reviewed(edl: EDL, facts: tuple[AssetFacts, ...], variant: Variant) -> EditReview:
    _, rows = adopt(edl, facts, variant, accept_findings=True)
    return EditReview(
        renderable=all(row.passed for row in rows),
        renderable_if_accepted=all(row.passed for row in rows if row.hard),
        findings=rows,
    )

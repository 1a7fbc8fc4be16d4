"""Jobs: ordered, listed, read and steered."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID, uuid4

import structlog
from fastapi import APIRouter, Body, Header, Query

from activities.removing import Remover
from api.callers import Authenticated, Caller, Context
from api.context import ApiContext
from api.cursors import Cursor, Limit, below, page_of
from api.problems import problem_responses
from schemas.errors import CinemaError, ErrorCode, TransientError
from schemas.jobs import Job, JobRequest, JobStatus
from schemas.resources.jobs import JobResource, OutputResource, OutputsOrder
from schemas.resources.page import Page
from stores import JobDeletions, Jobs, Ledger, Outputs, Projects, Removals
from stores.job_deletions import require_ended
from stores.job_listing import JobListing
from stores.job_reading import job_as_seen_by
from workflows.deletion_client import start_job_deletion
from workflows.job_client import JobClient

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Your name for this request: sent again with the same key, however late, it is answered the same "
        "and nothing is done twice.",
    ),
]
Order = Annotated[
    JobRequest,
    Body(
        openapi_examples={
            "everything": {"summary": "One output of each variant", "value": {}},
            "reel": {"summary": "A fast vertical reel", "value": {"variants": ["vertical_reel"], "pace": "fast"}},
            "approved": {
                "summary": "Show the plans, and render what is approved within an hour",
                "value": {"variants": ["short_highlight", "hook_cut"], "approval": {"timeout_seconds": 3600}},
            },
        }
    ),
]
OnlyStatus = Annotated[JobStatus | None, Query(description="Only jobs in this state.")]
OnlyProject = Annotated[UUID | None, Query(description="Only jobs of this project.")]

_CONFLICT: Final = problem_responses(HTTPStatus.CONFLICT)

log = structlog.get_logger(__name__)


#: ``/jobs`` and the orders below each, ``/projects/{project_id}/jobs`` and ``/outputs/{output_id}``.
routes = APIRouter(tags=["jobs"])


@routes.get("/jobs/{job_id}", summary="Read a job")
async def read(job_id: UUID, caller: Authenticated) -> JobResource:
    return await _job(caller, job_id)


@routes.post("/projects/{project_id}/jobs", status_code=HTTPStatus.CREATED, summary="Order a job", responses=_CONFLICT)
async def create(
    project_id: UUID,
    request: Order,
    caller: Authenticated,
    context: Context,
    idempotency_key: IdempotencyKey = None,
) -> JobResource:
    """Accepted at once, also while Temporal is away: the job says `queued` until its work begins."""
    jobs = Jobs(context.database)
    return JobResource.of(await jobs.create(caller.owner_id, project_id, request, idempotency_key=idempotency_key))


@routes.get("/jobs", name="list", summary="List jobs, newest first")
async def list_jobs(
    caller: Authenticated,
    project: OnlyProject = None,
    status: OnlyStatus = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[JobResource]:
    found = await JobListing(caller.connections).page(limit + 1, below=below(cursor), project_id=project, status=status)
    return page_of([JobResource.of(job) for job in found], limit)


@routes.delete(
    "/jobs/{job_id}",
    name="delete",
    status_code=HTTPStatus.ACCEPTED,
    summary="Delete a job, for good",
    responses=_CONFLICT,
)
async def delete(job_id: UUID, caller: Authenticated, context: Context) -> JobResource:
    """With its outputs, their files and share links, its events and its figures; once it has ended.

    A job that still runs is answered 409: call it off first. From the answer on its outputs are `expired` and nothing
    of it can be made again; in the end it is not found. Footage and analyses stay with the project, as do segments of
    long outputs, which go a week after their last use. Sent again, it goes on where it was.
    """
    job = await Jobs(caller.connections).get(job_id)
    require_ended(job.status)
    requested_by = f"creator {caller.owner_id}"
    await start_job_deletion(context.temporal, job_id, requested_by=requested_by)
    bill = await Ledger(context.database).bill_of_job(job_id)
    await JobDeletions(context.database).begin(job_id, requested_by, bill)
    return JobResource.of(job)


@routes.get("/outputs/{output_id}", summary="Read an output")
async def read_output(output_id: UUID, caller: Authenticated) -> OutputResource:
    return OutputResource.of(await Outputs(caller.connections).get(output_id))


@routes.delete(
    "/outputs/{output_id}",
    name="delete_output",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Delete an output's files",
    responses=_CONFLICT,
)
async def delete_output(output_id: UUID, caller: Authenticated, context: Context) -> None:
    """For good, once its job has ended: its share links are closed, and it can only be made by a new job.

    It stays in its job as `expired`, with what was measured. Segments of a long one, from which changes to it would be
    made, go a week after their last use.
    """
    await Outputs(caller.connections).get(output_id)
    await Outputs(context.database).withdraw(caller.owner_id, output_id)
    try:
        await Remover(context.objects, Removals(context.database)).output(output_id)
    except TransientError as error:
        log.warning("files of a deleted output are left to the next sweep", output=str(output_id), error=error.message)


@routes.post("/jobs/{job_id}/cancel", summary="Call a job or some of its outputs off", responses=_CONFLICT)
async def cancel(job_id: UUID, order: OutputsOrder, caller: Authenticated, context: Context) -> JobResource:
    """What runs is stopped, what is completed stays. A job that has not begun is called off where it waits."""
    job = await Jobs(caller.connections).get(job_id)
    await _called_off(context, job, order.outputs)
    return await _job(caller, job_id)


@routes.post("/jobs/{job_id}/retry", summary="Make failed or cancelled outputs again", responses=_CONFLICT)
async def retry(
    job_id: UUID,
    order: OutputsOrder,
    caller: Authenticated,
    context: Context,
    idempotency_key: IdempotencyKey = None,
) -> JobResource:
    """What succeeded is not made again; analyses are reused."""
    job = await Jobs(caller.connections).get(job_id)
    project = await Projects(caller.connections).get(job.project_id)
    order_id = idempotency_key or str(uuid4())
    await JobClient(context.temporal).retry(job, project, order.outputs, order_id=order_id)
    return await _job(caller, job_id)


@routes.post("/jobs/{job_id}/approve", summary="Approve plans, so that they are rendered", responses=_CONFLICT)
async def approve(job_id: UUID, order: OutputsOrder, caller: Authenticated, context: Context) -> JobResource:
    """The plans not named are called off; without any named, all are rendered."""
    return await _steered(caller, job_id, lambda: JobClient(context.temporal).approve(job_id, order.outputs))


@routes.post("/jobs/{job_id}/pause", summary="Begin nothing new", responses=_CONFLICT)
async def pause(job_id: UUID, caller: Authenticated, context: Context) -> JobResource:
    return await _steered(caller, job_id, lambda: JobClient(context.temporal).pause(job_id))


@routes.post("/jobs/{job_id}/resume", summary="Go on after a pause", responses=_CONFLICT)
async def resume(job_id: UUID, caller: Authenticated, context: Context) -> JobResource:
    return await _steered(caller, job_id, lambda: JobClient(context.temporal).resume(job_id))


async def _job(caller: Caller, job_id: UUID) -> JobResource:
    return await job_as_seen_by(caller.connections, job_id)


async def _steered(caller: Caller, job_id: UUID, steer: Callable[[], Awaitable[object]]) -> JobResource:
    """The job after an order that only its owner may give."""
    await Jobs(caller.connections).get(job_id)
    await steer()
    return await _job(caller, job_id)


async def _called_off(context: ApiContext, job: Job, outputs: tuple[UUID, ...]) -> None:
    """Through its workflow, or in its rows where the whole job is called off before it has one."""
    try:
        await JobClient(context.temporal).cancel_outputs(job.id, outputs)
    except CinemaError as error:
        has_begun = job.status is not JobStatus.QUEUED
        waits = error.code in {ErrorCode.NOT_FOUND, ErrorCode.STACK_UNAVAILABLE}
        if has_begun or outputs or not waits:
            raise
        await Jobs(context.database).cancel(job.id)

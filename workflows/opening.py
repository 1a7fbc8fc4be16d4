"""The start of a job that its client brought whole: refused, or given its rows, and shown like any other."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.declarations import OPEN_JOB, SETTLE_JOB, JobOutcome, OpenJob
from activities.interception import application_error
from schemas.errors import ErrorCode
from schemas.jobs import ArtifactCounts, JobStatus
from schemas.opening import NewJob, NewProject
from workflows.calls import call, failure_of
from workflows.client_input import ReceivedJob
from workflows.contract import JOB_STATUS, OWNER, VARIANTS
from workflows.limits import HEARTBEAT_TIMEOUT, LIGHT, LIGHT_RETRY, ActivityLimits

#: Every byte of the footage is read once from the object store, whatever it is.
OPENING = ActivityLimits(timedelta(hours=6), LIGHT_RETRY, HEARTBEAT_TIMEOUT)


async def open_job(job: ReceivedJob) -> None:
    """Make sure that the job has its rows, if it has not been made by whoever started the workflow.

    Raises:
        ApplicationError: The argument breaks the contract.
        ActivityError: What it refers to is not there, or the job cannot be written; nothing of it is.
        asyncio.CancelledError: It was called off; if it had its rows already, they say so.
    """
    if job.refusal is not None:
        raise application_error(job.refusal)
    if job.new_job is None:
        return
    _introduce(job.new_job)
    try:
        await call(OPEN_JOB, OpenJob(job_id=job.job_id, new_job=job.new_job), OPENING, summary="open job")
    except ActivityError as error:
        if not is_cancelled_exception(error):
            raise
        await _call_off(job)
        raise asyncio.CancelledError from error


def _introduce(new: NewJob) -> None:
    """What the dispatcher says of a job when it starts its workflow; the project is known once it is there."""
    workflow.upsert_search_attributes(
        [
            OWNER.value_set(str(new.owner_id)),
            JOB_STATUS.value_set(JobStatus.QUEUED.value),
            VARIANTS.value_set(list(dict.fromkeys(output.variant.value for output in new.request.wanted()))),
        ]
    )
    memo = {"owner": str(new.owner_id), "pace": new.request.pace.value}
    if isinstance(new.project, NewProject):
        memo["project"] = new.project.name
    workflow.upsert_memo(memo)


async def _call_off(job: ReceivedJob) -> None:
    """The attempt that was called off may have written the rows just before."""
    outcome = JobOutcome(job_id=job.job_id, artifacts=ArtifactCounts(), cancelled=True)
    try:
        await call(SETTLE_JOB, outcome, LIGHT, summary="settle job")
    except ActivityError as error:
        if failure_of(error).code is not ErrorCode.NOT_FOUND:
            raise

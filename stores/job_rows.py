"""The rows that a job consists of, written alike whoever orders it."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from schemas.errors import ErrorInfo
from schemas.jobs import ArtifactCounts, Job, JobRequest, JobStatus, Output
from stores.database import Connection, model_from

#: One statement, and so one round trip: the job, its outputs, and the entry that has its workflow started.
_INSERT = """
    with job as (
        insert into public.jobs (id, owner_id, project_id, request, idempotency_key) values ($1, $2, $3, $4, $5)
        returning *
    ), made as (
        insert into public.job_outputs (job_id, owner_id, position, variant, number, count, spec)
        select $1, $2, ordinal - 1, wanted ->> 'variant', (wanted ->> 'number')::smallint,
            (wanted ->> 'count')::smallint, wanted -> 'spec'
        from jsonb_array_elements($6) with ordinality as each (wanted, ordinal)
        returning *
    ), entry as (
        insert into public.outbox (job_id, traceparent, done_at)
        values ($1, $7, case when $8 then clock_timestamp() end)
    )
    select job.*, array(select to_jsonb(made) from made order by position) as outputs from job
"""


@dataclass(frozen=True, slots=True)
class JobOrder:
    """Whose job it is, of which project, and what it is to make.

    ``started`` is of one whose workflow runs already: its entry in the outbox has nothing left to start.
    """

    job_id: UUID
    owner_id: UUID
    project_id: UUID
    request: JobRequest
    idempotency_key: str | None = None
    traceparent: str | None = None
    started: bool = False


async def insert_job(connection: Connection, order: JobOrder) -> Job:
    """The job with its outputs named, a row for each of them, all queued, and its entry in the outbox."""
    row = await connection.fetchrow(
        _INSERT,
        order.job_id,
        order.owner_id,
        order.project_id,
        order.request.expanded().model_dump(mode="json"),
        order.idempotency_key,
        [output.model_dump(mode="json") for output in order.request.wanted()],
        order.traceparent,
        order.started,
    )
    if row is None:
        raise AssertionError("an insert gives its row")
    return job_from(row, [model_from(output, Output) for output in row["outputs"]])


def job_from(row: asyncpg.Record, outputs: Iterable[Output]) -> Job:
    """A row of ``jobs`` and its outputs, in order."""
    return Job(
        id=row["id"],
        owner_id=row["owner_id"],
        project_id=row["project_id"],
        status=JobStatus(row["status"]),
        request=JobRequest.model_validate(row["request"]),
        artifacts=ArtifactCounts(computed=row["artifacts_computed"], reused=row["artifacts_reused"]),
        error=row["error"] and ErrorInfo.model_validate(row["error"]),
        outputs=tuple(outputs),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )

"""The rows that a job consists of, written alike whoever orders it."""

from collections.abc import Iterable
from uuid import UUID

import asyncpg

from schemas.errors import ErrorInfo
from schemas.jobs import ArtifactCounts, Job, JobRequest, JobStatus, Output
from stores.database import Connection


async def insert_job(
    connection: Connection,
    *,
    job_id: UUID,
    owner_id: UUID,
    project_id: UUID,
    request: JobRequest,
    idempotency_key: str | None = None,
) -> None:
    """The job with its outputs named, and a row for each of them, all queued."""
    await connection.execute(
        "insert into public.jobs (id, owner_id, project_id, request, idempotency_key) values ($1, $2, $3, $4, $5)",
        job_id,
        owner_id,
        project_id,
        request.expanded().model_dump(mode="json"),
        idempotency_key,
    )
    await connection.executemany(
        """
        insert into public.job_outputs (job_id, owner_id, position, variant, number, count, spec)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        [
            (job_id, owner_id, at, output.variant, output.number, output.count, output.spec.model_dump(mode="json"))
            for at, output in enumerate(request.wanted())
        ],
    )


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

"""The rows that a job consists of, written alike whoever orders it."""

from uuid import UUID

from schemas.jobs import JobRequest
from stores.database import Connection


async def insert_job(
    connection: Connection, *, job_id: UUID, owner_id: UUID, project_id: UUID, request: JobRequest
) -> None:
    """The job and an output for each variant asked for, all queued."""
    await connection.execute(
        "insert into public.jobs (id, owner_id, project_id, request) values ($1, $2, $3, $4)",
        job_id,
        owner_id,
        project_id,
        request.model_dump(mode="json"),
    )
    await connection.executemany(
        "insert into public.job_outputs (job_id, owner_id, variant, position) values ($1, $2, $3, $4)",
        [(job_id, owner_id, variant, at) for at, variant in enumerate(dict.fromkeys(request.variants))],
    )

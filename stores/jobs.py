"""Jobs: created whole with their outputs and their outbox entry, moved through their stages, settled."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from schemas.errors import CinemaError, ConflictError, ErrorCode, ErrorInfo
from schemas.jobs import ArtifactCounts, AssetStatus, Job, JobRequest, JobStatus, Output, OutputStatus
from stores.database import Connection, Connections, model_from, session, storable_json, transaction
from stores.job_rows import insert_job
from stores.settling import derived_status
from stores.trace_context import current_traceparent

_STAGES = frozenset({JobStatus.ANALYSING, JobStatus.PLANNING, JobStatus.RENDERING})
_UNSETTLED = [status for status in OutputStatus if not status.settled]


class Jobs:
    """Rows of ``jobs`` with their ``job_outputs``. Every method locks the job before its outputs."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def create(self, owner_id: UUID, project_id: UUID, request: JobRequest) -> Job:
        """One transaction: the job, an output for each variant asked for, and the outbox entry that will start it.

        Raises:
            CinemaError: this creator has no such project (``NOT_FOUND``).
        """
        async with transaction(self._connections) as connection:
            job_id = uuid4()
            await insert_job(connection, job_id=job_id, owner_id=owner_id, project_id=project_id, request=request)
            await connection.execute(
                "insert into public.outbox (job_id, traceparent) values ($1, $2)", job_id, current_traceparent()
            )
            return await _read(connection, job_id)

    async def get(self, job_id: UUID) -> Job:
        """The job with its outputs. Raises ``NOT_FOUND`` if there is none, or it is not the caller's to see."""
        async with transaction(self._connections) as connection:
            return await _read(connection, job_id)

    async def set_status(self, job_id: UUID, status: JobStatus) -> None:
        """Enters a working stage; being there already is fine.

        Raises:
            ConflictError: the job has settled, or ``status`` is no working stage (``INVALID_TRANSITION``).
        """
        if status not in _STAGES:
            raise ConflictError(ErrorCode.INVALID_TRANSITION, f"A job becomes {status} through its outputs.")
        async with session(self._connections) as connection:
            found = await connection.fetchval(
                "update public.jobs set status = $2 where id = $1 returning true", job_id, status
            )
        if not found:
            raise _missing()

    async def count_artifacts(self, job_id: UUID, artifacts: ArtifactCounts) -> None:
        """Sets how many analyses were made and how many were found made. Raises ``NOT_FOUND`` if there is no job."""
        async with session(self._connections) as connection:
            found = await connection.fetchval(
                "update public.jobs set artifacts_computed = $2, artifacts_reused = $3 where id = $1 returning true",
                job_id,
                artifacts.computed,
                artifacts.reused,
            )
        if not found:
            raise _missing()

    async def settle(self, job_id: UUID) -> Job:
        """Ends the job as its outputs ended; a job that has ended stays as it is.

        Raises:
            ConflictError: an output has not settled (``INVALID_TRANSITION``).
        """
        async with transaction(self._connections) as connection:
            await _lock(connection, job_id)
            return await _settle(connection, job_id)

    async def cancel(self, job_id: UUID) -> Job:
        """Calls off whatever has not settled and ends the job."""
        async with transaction(self._connections) as connection:
            await _lock(connection, job_id)
            await connection.execute(
                "update public.job_outputs set status = 'cancelled' where job_id = $1 and status = any($2::text[])",
                job_id,
                _UNSETTLED,
            )
            return await _settle(connection, job_id)

    async def fail(self, job_id: UUID, error: ErrorInfo) -> Job:
        """Fails whatever has not settled with ``error`` and ends the job, which keeps it too unless it is completed."""
        stored = storable_json(error.model_dump(mode="json"))
        async with transaction(self._connections) as connection:
            await _lock(connection, job_id)
            await connection.execute(
                """
                update public.job_outputs set status = 'failed', error = $3
                where job_id = $1 and status = any($2::text[])
                """,
                job_id,
                _UNSETTLED,
                stored,
            )
            return await _settle(connection, job_id, error=stored)

    async def reopen(self, job_id: UUID, output_ids: Sequence[UUID]) -> Job:
        """Puts failed and cancelled outputs back in the queue, and their job with them if it had ended.

        Outputs that are being made already are left alone, so that the same call may come twice.

        Raises:
            CinemaError: one of the outputs is not this job's (``NOT_FOUND``).
            ConflictError: one is completed, or there is nothing to make again (``INVALID_TRANSITION``).
        """
        wanted = list(set(output_ids))
        async with transaction(self._connections) as connection:
            status = await _lock(connection, job_id)
            await _check_reopenable(connection, job_id, wanted)
            reopened = await connection.fetch(
                """
                update public.job_outputs set status = 'queued', stage = 'queued', progress = 0, error = null
                where job_id = $1 and id = any($2::uuid[]) and status in ('failed', 'cancelled') returning id
                """,
                job_id,
                wanted,
            )
            if status.settled:
                if not reopened:
                    raise ConflictError(ErrorCode.INVALID_TRANSITION, "There is nothing in this job to make again.")
                await connection.execute("update public.jobs set status = 'queued', error = null where id = $1", job_id)
            return await _read(connection, job_id)


async def _lock(connection: Connection, job_id: UUID) -> JobStatus:
    status = await connection.fetchval("select status from public.jobs where id = $1 for update", job_id)
    if status is None:
        raise _missing()
    return JobStatus(status)


async def _read(connection: Connection, job_id: UUID) -> Job:
    row = await connection.fetchrow("select * from public.jobs where id = $1", job_id)
    if row is None:
        raise _missing()
    outputs = await connection.fetch("select * from public.job_outputs where job_id = $1 order by position", job_id)
    return Job(
        id=row["id"],
        owner_id=row["owner_id"],
        project_id=row["project_id"],
        status=JobStatus(row["status"]),
        request=JobRequest.model_validate(row["request"]),
        artifacts=ArtifactCounts(computed=row["artifacts_computed"], reused=row["artifacts_reused"]),
        error=row["error"] and ErrorInfo.model_validate(row["error"]),
        outputs=tuple(model_from(output, Output) for output in outputs),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


async def _settle(connection: Connection, job_id: UUID, *, error: object = None) -> Job:
    job = await _read(connection, job_id)
    if job.status.settled:
        return job
    refused = await connection.fetchval(
        "select exists (select from public.assets where project_id = $1 and status = $2)",
        job.project_id,
        AssetStatus.REFUSED,
    )
    status = derived_status([output.status for output in job.outputs], asset_refused=refused)
    await connection.execute(
        "update public.jobs set status = $2, error = $3 where id = $1",
        job_id,
        status,
        None if status is JobStatus.COMPLETED else error,
    )
    return await _read(connection, job_id)


async def _check_reopenable(connection: Connection, job_id: UUID, output_ids: list[UUID]) -> None:
    rows = await connection.fetch(
        "select status from public.job_outputs where job_id = $1 and id = any($2::uuid[]) for update",
        job_id,
        output_ids,
    )
    if len(rows) < len(output_ids):
        raise CinemaError(ErrorCode.NOT_FOUND, "One of these outputs does not belong to this job.")
    if any(row["status"] == OutputStatus.COMPLETED for row in rows):
        raise ConflictError(ErrorCode.INVALID_TRANSITION, "A completed output is not made again.")


def _missing() -> CinemaError:
    return CinemaError(ErrorCode.NOT_FOUND, "This job does not exist.")

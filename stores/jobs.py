"""Jobs: created whole with their outputs and their outbox entry, moved through their stages, settled."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from schemas.control import OutputState, outputs_to_retry
from schemas.errors import CinemaError, ConflictError, ErrorCode, ErrorInfo
from schemas.jobs import ArtifactCounts, AssetStatus, Job, JobRequest, JobStatus, Output, OutputStatus
from stores.database import Connection, Connections, model_from, session, storable_json, transaction
from stores.job_rows import JobOrder, insert_job, job_from
from stores.settling import derived_status
from stores.trace_context import current_traceparent

#: Retries of one job: more than any reason to retry, and few enough for a workflow to know them all.
MOST_RETRIES = 100

_STAGES = frozenset(status for status in JobStatus if not status.settled and status is not JobStatus.QUEUED)
_UNSETTLED = [status for status in OutputStatus if not status.settled]


class Jobs:
    """Rows of ``jobs`` with their ``job_outputs``. Every method locks the job before its outputs."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def create(
        self, owner_id: UUID, project_id: UUID, request: JobRequest, *, idempotency_key: str | None = None
    ) -> Job:
        """One transaction: the job, its outputs, and the outbox entry that will start it.

        Sent again with the same ``idempotency_key``, however late, the same order gives the same job.

        Raises:
            CinemaError: this creator has no such project (``NOT_FOUND``), or used the key for another order
                (``CONFLICT``).
        """
        order = JobOrder(
            job_id=uuid4(),
            owner_id=owner_id,
            project_id=project_id,
            request=request,
            idempotency_key=idempotency_key,
            traceparent=current_traceparent(),
        )
        if idempotency_key is None:
            async with session(self._connections) as connection:
                return await insert_job(connection, order)
        async with transaction(self._connections) as connection:
            made = await _made_before(connection, owner_id, idempotency_key)
            return await insert_job(connection, order) if made is None else _same_order(made, project_id, request)

    async def ordered_before(
        self, owner_id: UUID, project_id: UUID, request: JobRequest, *, idempotency_key: str
    ) -> Job | None:
        """The job that :meth:`create` would give back, if this order was sent before. Raises ``CONFLICT`` likewise."""
        async with transaction(self._connections) as connection:
            made = await _made_before(connection, owner_id, idempotency_key)
        return None if made is None else _same_order(made, project_id, request)

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
        async with transaction(self._connections) as connection:
            await _lock(connection, job_id)
            return await fail_unsettled(connection, job_id, error)

    async def reopen(self, job_id: UUID, output_ids: Sequence[UUID], retry_id: str) -> tuple[UUID, ...]:
        """Puts failed and cancelled outputs back in the queue, and their job with them if it had ended.

        Args:
            job_id: the job.
            output_ids: what to make again; nothing named means all that failed or was cancelled.
            retry_id: the order to do so. The same order sent again changes nothing, whatever happened since.

        Returns:
            The outputs that this order put back, then or now.

        Raises:
            CinemaError: one of the outputs is not this job's (``NOT_FOUND``).
            ConflictError: one has not failed or been cancelled, there is nothing to make again, or the job has been
                retried too often (``INVALID_TRANSITION``).
        """
        async with transaction(self._connections) as connection:
            await _lock(connection, job_id)
            carried_out: list[UUID] | None = await connection.fetchval(
                "select output_ids from public.job_retries where job_id = $1 and retry_id = $2", job_id, retry_id
            )
            if carried_out is not None:
                return tuple(carried_out)
            job = await _read(connection, job_id)
            states = [OutputState.of(output) for output in job.outputs]
            chosen = tuple(output.output_id for output in outputs_to_retry(states, output_ids))
            await _record_retry(connection, job, retry_id, chosen)
            await connection.execute(
                """
                update public.job_outputs set status = 'queued', stage = 'queued', progress = 0, error = null
                where job_id = $1 and id = any($2::uuid[])
                """,
                job_id,
                chosen,
            )
            if job.status.settled:
                await connection.execute("update public.jobs set status = 'queued', error = null where id = $1", job_id)
            return chosen

    async def retries(self, job_id: UUID) -> tuple[str, ...]:
        """The orders to make outputs of this job again that have been carried out, oldest first."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                "select retry_id from public.job_retries where job_id = $1 order by created_at, retry_id", job_id
            )
        return tuple(row["retry_id"] for row in rows)


async def fail_unsettled(connection: Connection, job_id: UUID, error: ErrorInfo) -> Job:
    """As :meth:`Jobs.fail`, in a transaction that has locked the job."""
    stored = storable_json(error.model_dump(mode="json"))
    await connection.execute(
        "update public.job_outputs set status = 'failed', error = $3 where job_id = $1 and status = any($2::text[])",
        job_id,
        _UNSETTLED,
        stored,
    )
    return await _settle(connection, job_id, error=stored)


async def _made_before(connection: Connection, owner_id: UUID, idempotency_key: str) -> Job | None:
    """The job made by the request of this name. Requests of one name wait for each other until they commit."""
    name = f"order {owner_id} {idempotency_key}"
    await connection.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", name)
    job_id = await connection.fetchval(
        "select id from public.jobs where owner_id = $1 and idempotency_key = $2", owner_id, idempotency_key
    )
    return None if job_id is None else await _read(connection, job_id)


def _same_order(made: Job, project_id: UUID, request: JobRequest) -> Job:
    if (made.project_id, made.request.expanded()) != (project_id, request.expanded()):
        raise CinemaError(ErrorCode.CONFLICT, "This idempotency key was used for another order.")
    return made


async def _lock(connection: Connection, job_id: UUID) -> JobStatus:
    status = await connection.fetchval("select status from public.jobs where id = $1 for update", job_id)
    if status is None:
        raise _missing()
    return JobStatus(status)


async def _read(connection: Connection, job_id: UUID) -> Job:
    """The job and its outputs at one moment, in one round trip."""
    row = await connection.fetchrow(
        """
        select jobs.*, array(
            select to_jsonb(outputs) from public.job_outputs outputs where outputs.job_id = jobs.id order by position
        ) as outputs
        from public.jobs where id = $1
        """,
        job_id,
    )
    if row is None:
        raise _missing()
    return job_from(row, [model_from(output, Output) for output in row["outputs"]])


async def _settle(connection: Connection, job_id: UUID, *, error: object = None) -> Job:
    job = await _read(connection, job_id)
    if job.status.settled:
        return job
    refused = await connection.fetchval(
        """
        select exists (select from public.assets where project_id = $1 and status = $2 and expiring_since is null)
        """,
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


async def _record_retry(connection: Connection, job: Job, retry_id: str, output_ids: Sequence[UUID]) -> None:
    earlier = await connection.fetchval("select count(*) from public.job_retries where job_id = $1", job.id)
    if earlier >= MOST_RETRIES:
        raise ConflictError(
            ErrorCode.INVALID_TRANSITION, f"This job has been retried {earlier} times; start a new one instead."
        )
    await connection.execute(
        "insert into public.job_retries (job_id, owner_id, retry_id, output_ids) values ($1, $2, $3, $4)",
        job.id,
        job.owner_id,
        retry_id,
        output_ids,
    )


def _missing() -> CinemaError:
    return CinemaError(ErrorCode.NOT_FOUND, "This job does not exist.")

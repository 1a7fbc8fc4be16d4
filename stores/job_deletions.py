"""Single jobs on their way out, and the records of those that are gone."""

from collections.abc import Mapping
from uuid import UUID

from schemas.cost import Bill
from schemas.errors import CinemaError, ConflictError, ErrorCode
from schemas.jobs import JobStatus
from schemas.retention import Inventory, JobDeletionRecord, Verification
from stores.belongings import Belongings
from stores.database import Connection, Connections, model_from, session, storable, transaction
from stores.removals import StoredObject, stored_object

_OUTPUTS = "select id from public.job_outputs where job_id = $1"
_ABOUT_JOB = "data ? 'job_id' and data ->> 'job_id' = $1::uuid::text"
_EVENTS = f"select id from public.webhook_events where {_ABOUT_JOB}"  # noqa: S608 (a constant)
_DELIVERIES = f"select id from public.webhook_deliveries where event_id in ({_EVENTS})"  # noqa: S608 (a constant)

OF_JOB = Belongings(
    {
        "webhook_attempts": f"delivery_id in ({_DELIVERIES})",
        "webhook_deliveries": f"event_id in ({_EVENTS})",
        "webhook_events": _ABOUT_JOB,
        "ledger": "job_id = $1",
        "job_retries": "job_id = $1",
        "outbox": "job_id = $1",
        "share_links": f"output_id in ({_OUTPUTS})",
        "job_outputs": "job_id = $1",
        "jobs": "id = $1",
    }
)


class JobDeletions:
    """Rows of ``job_deletions``, and everything that hangs below the job each of them names."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def begin(self, job_id: UUID, requested_by: str, bill: Bill) -> JobDeletionRecord:
        """Takes the job's outputs out of use, for good; a deletion begun before is gone on with.

        Raises:
            CinemaError: there is no such job, and there never was a deletion of one (``NOT_FOUND``).
            ConflictError: the job has not ended (``INVALID_TRANSITION``).
        """
        async with transaction(self._connections) as connection:
            job = await connection.fetchrow("select * from public.jobs where id = $1 for update", job_id)
            if job is None:
                return await _record(connection, job_id)
            require_ended(JobStatus(job["status"]))
            await connection.execute(
                """
                update public.job_outputs set expiring_since = clock_timestamp()
                where job_id = $1 and expiring_since is null
                """,
                job_id,
            )
            await connection.execute(
                """
                insert into public.job_deletions (job_id, project_id, owner_id, requested_by, bill)
                values ($1, $2, $3, $4, $5) on conflict (job_id) do nothing
                """,
                job_id,
                job["project_id"],
                job["owner_id"],
                storable(requested_by),
                bill.model_dump(mode="json"),
            )
            return await _record(connection, job_id)

    async def get(self, job_id: UUID) -> JobDeletionRecord:
        """The record of the job's deletion. Raises ``NOT_FOUND`` if it was never asked for."""
        async with session(self._connections) as connection:
            return await _record(connection, job_id)

    async def unfinished_outputs(self, job_id: UUID) -> tuple[UUID, ...]:
        """The job's outputs whose objects may still be there."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                "select id from public.job_outputs where job_id = $1 and expired_at is null order by id", job_id
            )
        return tuple(row["id"] for row in rows)

    async def named_objects(self, job_id: UUID) -> tuple[StoredObject, ...]:
        """Every object that one of the job's outputs names."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                select distinct unnest(cinema.output_objects(files, edl_key)) as name
                from public.job_outputs where job_id = $1
                """,
                job_id,
            )
        return tuple(stored_object(row["name"]) for row in rows)

    async def edits_of_its_own(self, job_id: UUID) -> tuple[str, ...]:
        """The SHA-256 of edits that were brought for this job and for no other one of its project."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                select distinct plan ->> 'edl_sha256' as sha256
                from public.jobs job, jsonb_array_elements(job.request -> 'plans') plan
                where job.id = $1 and not exists (
                    select from public.jobs other, jsonb_array_elements(other.request -> 'plans') theirs
                    where other.project_id = job.project_id and other.id <> job.id
                    and theirs ->> 'edl_sha256' = plan ->> 'edl_sha256'
                )
                """,
                job_id,
            )
        return tuple(row["sha256"] for row in rows)

    async def take_inventory(self, job_id: UUID, inventory: Inventory) -> None:
        """Records what is about to be removed; the first inventory stays."""
        async with session(self._connections) as connection:
            await connection.execute(
                "update public.job_deletions set inventory = $2 where job_id = $1 and inventory is null",
                job_id,
                inventory.model_dump(mode="json"),
            )

    async def remove_rows(self, job_id: UUID) -> JobDeletionRecord:
        """Removes the job and all that belongs to it, and records how many rows of each table, together."""
        async with transaction(self._connections) as connection:
            present = await connection.fetchval("select true from public.jobs where id = $1 for update", job_id)
            if present:
                await connection.execute("select cinema.forget_job_in_totals($1)", job_id)
                removed = await OF_JOB.remove(connection, job_id)
                await connection.execute(
                    "update public.job_deletions set rows_removed = $2 where job_id = $1", job_id, removed
                )
            return await _record(connection, job_id)

    async def rows_left(self, job_id: UUID) -> Mapping[str, int]:
        """How many rows of each table belong to the job."""
        async with session(self._connections) as connection:
            return await OF_JOB.count(connection, job_id)

    async def finish(self, job_id: UUID, verification: Verification) -> JobDeletionRecord:
        """Records the proof; from now on the record cannot be changed. The same again changes nothing."""
        async with transaction(self._connections) as connection:
            await connection.execute(
                """
                update public.job_deletions set verification = $2, finished_at = clock_timestamp()
                where job_id = $1 and finished_at is null
                """,
                job_id,
                verification.model_dump(mode="json"),
            )
            return await _record(connection, job_id)


def require_ended(status: JobStatus) -> None:
    """Raises ``ConflictError`` where a job has not ended, and so cannot be deleted (``INVALID_TRANSITION``)."""
    if not status.settled:
        raise ConflictError(
            ErrorCode.INVALID_TRANSITION, f"This job is {status}: call it off first, and delete it once it has ended."
        )


async def _record(connection: Connection, job_id: UUID) -> JobDeletionRecord:
    row = await connection.fetchrow("select * from public.job_deletions where job_id = $1", job_id)
    if row is None:
        raise CinemaError(ErrorCode.NOT_FOUND, "This job does not exist.")
    return model_from(row, JobDeletionRecord)

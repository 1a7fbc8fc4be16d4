"""Projects on their way out, and the records of those that are gone."""

from collections.abc import Mapping
from uuid import UUID

from schemas.errors import CinemaError, ErrorCode
from schemas.retention import DeletionRecord, Inventory, Verification
from stores.belongings import Belongings
from stores.database import Connection, Connections, model_from, session, storable, transaction
from stores.removals import StoredObject, stored_object
from stores.retention import claim_unused_analyses

#: Contents locked in one transaction: all locks of a server share a table of some thousands.
CONTENTS_AT_ONCE = 100

_JOBS = "select id from public.jobs where project_id = $1"
_OUTPUTS = f"select id from public.job_outputs where job_id in ({_JOBS})"  # noqa: S608 (a constant)
_EVENTS = "select id from public.webhook_events where project_id = $1"
_DELIVERIES = f"select id from public.webhook_deliveries where event_id in ({_EVENTS})"  # noqa: S608 (a constant)

OF_PROJECT = Belongings(
    {
        "webhook_attempts": f"delivery_id in ({_DELIVERIES})",
        "webhook_deliveries": f"event_id in ({_EVENTS})",
        "webhook_events": "project_id = $1",
        "notices": "project_id = $1",
        "output_days": "project_id = $1",
        "job_days": "project_id = $1",
        "ledger": f"job_id in ({_JOBS})",
        "job_retries": f"job_id in ({_JOBS})",
        "outbox": f"job_id in ({_JOBS})",
        "share_links": f"output_id in ({_OUTPUTS})",
        "job_outputs": f"job_id in ({_JOBS})",
        "jobs": "project_id = $1",
        "segments": "project_id = $1",
        "uploads": "project_id = $1",
        "incoming_objects": "project_id = $1",
        "assets": "project_id = $1",
        "projects": "id = $1",
    }
)


class Deletions:
    """Rows of ``deletions``, and everything that hangs below the project each of them names."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def begin(self, project_id: UUID, requested_by: str) -> DeletionRecord:
        """Closes the project to new jobs and new assets, for good; a deletion begun before is gone on with.

        Raises:
            CinemaError: there is no such project, and there never was a deletion of one (``NOT_FOUND``).
        """
        async with transaction(self._connections) as connection:
            owner_id = await connection.fetchval(
                """
                update public.projects set deleting_since = coalesce(deleting_since, clock_timestamp())
                where id = $1 returning owner_id
                """,
                project_id,
            )
            if owner_id is not None:
                await connection.execute(
                    """
                    insert into public.deletions (project_id, owner_id, requested_by) values ($1, $2, $3)
                    on conflict (project_id) do nothing
                    """,
                    project_id,
                    owner_id,
                    storable(requested_by),
                )
            return await _record(connection, project_id)

    async def get(self, project_id: UUID) -> DeletionRecord:
        """The record of the project's deletion. Raises ``NOT_FOUND`` if it was never asked for."""
        async with session(self._connections) as connection:
            return await _record(connection, project_id)

    async def is_gone(self, project_id: UUID) -> bool:
        """Whether the project has been deleted, to the end."""
        async with session(self._connections) as connection:
            return bool(
                await connection.fetchval(
                    "select true from public.deletions where project_id = $1 and finished_at is not null", project_id
                )
            )

    async def unsettled_jobs(self, project_id: UUID, limit: int) -> tuple[UUID, ...]:
        """Up to ``limit`` jobs of the project that still run or wait."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                select id from public.jobs where project_id = $1 and not cinema.job_settled(status)
                order by id limit $2
                """,
                project_id,
                limit,
            )
        return tuple(row["id"] for row in rows)

    async def claim_assets(self, project_id: UUID) -> None:
        """Takes all the project's assets out of use.

        Raises:
            ConflictError: a job of the project has not settled (``INVALID_TRANSITION``).
        """
        async with session(self._connections) as connection:
            await connection.execute(
                """
                update public.assets set expiring_since = clock_timestamp()
                where project_id = $1 and expiring_since is null
                """,
                project_id,
            )

    async def claim_outputs(self, project_id: UUID) -> None:
        """The same for its outputs."""
        async with session(self._connections) as connection:
            await connection.execute(
                """
                update public.job_outputs set expiring_since = clock_timestamp() where expiring_since is null
                and job_id in (select id from public.jobs where project_id = $1)
                """,
                project_id,
            )

    async def claim_analyses(self, project_id: UUID) -> None:
        """The same for the analyses whose last asset was one of this project."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                "select distinct sha256 from public.assets where project_id = $1 order by 1", project_id
            )
        for at in range(0, len(rows), CONTENTS_AT_ONCE):
            contents = [row["sha256"] for row in rows[at : at + CONTENTS_AT_ONCE]]
            async with transaction(self._connections) as connection:
                await claim_unused_analyses(connection, contents)

    async def claim_segments(self, project_id: UUID) -> None:
        """The same for the segments its outputs were joined of."""
        async with session(self._connections) as connection:
            await connection.execute("update public.segments set usable = false where project_id = $1", project_id)

    async def unfinished_outputs(self, project_id: UUID) -> tuple[UUID, ...]:
        """The project's outputs whose objects may still be there."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                select o.id from public.job_outputs o join public.jobs j on j.id = o.job_id
                where j.project_id = $1 and o.expired_at is null order by 1
                """,
                project_id,
            )
        return tuple(row["id"] for row in rows)

    async def unfinished_assets(self, project_id: UUID) -> tuple[UUID, ...]:
        """The project's assets whose objects may still be there."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                "select id from public.assets where project_id = $1 and expired_at is null order by 1", project_id
            )
        return tuple(row["id"] for row in rows)

    async def unfinished_segments(self, project_id: UUID) -> tuple[str, ...]:
        """The object keys of the project's segments that may still be there, or are being made."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                "select object_key from public.segments where project_id = $1 order by 1", project_id
            )
        return tuple(row["object_key"] for row in rows)

    async def unfinished_footage(self, project_id: UUID) -> tuple[str, ...]:
        """The object keys of files that were to become the project's assets and have not."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                "select object_key from public.incoming_objects where project_id = $1 order by 1", project_id
            )
        return tuple(row["object_key"] for row in rows)

    async def unfinished_analyses(self, project_id: UUID) -> tuple[str, ...]:
        """Analyses out of use of content that one of the project's assets has."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                select key from public.analyses where not usable
                and asset_sha256 in (select sha256 from public.assets where project_id = $1) order by key
                """,
                project_id,
            )
        return tuple(row["key"] for row in rows)

    async def named_objects(self, project_id: UUID) -> tuple[StoredObject, ...]:
        """Every object that a row of the project names: its assets, their analyses, its outputs and their segments."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                select unnest(cinema.output_objects(o.files, o.edl_key)) as name
                from public.job_outputs o join public.jobs j on j.id = o.job_id where j.project_id = $1
                union
                select 'assets/' || object_key from public.assets where project_id = $1
                union
                select 'assets/' || object_key from public.incoming_objects where project_id = $1
                union
                select 'outputs/' || object_key from public.segments where project_id = $1
                union
                select 'analysis/' || object_key from public.analyses
                where asset_sha256 in (select sha256 from public.assets where project_id = $1)
                """,
                project_id,
            )
        return tuple(stored_object(row["name"]) for row in rows)

    async def take_inventory(self, project_id: UUID, inventory: Inventory) -> DeletionRecord:
        """Records what is about to be removed; the first inventory stays."""
        async with transaction(self._connections) as connection:
            await connection.execute(
                "update public.deletions set inventory = $2 where project_id = $1 and inventory is null",
                project_id,
                inventory.model_dump(mode="json"),
            )
            return await _record(connection, project_id)

    async def remove_rows(self, project_id: UUID) -> DeletionRecord:
        """Removes the project and all that belongs to it, and records how many rows of each table, together."""
        async with transaction(self._connections) as connection:
            present = await connection.fetchval("select true from public.projects where id = $1 for update", project_id)
            if present:
                removed = await OF_PROJECT.remove(connection, project_id)
                await connection.execute(
                    "update public.deletions set rows_removed = $2 where project_id = $1", project_id, removed
                )
            return await _record(connection, project_id)

    async def rows_left(self, project_id: UUID) -> Mapping[str, int]:
        """How many rows of each table belong to the project."""
        async with session(self._connections) as connection:
            return await OF_PROJECT.count(connection, project_id)

    async def finish(self, project_id: UUID, verification: Verification) -> DeletionRecord:
        """Records the proof; from now on the record cannot be changed. The same again changes nothing."""
        async with transaction(self._connections) as connection:
            await connection.execute(
                """
                update public.deletions set verification = $2, finished_at = clock_timestamp()
                where project_id = $1 and finished_at is null
                """,
                project_id,
                verification.model_dump(mode="json"),
            )
            return await _record(connection, project_id)


async def _record(connection: Connection, project_id: UUID) -> DeletionRecord:
    row = await connection.fetchrow("select * from public.deletions where project_id = $1", project_id)
    if row is None:
        raise CinemaError(ErrorCode.NOT_FOUND, "This project does not exist.")
    return model_from(row, DeletionRecord)

"""Jobs that nobody may be working on any more, whatever their rows say."""

from datetime import timedelta
from uuid import UUID

from schemas.errors import ErrorInfo
from stores.database import Connection, Connections, session, transaction
from stores.jobs import fail_unsettled

#: Neither settled nor waiting to be started, and without a sign of life for so long: those above an id, or that one.
_QUIET = """
    select id from public.jobs
    where not cinema.job_settled(status) and updated_at < now() - $1::interval
    and ($2::uuid is null or id > $2) and ($3::uuid is null or id = $3)
    and not exists (select from public.outbox where outbox.job_id = jobs.id and outbox.done_at is null)
    and not exists (
        select from public.job_outputs outputs
        where outputs.job_id = jobs.id and outputs.updated_at >= now() - $1::interval
    )
    order by id limit $4
"""


class StrandedJobs:
    """Rows of ``jobs`` that say nothing new: many of them just wait for their turn, or for their creator."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def quiet(self, for_at_least: timedelta, *, after: UUID | None, limit: int) -> tuple[UUID, ...]:
        """The next so many of them by id."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(_QUIET, for_at_least, after, None, limit)
        return tuple(row["id"] for row in rows)

    async def fail(self, job_id: UUID, error: ErrorInfo, for_at_least: timedelta) -> bool:
        """Fails what has not settled, unless there has been a sign of life meanwhile; says whether it did."""
        async with transaction(self._connections) as connection:
            await connection.execute("select from public.jobs where id = $1 for update", job_id)
            if not await _is_quiet(connection, job_id, for_at_least):
                return False
            await fail_unsettled(connection, job_id, error)
            return True


async def _is_quiet(connection: Connection, job_id: UUID, for_at_least: timedelta) -> bool:
    return await connection.fetchval(_QUIET, for_at_least, None, job_id, 1) is not None

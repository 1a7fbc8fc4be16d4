"""Jobs that wait for their workflow to be started, each entry claimed by one dispatcher at a time."""

from datetime import timedelta
from uuid import UUID

from schemas.model import Model
from stores.database import Connections, model_from, session, storable
from stores.listening import OUTBOX_CHANNEL, listening

#: Waiting time after a failed start: doubles from one second with each attempt, up to a minute.
FIRST_BACK_OFF = timedelta(seconds=1)
LONGEST_BACK_OFF = timedelta(minutes=1)


class OutboxEntry(Model):
    """A job to start. ``attempts`` counts the claims so far, this one included.

    ``traceparent`` is the W3C trace context of whoever made the job, where that was traced.
    """

    id: int
    job_id: UUID
    attempts: int
    traceparent: str | None = None


class Outbox:
    """Rows of ``outbox``. An entry whose claimer died can be claimed again when its lease has run out."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def claim(self, limit: int, lease: timedelta) -> tuple[OutboxEntry, ...]:
        """Up to ``limit`` entries, oldest first, that nobody else gets until ``lease`` is over."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                with due as materialized (
                    select id from public.outbox where done_at is null and available_at <= clock_timestamp()
                    order by available_at, id limit $1 for update skip locked
                ), claimed as (
                    update public.outbox set available_at = clock_timestamp() + $2, attempts = attempts + 1
                    where id in (select id from due) returning id, job_id, attempts, traceparent
                )
                select id, job_id, attempts, traceparent from claimed order by id
                """,
                limit,
                lease,
            )
        return tuple(model_from(row, OutboxEntry) for row in rows)

    async def done(self, entry_id: int) -> None:
        """The job's workflow runs: the entry is never claimed again."""
        async with session(self._connections) as connection:
            await connection.execute(
                """
                update public.outbox set done_at = clock_timestamp(), last_error = null
                where id = $1 and done_at is null
                """,
                entry_id,
            )

    async def release(self, entry_id: int, error: str) -> None:
        """The start failed: the entry can be claimed again after a back-off, and operators see ``error``."""
        async with session(self._connections) as connection:
            await connection.execute(
                """
                update public.outbox
                set last_error = $2,
                    available_at = clock_timestamp() + least($3::interval * power(2, least(attempts, 20) - 1), $4)
                where id = $1 and done_at is null
                """,
                entry_id,
                storable(error),
                FIRST_BACK_OFF,
                LONGEST_BACK_OFF,
            )

    async def wait(self, longest: timedelta) -> bool:
        """Waits until an entry can be claimed, but no longer than this, and says whether one can.

        Listens before it looks, so that no entry slips in between; entries whose lease or back-off ends wake it too.

        Raises:
            TransientError: the connection was lost (``STORE_UNAVAILABLE``).
        """
        async with (
            session(self._connections) as connection,
            listening(connection, OUTBOX_CHANNEL) as notifications,
        ):
            due: timedelta | None = await connection.fetchval(
                "select min(available_at) - clock_timestamp() from public.outbox where done_at is null"
            )
            if due is not None and due <= timedelta(0):
                return True
            patience = longest if due is None else min(longest, due)
            woken = await notifications.next(patience) is not None
            return woken or (due is not None and due <= longest)

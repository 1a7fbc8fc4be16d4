"""Jobs that wait for their workflow to be started, each entry claimed by one dispatcher at a time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from schemas.errors import ErrorCode, ErrorInfo
from schemas.jobs import JobStatus, OutputStatus
from schemas.model import Model
from stores.database import Connection, Connections, model_from, session, storable, transaction
from stores.listening import OUTBOX_CHANNEL, listening

#: Waiting time after a refused start: doubles from the first with each refusal, up to the longest, less up to half of
#: it by chance, so that entries refused together do not come back together.
FIRST_BACK_OFF = timedelta(seconds=1)
LONGEST_BACK_OFF = timedelta(minutes=5)

#: Refusals after which an entry is a dead letter: with the back-off, after six to nine minutes.
MOST_REFUSALS = 10

#: What the creator reads of a job whose entry is a dead letter.
NOT_STARTED = ErrorInfo(
    code=ErrorCode.NOT_STARTED,
    message="This job could not be started because of a fault on our side. Nothing was charged for it.",
    retryable=True,
)


class OutboxEntry(Model):
    """A job to start. ``attempts`` counts the claims so far, this one included.

    ``traceparent`` is the W3C trace context of whoever made the job, where that was traced.
    """

    id: int
    job_id: UUID
    attempts: int
    traceparent: str | None = None


class LetterState(StrEnum):
    WAITING = "waiting"
    DEAD = "dead"


class Letter(Model):
    """An entry that is not done, as operators see it. ``available_at`` is the end of its lease or its back-off."""

    job_id: UUID
    owner_id: UUID
    state: LetterState
    attempts: int
    refusals: int
    waiting_since: datetime
    available_at: datetime
    dead_at: datetime | None
    last_error: str | None


class Backlog(Model):
    """How much is not started yet. ``oldest_waiting_s`` is the age of the oldest waiting entry, 0 if none waits."""

    waiting: int
    dead: int
    oldest_waiting_s: float


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
                    select id from public.outbox
                    where done_at is null and dead_at is null and available_at <= clock_timestamp()
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
        """The job's workflow runs: the entry is never claimed again, not even if it was given up meanwhile."""
        async with session(self._connections) as connection:
            await connection.execute(
                """
                update public.outbox set done_at = clock_timestamp(), dead_at = null, last_error = null
                where id = $1 and done_at is null
                """,
                entry_id,
            )

    async def postpone(self, entry_id: int, error: str) -> None:
        """Nobody could be asked to start it: the entry can be claimed again at once, and nothing is held against it."""
        async with session(self._connections) as connection:
            await connection.execute(
                """
                update public.outbox set last_error = $2, available_at = clock_timestamp()
                where id = $1 and done_at is null and dead_at is null
                """,
                entry_id,
                storable(error),
            )

    async def refuse(self, entry: OutboxEntry, error: str) -> LetterState:
        """The entry itself cannot be started: it is tried again after a back-off, or given up for good.

        A dead letter's job fails with :data:`NOT_STARTED`, if it is still waiting; operators see ``error``.
        """
        async with transaction(self._connections) as connection:
            status = await connection.fetchval("select status from public.jobs where id = $1 for update", entry.job_id)
            dead = await connection.fetchval(
                """
                update public.outbox
                set last_error = $2,
                    refusals = refusals + 1,
                    dead_at = case when refusals + 1 >= $5 then clock_timestamp() end,
                    available_at = clock_timestamp()
                        + least($3::interval * power(2, least(refusals, 20)), $4) * (1 - random() / 2)
                where id = $1 and done_at is null and dead_at is null
                returning dead_at is not null
                """,
                entry.id,
                storable(error),
                FIRST_BACK_OFF,
                LONGEST_BACK_OFF,
                MOST_REFUSALS,
            )
            if dead and status == JobStatus.QUEUED:
                await _fail(connection, entry.job_id)
        return LetterState.DEAD if dead else LetterState.WAITING

    async def letters(self, limit: int) -> tuple[Letter, ...]:
        """Up to ``limit`` entries that are not done: dead ones first, then the longest waiting."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                select outbox.*, jobs.owner_id, case when dead_at is null then 'waiting' else 'dead' end as state
                from public.outbox join public.jobs on jobs.id = outbox.job_id
                where done_at is null
                order by dead_at nulls last, waiting_since, outbox.id limit $1
                """,
                limit,
            )
        return tuple(model_from(row, Letter) for row in rows)

    async def replay(self, job_ids: Sequence[UUID] | None = None) -> tuple[UUID, ...]:
        """Gives the dead letters of these jobs, or all of them, another round, and names the jobs.

        Their jobs are queued again, unless their creators have tried them again or called them off meanwhile.
        """
        async with transaction(self._connections) as connection:
            rows = await connection.fetch(
                """
                update public.outbox
                set dead_at = null, refusals = 0, waiting_since = clock_timestamp(), available_at = clock_timestamp()
                where dead_at is not null and ($1::uuid[] is null or job_id = any($1))
                returning job_id
                """,
                job_ids,
            )
            replayed = tuple(row["job_id"] for row in rows)
            await _requeue(connection, replayed)
        return replayed

    async def backlog(self) -> Backlog:
        """What waits and what was given up, for metrics and alerts."""
        async with session(self._connections) as connection:
            row = await connection.fetchrow(
                """
                select count(*) filter (where dead_at is null) as waiting,
                       count(*) filter (where dead_at is not null) as dead,
                       coalesce(extract(epoch from clock_timestamp()
                           - min(waiting_since) filter (where dead_at is null)), 0)::float8 as oldest_waiting_s
                from public.outbox where done_at is null
                """
            )
        return Backlog.model_validate(dict(row or {}))

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
                """
                select min(available_at) - clock_timestamp() from public.outbox
                where done_at is null and dead_at is null
                """
            )
            if due is not None and due <= timedelta(0):
                return True
            patience = longest if due is None else min(longest, due)
            woken = await notifications.next(patience) is not None
            return woken or (due is not None and due <= longest)


async def _fail(connection: Connection, job_id: UUID) -> None:
    """As plain SQL: what cannot be started may be a row that no model of ours can read."""
    error = NOT_STARTED.model_dump(mode="json")
    await connection.execute(
        "update public.job_outputs set status = 'failed', error = $2 where job_id = $1 and status = any($3::text[])",
        job_id,
        error,
        [status for status in OutputStatus if not status.settled],
    )
    await connection.execute("update public.jobs set status = 'failed', error = $2 where id = $1", job_id, error)


async def _requeue(connection: Connection, job_ids: Sequence[UUID]) -> None:
    await connection.execute(
        """
        update public.jobs set status = 'queued', error = null
        where id = any($1::uuid[]) and status = 'failed' and error ->> 'code' = $2
        """,
        job_ids,
        ErrorCode.NOT_STARTED,
    )
    await connection.execute(
        """
        update public.job_outputs set status = 'queued', stage = 'queued', progress = 0, error = null
        where job_id = any($1::uuid[]) and status = 'failed' and error ->> 'code' = $2
        """,
        job_ids,
        ErrorCode.NOT_STARTED,
    )

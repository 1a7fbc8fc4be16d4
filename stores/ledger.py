"""What every attempt used and who pays for it, written once for each attempt, whatever becomes of its worker."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg

from schemas.cost import Bill, LedgerEntry, MeasuredWork, Outcome, Share, Usage
from schemas.errors import CinemaError, ErrorCode
from stores.database import Connection, Connections, model_from, session, transaction

_ENDED = frozenset(Outcome) - {Outcome.RUNNING}

#: How far back speeds are measured, so that a new version or machine shows soon.
SPEEDS_FROM = timedelta(days=30)


@dataclass(frozen=True)
class RenderWork:
    """A render of an output, by its own attempt number; ``part`` is ``join`` where it was rendered in parts before."""

    output_id: UUID
    attempt: int
    part: str = ""


@dataclass(frozen=True)
class PartWork:
    """A part of an output: its ``sound``, or a ``segment N`` of its picture."""

    output_id: UUID
    part: str


@dataclass(frozen=True)
class AnalysisWork:
    """An analyzer on an asset, for the job that had to wait for it."""

    job_id: UUID
    asset_id: UUID
    analyzer: str


class Ledger:
    """Rows of ``ledger``. What has ended is never changed."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def begin_render(self, work: RenderWork) -> int:
        """Opens the attempt's entry and returns its id; the same attempt again is the same entry.

        An earlier attempt that is still open was lost. Raises ``NOT_FOUND`` if there is no such output.
        """
        async with transaction(self._connections) as connection:
            await connection.execute(
                """
                update public.ledger set outcome = 'lost', ended_at = clock_timestamp()
                where output_id = $1 and attempt < $2 and part = $3 and outcome = 'running'
                """,
                work.output_id,
                work.attempt,
                work.part,
            )
            return await _opened(
                connection,
                """
                insert into public.ledger (owner_id, job_id, kind, subject, output_id, attempt, part)
                select owner_id, job_id, 'render', variant, id, $2, $3 from public.job_outputs where id = $1
                on conflict (output_id, subject, part, attempt) where kind = 'render'
                do update set attempt = excluded.attempt returning id
                """,
                work.output_id,
                work.attempt,
                work.part,
            )

    async def begin_part(self, work: PartWork) -> int:
        """Opens the entry of the next attempt at a part and returns its id; an earlier one that is still open was lost.

        Raises ``NOT_FOUND`` if there is no such output.
        """
        async with transaction(self._connections) as connection:
            lock = "select pg_advisory_xact_lock(hashtextextended($1, 0))"
            await connection.execute(lock, f"ledger {work.output_id} {work.part}")
            await connection.execute(
                """
                update public.ledger set outcome = 'lost', ended_at = clock_timestamp()
                where output_id = $1 and part = $2 and outcome = 'running'
                """,
                work.output_id,
                work.part,
            )
            return await _opened(
                connection,
                """
                insert into public.ledger (owner_id, job_id, kind, subject, output_id, part, attempt)
                select owner_id, job_id, 'render', variant, id, $2, 1 + (
                    select count(*) from public.ledger where output_id = $1 and part = $2
                ) from public.job_outputs where id = $1 returning id
                """,
                work.output_id,
                work.part,
            )

    async def begin_analysis(self, work: AnalysisWork) -> int:
        """Opens the entry of the next attempt and returns its id; an earlier one that is still open was lost.

        Raises ``NOT_FOUND`` if there is no such job.
        """
        async with transaction(self._connections) as connection:
            lock = "select pg_advisory_xact_lock(hashtextextended($1, 0))"
            await connection.execute(lock, f"ledger {work.job_id} {work.asset_id} {work.analyzer}")
            await connection.execute(
                """
                update public.ledger set outcome = 'lost', ended_at = clock_timestamp()
                where job_id = $1 and asset_id = $2 and subject = $3 and outcome = 'running'
                """,
                work.job_id,
                work.asset_id,
                work.analyzer,
            )
            return await _opened(
                connection,
                """
                insert into public.ledger (owner_id, job_id, kind, subject, asset_id, attempt)
                select owner_id, id, 'analysis', $3, $2, 1 + (
                    select count(*) from public.ledger where job_id = $1 and asset_id = $2 and subject = $3
                ) from public.jobs where id = $1 returning id
                """,
                work.job_id,
                work.asset_id,
                work.analyzer,
            )

    async def keep_up(self, entry_id: int, usage: Usage) -> None:
        """What an open attempt has used so far: all that will be known of it if its worker is killed."""
        await self._write(entry_id, Outcome.RUNNING, usage, None, None)

    async def end(
        self,
        entry_id: int,
        outcome: Outcome,
        usage: Usage,
        media_us: int | None = None,
        *,
        pixel_rate: int | None = None,
    ) -> None:
        """Closes the entry; one that was closed before, as lost, stays as it is.

        Args:
            entry_id: of the attempt.
            outcome: how it ended, which decides who pays.
            usage: all of it.
            media_us: microseconds of source analysed or of video rendered, where that is known.
            pixel_rate: pixels decoded and encoded for each second of it, where a picture was.
        """
        if outcome not in _ENDED:
            raise ValueError(f"an attempt does not end as {outcome}")
        await self._write(entry_id, outcome, usage, media_us, pixel_rate)

    async def close_job(self, job_id: UUID) -> None:
        """Closes what is still open once nobody works for the job any more.

        An attempt that published its output and could not say so has succeeded; every other one was lost.
        """
        async with session(self._connections) as connection:
            await connection.execute(
                """
                update public.ledger set ended_at = clock_timestamp(), outcome = case when exists (
                    select from public.job_outputs
                    where id = ledger.output_id and attempt = ledger.attempt and status = 'completed'
                        and ledger.part in ('', 'join')
                ) then 'succeeded' else 'lost' end
                where job_id = $1 and outcome = 'running'
                """,
                job_id,
            )

    async def of_job(self, job_id: UUID) -> tuple[LedgerEntry, ...]:
        """The job's attempts as they began."""
        async with session(self._connections) as connection:
            rows = await connection.fetch("select * from public.ledger where job_id = $1 order by id", job_id)
        return tuple(_entry(row) for row in rows)

    async def bill_of_job(self, job_id: UUID) -> Bill:
        """What the job's ended and running attempts used, by who pays for them."""
        async with session(self._connections) as connection:
            rows = await connection.fetch("select * from public.job_costs where job_id = $1", job_id)
        return Bill(
            creator=_share([row for row in rows if row["charged"]]),
            house=_share([row for row in rows if not row["charged"]]),
        )

    async def measured(self, most: int) -> tuple[MeasuredWork, ...]:
        """How long recent successful attempts took: up to ``most`` of each analyzer, variant and step of a variant."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                select kind, subject, step, media_us, pixel_rate, wall_s, cpu_s from (
                    select *, row_number() over (partition by kind, subject, step order by id desc) as age
                    from (select *, split_part(part, ' ', 1) as step from public.ledger) as entry
                    where outcome = 'succeeded' and media_us is not null and started_at > now() - $2::interval
                ) as recent where age <= $1 order by kind, subject, step, age
                """,
                most,
                SPEEDS_FROM,
            )
        return tuple(model_from(row, MeasuredWork) for row in rows)

    async def _write(
        self, entry_id: int, outcome: Outcome, usage: Usage, media_us: int | None, pixel_rate: int | None
    ) -> None:
        async with session(self._connections) as connection:
            await connection.execute(
                """
                update public.ledger
                set outcome = $2, ended_at = case when $2 <> 'running' then clock_timestamp() end,
                    wall_s = $3, cpu_s = $4, gpu_s = $5, bytes_read = $6, bytes_written = $7, media_us = $8,
                    pixel_rate = $9
                where id = $1 and outcome = 'running'
                """,
                entry_id,
                outcome,
                usage.wall_s,
                usage.cpu_s,
                usage.gpu_s,
                usage.bytes_read,
                usage.bytes_written,
                media_us,
                pixel_rate,
            )


async def _opened(connection: Connection, statement: str, *values: object) -> int:
    entry_id = await connection.fetchval(statement, *values)
    if entry_id is None:
        raise CinemaError(ErrorCode.NOT_FOUND, "What this work is for does not exist.")
    return int(entry_id)


def _share(rows: list[asyncpg.Record]) -> Share:
    usage = Usage()
    for row in rows:
        usage = usage.plus(model_from(row, Usage))
    return Share(attempts=sum(row["attempts"] for row in rows), usage=usage)


def _entry(row: asyncpg.Record) -> LedgerEntry:
    columns = {name: row[name] for name in LedgerEntry.model_fields if name != "usage"}
    return LedgerEntry(usage=model_from(row, Usage), **columns)

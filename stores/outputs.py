"""The finished videos to be: their plans, render attempts, progress and results."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from schemas.errors import CinemaError, ConflictError, ErrorCode, ErrorInfo
from schemas.jobs import Output, OutputFiles
from stores.database import Connection, Connections, model_from, session, storable, storable_json, transaction

#: The stage of an output that waits for somebody else to make its video.
WAITING_FOR_VIDEO = "waiting for the same video"


class Outputs:
    """Rows of ``job_outputs``. A write by an attempt that is not the latest is refused as ``STALE_ATTEMPT``."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def get(self, output_id: UUID) -> Output:
        """The output. Raises ``NOT_FOUND`` if there is none, or it is not the caller's to see."""
        async with session(self._connections) as connection:
            return await _read(connection, output_id)

    async def plan(self, output_id: UUID, edl_key: str) -> Output:
        """Records where the output's EDL lies in bucket ``outputs``.

        A planner that was run twice may come late, when a render of the same EDL is under way: that changes nothing.

        Raises:
            ConflictError: the output has settled, or another EDL is being rendered (``INVALID_TRANSITION``).
        """
        async with transaction(self._connections) as connection:
            output = await _locked(connection, output_id)
            if output.status == "rendering" and output.edl_key == edl_key:
                return output
            statement = """
                update public.job_outputs set status = 'planned', stage = 'planned', edl_key = $2
                where id = $1 returning *
            """
            return await _written(connection, statement, output_id, edl_key)

    async def approve(self, output_id: UUID) -> Output:
        """Records that the output's plan may be rendered; the first approval stays."""
        async with session(self._connections) as connection:
            statement = """
                update public.job_outputs set approved_at = coalesce(approved_at, now()) where id = $1 returning *
            """
            return await _written(connection, statement, output_id)

    async def begin_attempt(self, output_id: UUID) -> int:
        """Starts a render and returns its attempt number; from now on every earlier attempt is refused.

        Raises:
            ConflictError: the output has settled or has no plan yet (``INVALID_TRANSITION``).
        """
        async with transaction(self._connections) as connection:
            output = await _locked(connection, output_id)
            if output.edl_key is None and not output.status.settled:
                raise ConflictError(
                    ErrorCode.INVALID_TRANSITION, "This output cannot be rendered before it is planned."
                )
            statement = """
                update public.job_outputs
                set status = 'rendering', attempt = attempt + 1, progress = 0, stage = 'rendering', error = null
                where id = $1 returning *
            """
            return (await _written(connection, statement, output_id)).attempt

    async def wait_for_video(self, output_id: UUID, attempt: int) -> None:
        """Says that the output waits for somebody else to make its video; nothing if a later attempt goes on with it.

        ``attempt`` is the latest one, 0 before the first.
        """
        async with session(self._connections) as connection:
            await connection.execute(
                """
                update public.job_outputs set stage = $3
                where id = $1 and attempt = $2 and status in ('planned', 'rendering')
                """,
                output_id,
                attempt,
                WAITING_FOR_VIDEO,
            )

    async def report_progress(self, output_id: UUID, attempt: int, progress: float, stage: str) -> None:
        """Says how far the attempt is: ``progress`` from 0 to 1, never falling, and what it is doing.

        Raises:
            ConflictError: the attempt was superseded (``STALE_ATTEMPT``) or has ended (``INVALID_TRANSITION``).
        """
        if not 0 <= progress <= 1:
            raise ValueError(f"progress is from 0 to 1, not {progress}")
        async with session(self._connections) as connection:
            written = await connection.fetchval(
                """
                update public.job_outputs set progress = greatest(progress, $3), stage = $4
                where id = $1 and attempt = $2 and status = 'rendering' returning true
                """,
                output_id,
                attempt,
                progress,
                storable(stage),
            )
        if not written:
            _check_fence(await self.get(output_id), attempt)

    async def begin_parts(self, output_id: UUID, shares: Sequence[float], done: Collection[int]) -> int:
        """Starts a render in parts and returns its attempt number; from now on every earlier attempt is refused.

        Args:
            output_id: what is to be made of them.
            shares: of the whole, for each part; what is left of 1 is for joining them.
            done: the numbers, from 0, of those that exist already.

        Raises:
            ConflictError: the output has settled or has no plan yet (``INVALID_TRANSITION``).
        """
        attempt = await self.begin_attempt(output_id)
        async with session(self._connections) as connection:
            await connection.execute(
                """
                update public.job_outputs set part_shares = $3, parts_done = $4, progress = $5
                where id = $1 and attempt = $2 and status = 'rendering'
                """,
                output_id,
                attempt,
                list(shares),
                [float(number in done) for number in range(len(shares))],
                min(1.0, sum(share for number, share in enumerate(shares) if number in done)),
            )
        return attempt

    async def report_part(self, output_id: UUID, attempt: int, number: int, done: float) -> None:
        """Says how far the part with this number is, from 0 to 1; how far the output is follows from all of them.

        Raises:
            ConflictError: the attempt was superseded (``STALE_ATTEMPT``) or has ended (``INVALID_TRANSITION``).
        """
        async with session(self._connections) as connection:
            written = await connection.fetchval(
                """
                update public.job_outputs set
                    parts_done[$3] = greatest(parts_done[$3], $4::float8),
                    progress = greatest(progress, least(1, (
                        select sum(share * case when number = $3 then greatest(done, $4::float8) else done end)
                        from unnest(part_shares, parts_done) with ordinality as part (share, done, number)
                    )))
                where id = $1 and attempt = $2 and status = 'rendering' returning true
                """,
                output_id,
                attempt,
                number + 1,
                done,
            )
        if not written:
            _check_fence(await self.get(output_id), attempt)

    async def begin_joining(self, output_id: UUID) -> int:
        """Starts joining the parts and returns its attempt number; progress goes on from where they left it.

        That is the attempt which made the parts, unless they were being joined before and that was lost.

        Raises:
            ConflictError: the output has settled or has no plan yet (``INVALID_TRANSITION``).
        """
        async with transaction(self._connections) as connection:
            output = await _locked(connection, output_id)
            first = output.status == "rendering" and output.stage == "rendering"
            statement = """
                update public.job_outputs set status = 'rendering', attempt = $2, stage = 'joining', error = null
                where id = $1 returning *
            """
            return (await _written(connection, statement, output_id, output.attempt + (not first))).attempt

    @asynccontextmanager
    async def planning(self, output_id: UUID) -> AsyncIterator[None]:
        """The right to write the output's plan, for the time of the block; nobody publishes it meanwhile.

        Raises:
            ConflictError: the output has settled (``INVALID_TRANSITION``): its plan is the one it was made from.
        """
        async with transaction(self._connections) as connection:
            await _lock_files(connection, output_id)
            output = await _read(connection, output_id)
            if output.status.settled:
                raise ConflictError(
                    ErrorCode.INVALID_TRANSITION, f"This output is {output.status}; it keeps the plan it has."
                )
            yield

    @asynccontextmanager
    async def publishing(self, output_id: UUID, attempt: int) -> AsyncIterator[None]:
        """The attempt's exclusive right to write the output's objects, for the time of the block.

        All attempts write to the same keys. Whoever uploads and completes inside this block cannot be overwritten by
        an older attempt that wakes up late: it waits here, and is refused once it may enter.

        Raises:
            ConflictError: the attempt was superseded (``STALE_ATTEMPT``) or has ended (``INVALID_TRANSITION``).
        """
        async with transaction(self._connections) as connection:
            await _lock_files(connection, output_id)
            _check_fence(await _read(connection, output_id), attempt)
            yield

    async def complete(self, output_id: UUID, attempt: int, files: OutputFiles) -> Output:
        """Publishes what the attempt made; the output exists from this commit on. The same call again changes nothing.

        Raises:
            ConflictError: the attempt was superseded (``STALE_ATTEMPT``) or has ended (``INVALID_TRANSITION``).
        """
        async with transaction(self._connections) as connection:
            output = await _locked(connection, output_id)
            if output.attempt == attempt and output.files == files:
                return output
            _check_fence(output, attempt)
            statement = """
                update public.job_outputs
                set status = 'completed', progress = 1, stage = 'completed', files = $2, edl_key = $3, announced = null
                where id = $1 returning *
            """
            stored = storable_json(files.model_dump(mode="json"))
            return await _written(connection, statement, output_id, stored, files.edl_key)

    async def fail(self, output_id: UUID, error: ErrorInfo) -> Output:
        """Gives the output up, and why. The first reason stays; the stage keeps saying where it was.

        Raises:
            ConflictError: the output has been completed or cancelled (``INVALID_TRANSITION``).
        """
        async with transaction(self._connections) as connection:
            output = await _locked(connection, output_id)
            if output.status == "failed":
                return output
            statement = "update public.job_outputs set status = 'failed', error = $2 where id = $1 returning *"
            return await _written(connection, statement, output_id, storable_json(error.model_dump(mode="json")))

    async def cancel(self, output_id: UUID) -> Output:
        """Calls the output off.

        Raises:
            ConflictError: the output has been completed or has failed (``INVALID_TRANSITION``).
        """
        async with transaction(self._connections) as connection:
            output = await _locked(connection, output_id)
            if output.status == "cancelled":
                return output
            statement = "update public.job_outputs set status = 'cancelled' where id = $1 returning *"
            return await _written(connection, statement, output_id)

    async def withdraw(self, owner_id: UUID, output_id: UUID) -> None:
        """Takes an output's files out of use, for good; again changes nothing. What was measured on them stays.

        They go once :meth:`stores.removals.Removals.removing_output` says which.

        Raises:
            CinemaError: this creator has no such output (``NOT_FOUND``).
            ConflictError: its job has not settled (``INVALID_TRANSITION``).
        """
        async with session(self._connections) as connection:
            found = await connection.fetchval(
                """
                update public.job_outputs set expiring_since = coalesce(expiring_since, clock_timestamp())
                where id = $1 and owner_id = $2 returning true
                """,
                output_id,
                owner_id,
            )
        if not found:
            raise _missing()


async def _lock_files(connection: Connection, output_id: UUID) -> None:
    """Wait for the right to write the output's objects, which ends with the transaction."""
    await connection.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"publish {output_id}")


async def _read(connection: Connection, output_id: UUID) -> Output:
    row = await connection.fetchrow("select * from public.job_outputs where id = $1", output_id)
    if row is None:
        raise _missing()
    return model_from(row, Output)


async def _locked(connection: Connection, output_id: UUID) -> Output:
    row = await connection.fetchrow("select * from public.job_outputs where id = $1 for update", output_id)
    if row is None:
        raise _missing()
    return model_from(row, Output)


async def _written(connection: Connection, statement: str, *values: object) -> Output:
    row = await connection.fetchrow(statement, *values)
    if row is None:
        raise _missing()
    return model_from(row, Output)


def _check_fence(output: Output, attempt: int) -> None:
    if output.attempt != attempt:
        raise ConflictError(
            ErrorCode.STALE_ATTEMPT,
            f"Attempt {attempt} of this output has been superseded by attempt {output.attempt}.",
        )
    if output.status != "rendering":
        raise ConflictError(
            ErrorCode.INVALID_TRANSITION,
            f"This output is {output.status}; attempt {attempt} can no longer write to it.",
        )


def _missing() -> CinemaError:
    return CinemaError(ErrorCode.NOT_FOUND, "This output does not exist.")

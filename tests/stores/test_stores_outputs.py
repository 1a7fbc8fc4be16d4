"""An output's life: planned, rendered by one attempt at a time, published or given up."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import asyncpg
import pytest

from schemas.errors import CinemaError, ConflictError, ErrorCode
from schemas.jobs import Job, JobRequest, JobStatus, Output, OutputStatus, Project
from stores import Jobs, Outputs, Pool
from tests.stores.samples import delivered, failure

pytestmark = pytest.mark.postgres


@pytest.fixture
def output(job: Job) -> Output:
    return job.outputs[0]


@pytest.fixture
def outputs(pool: Pool) -> Outputs:
    return Outputs(pool)


async def rendering(outputs: Outputs, output_id: UUID) -> int:
    await outputs.plan(output_id, "edl.json")
    return await outputs.begin_attempt(output_id)


async def bring_to(pool: Pool, output: Output, status: OutputStatus) -> None:
    outputs = Outputs(pool)
    match status:
        case OutputStatus.PLANNED:
            await outputs.plan(output.id, "edl.json")
        case OutputStatus.RENDERING:
            await rendering(outputs, output.id)
        case OutputStatus.COMPLETED:
            await outputs.complete(output.id, await rendering(outputs, output.id), delivered())
        case OutputStatus.FAILED:
            await outputs.fail(output.id, failure())
        case OutputStatus.CANCELLED:
            await outputs.cancel(output.id)


async def plan(outputs: Outputs, output: Output) -> object:
    return await outputs.plan(output.id, "edl.json")


async def begin(outputs: Outputs, output: Output) -> object:
    return await outputs.begin_attempt(output.id)


async def complete(outputs: Outputs, output: Output) -> object:
    return await outputs.complete(output.id, 1, delivered())


async def fail(outputs: Outputs, output: Output) -> object:
    return await outputs.fail(output.id, failure())


async def cancel(outputs: Outputs, output: Output) -> object:
    return await outputs.cancel(output.id)


Q, P, R, C, F, X = OutputStatus

#: For each operation, the statuses it works in and what they become; in every other one it is a conflict.
WORKS: dict[Callable[[Outputs, Output], Awaitable[object]], dict[OutputStatus, OutputStatus]] = {
    plan: {Q: P, P: P, R: R},
    begin: {P: R, R: R},
    complete: {R: C, C: C},
    fail: {Q: F, P: F, R: F, F: F},
    cancel: {Q: X, P: X, R: X, X: X},
}


@pytest.mark.parametrize("operation", list(WORKS), ids=lambda operation: operation.__name__)
async def test_every_operation_in_every_status(
    pool: Pool, project: Project, operation: Callable[[Outputs, Output], Awaitable[object]]
) -> None:
    outputs = Outputs(pool)
    for status in OutputStatus:
        output = (await Jobs(pool).create(project.owner_id, project.id, JobRequest())).outputs[0]
        await bring_to(pool, output, status)
        before = await outputs.get(output.id)
        if status in WORKS[operation]:
            await operation(outputs, output)
            assert (await outputs.get(output.id)).status is WORKS[operation][status]
        else:
            with pytest.raises(ConflictError):
                await operation(outputs, output)
            assert await outputs.get(output.id) == before


OUTPUT_STEPS = {
    *((Q, to) for to in (P, R, F, X)),
    *((P, to) for to in (R, F, X)),
    *((R, to) for to in (C, F, X)),
    *((settled, Q) for settled in (F, X)),
}

JOB_STAGES = (
    JobStatus.ANALYSING,
    JobStatus.PLANNING,
    JobStatus.AWAITING_APPROVAL,
    JobStatus.RENDERING,
    JobStatus.PAUSED,
)
JOB_STEPS = {
    *((origin, to) for origin in (JobStatus.QUEUED, *JOB_STAGES) for to in JobStatus if to is not JobStatus.QUEUED),
    *((settled, JobStatus.QUEUED) for settled in (JobStatus.PARTIAL, JobStatus.FAILED, JobStatus.CANCELLED)),
}


async def test_the_database_itself_knows_every_possible_step_of_an_output(pool: Pool, output: Output) -> None:
    await pool.execute("alter table job_outputs drop constraint job_outputs_files_with_completion")
    await pool.execute("alter table job_outputs drop constraint job_outputs_error_with_failure")
    await pool.execute("update job_outputs set edl_key = 'e', progress = 1, status = 'rendering', attempt = 1")
    for origin in OutputStatus:
        possible = {to for to in OutputStatus if await step(pool, "job_outputs", output.id, origin, to)}
        assert possible == {to for to in OutputStatus if to is origin or (origin, to) in OUTPUT_STEPS}


async def test_the_database_itself_knows_every_possible_step_of_a_job(pool: Pool, job: Job) -> None:
    for origin in JobStatus:
        possible = {to for to in JobStatus if await step(pool, "jobs", job.id, origin, to)}
        assert possible == {to for to in JobStatus if to is origin or (origin, to) in JOB_STEPS}


async def step(pool: Pool, table: str, row_id: UUID, origin: str, to: str) -> bool:
    """Whether a plain UPDATE goes from one status to another; tried and rolled back."""
    async with pool.acquire() as connection:
        trial = connection.transaction()
        await trial.start()
        try:
            await connection.execute(f"alter table {table} disable trigger guard_status")
            await connection.execute(f"update {table} set status = $2 where id = $1", row_id, origin)
            await connection.execute(f"alter table {table} enable trigger guard_status")
            await connection.execute(f"update {table} set status = $2 where id = $1", row_id, to)
        except asyncpg.PostgresError as error:
            if error.sqlstate != "CN001":
                raise
            return False
        finally:
            await trial.rollback()
    return True


async def test_a_late_attempt_can_neither_report_nor_publish(outputs: Outputs, output: Output) -> None:
    late = await rendering(outputs, output.id)
    latest = await outputs.begin_attempt(output.id)
    assert (late, latest) == (1, 2)
    with pytest.raises(ConflictError) as reported:
        await outputs.report_progress(output.id, late, 0.9, "encode")
    with pytest.raises(ConflictError) as published:
        await outputs.complete(output.id, late, delivered())
    assert {reported.value.code, published.value.code} == {ErrorCode.STALE_ATTEMPT}
    assert (await outputs.get(output.id)).progress == 0

    await outputs.complete(output.id, latest, delivered())
    with pytest.raises(ConflictError):
        await outputs.complete(output.id, late, delivered())
    assert (await outputs.get(output.id)).files == delivered()


async def test_a_lost_attempt_stays_fenced_after_a_retry_is_asked_for(
    pool: Pool, outputs: Outputs, output: Output
) -> None:
    late = await rendering(outputs, output.id)
    await outputs.fail(output.id, failure())
    await Jobs(pool).reopen(output.job_id, [output.id], "retry")
    with pytest.raises(ConflictError):
        await outputs.complete(output.id, late, delivered())
    assert await rendering(outputs, output.id) == late + 1
    with pytest.raises(ConflictError) as refused:
        await outputs.complete(output.id, late, delivered())
    assert refused.value.code is ErrorCode.STALE_ATTEMPT


async def test_attempts_never_count_backwards_even_in_plain_sql(pool: Pool, outputs: Outputs, output: Output) -> None:
    await rendering(outputs, output.id)
    with pytest.raises(asyncpg.PostgresError) as refused:
        await pool.execute("update job_outputs set attempt = 0 where id = $1", output.id)
    assert refused.value.sqlstate == "CN002"


async def test_of_many_attempts_at_once_each_has_its_own_number_and_one_publishes(
    outputs: Outputs, output: Output
) -> None:
    await outputs.plan(output.id, "edl.json")
    attempts = await asyncio.gather(*(outputs.begin_attempt(output.id) for _ in range(8)))
    assert sorted(attempts) == list(range(1, 9))
    ends = await asyncio.gather(
        *(outputs.complete(output.id, attempt, delivered()) for attempt in attempts), return_exceptions=True
    )
    assert sum(isinstance(end, Output) for end in ends) == 1
    assert sum(isinstance(end, ConflictError) for end in ends) == 7


async def test_an_attempt_that_wakes_up_late_uploads_nothing_over_a_published_file(
    outputs: Outputs, output: Output
) -> None:
    late = await rendering(outputs, output.id)
    latest = await outputs.begin_attempt(output.id)
    uploads: list[int] = []

    async def publish(attempt: int) -> None:
        async with outputs.publishing(output.id, attempt):
            uploads.append(attempt)
            await asyncio.sleep(0.05)
            await outputs.complete(output.id, attempt, delivered())

    results = await asyncio.gather(*(publish(attempt) for attempt in (late, latest, late)), return_exceptions=True)
    assert uploads == [latest]
    assert [isinstance(result, ConflictError) for result in results] == [True, False, True]


async def test_progress_is_visible_and_never_falls(outputs: Outputs, output: Output) -> None:
    attempt = await rendering(outputs, output.id)
    await outputs.report_progress(output.id, attempt, 0.5, "encode")
    await outputs.report_progress(output.id, attempt, 0.4, "mix")
    seen = await outputs.get(output.id)
    assert (seen.progress, seen.stage) == (0.5, "mix")
    await outputs.begin_attempt(output.id)
    assert (await outputs.get(output.id)).progress == 0


async def test_progress_that_is_none_is_refused(outputs: Outputs, output: Output) -> None:
    attempt = await rendering(outputs, output.id)
    for nonsense in (-0.1, 1.1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="progress"):
            await outputs.report_progress(output.id, attempt, nonsense, "encode")
    assert (await outputs.get(output.id)).status is OutputStatus.RENDERING


async def test_a_failed_output_says_where_and_first_why(outputs: Outputs, output: Output) -> None:
    attempt = await rendering(outputs, output.id)
    await outputs.report_progress(output.id, attempt, 0.5, "encode")
    await outputs.fail(output.id, failure("First."))
    failed = await outputs.fail(output.id, failure("Second."))
    assert failed.error == failure("First.")
    assert (failed.stage, failed.progress) == ("encode", 0.5)


async def test_another_plan_is_refused_while_one_is_rendered(outputs: Outputs, output: Output) -> None:
    await rendering(outputs, output.id)
    with pytest.raises(ConflictError):
        await outputs.plan(output.id, "another.json")
    assert (await outputs.get(output.id)).edl_key == "edl.json"


async def test_an_output_that_does_not_exist_is_not_found(outputs: Outputs) -> None:
    calls = [
        outputs.get(uuid4()),
        outputs.plan(uuid4(), "e"),
        outputs.begin_attempt(uuid4()),
        outputs.report_progress(uuid4(), 1, 0, ""),
        outputs.complete(uuid4(), 1, delivered()),
        outputs.fail(uuid4(), failure()),
        outputs.cancel(uuid4()),
    ]
    for error in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(error, CinemaError)
        assert error.code is ErrorCode.NOT_FOUND

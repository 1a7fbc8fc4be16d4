"""Every attempt is in the ledger once, with what it used; its creator pays for what succeeded and for nothing else."""

from uuid import UUID, uuid4

import pytest

from schemas.cost import Bill, LedgerEntry, Outcome, Share, Usage, WorkKind
from schemas.errors import CinemaError, ErrorCode
from schemas.jobs import Job, Project
from stores import ActingAs, AnalysisWork, Jobs, Ledger, Outputs, Pool, RenderWork
from tests.stores.samples import delivered

pytestmark = pytest.mark.postgres

USED = Usage(wall_s=10.5, cpu_s=21.25, gpu_s=0, bytes_read=3 << 40, bytes_written=7)
NOTHING = Usage()
FIRST, SECOND = UUID(int=1), UUID(int=2)


@pytest.fixture
def ledger(pool: Pool) -> Ledger:
    return Ledger(pool)


async def rendering(pool: Pool, job: Job) -> RenderWork:
    """A new attempt at the job's first output."""
    output = job.outputs[0]
    if (await Outputs(pool).get(output.id)).attempt == 0:
        await Outputs(pool).plan(output.id, "edl.json")
    return RenderWork(output.id, await Outputs(pool).begin_attempt(output.id))


def analysis(job: Job, analyzer: str = "faces", asset_id: UUID = FIRST) -> AnalysisWork:
    return AnalysisWork(job.id, asset_id, analyzer)


async def test_an_attempt_is_opened_kept_up_and_closed_once(pool: Pool, ledger: Ledger, job: Job) -> None:
    work = await rendering(pool, job)
    entry = await ledger.begin_render(work)
    assert await ledger.begin_render(work) == entry, "the same attempt twice is one"
    await ledger.keep_up(entry, Usage(wall_s=1, cpu_s=2))
    (row,) = await ledger.of_job(job.id)
    assert (row.kind, row.subject, row.output_id, row.attempt) == (WorkKind.RENDER, "cinematic_full", work.output_id, 1)
    assert (row.outcome, row.usage.cpu_s, row.charged, row.ended_at) == (Outcome.RUNNING, 2, False, None)
    await ledger.end(entry, Outcome.SUCCEEDED, USED, media_us=4_200_000, pixel_rate=62_208_000)
    assert [work.pixel_rate for work in await ledger.measured(1)] == [62_208_000]
    await ledger.end(entry, Outcome.FAILED, NOTHING)
    await ledger.keep_up(entry, NOTHING)
    (row,) = await ledger.of_job(job.id)
    assert (row.outcome, row.usage, row.charged, row.media_us) == (Outcome.SUCCEEDED, USED, True, 4_200_000)
    assert row.ended_at is not None
    assert row.ended_at >= row.started_at


async def test_an_attempt_whose_worker_was_killed_is_lost_when_the_next_one_begins(
    pool: Pool, ledger: Ledger, job: Job
) -> None:
    first = await ledger.begin_render(await rendering(pool, job))
    await ledger.keep_up(first, USED)
    second = await ledger.begin_render(await rendering(pool, job))
    await ledger.end(first, Outcome.SUCCEEDED, NOTHING)
    await ledger.end(second, Outcome.SUCCEEDED, NOTHING)
    rows = [(row.attempt, row.outcome, row.usage, row.charged) for row in await ledger.of_job(job.id)]
    assert rows == [(1, Outcome.LOST, USED, False), (2, Outcome.SUCCEEDED, NOTHING, True)]


async def test_an_older_attempt_that_comes_late_takes_nothing_from_the_newer_one(
    pool: Pool, ledger: Ledger, job: Job
) -> None:
    older, newer = await rendering(pool, job), await rendering(pool, job)
    await ledger.begin_render(newer)
    await ledger.begin_render(older)
    assert {row.outcome for row in await ledger.of_job(job.id)} == {Outcome.RUNNING}


async def test_analyses_are_counted_for_each_asset_and_analyzer_of_a_job(ledger: Ledger, job: Job) -> None:
    await ledger.begin_analysis(analysis(job))
    again = await ledger.begin_analysis(analysis(job))
    await ledger.end(again, Outcome.FAILED, USED)
    third = await ledger.begin_analysis(analysis(job))
    await ledger.end(third, Outcome.SUCCEEDED, USED)
    await ledger.begin_analysis(analysis(job, "shots"))
    await ledger.begin_analysis(analysis(job, asset_id=SECOND))
    rows = await ledger.of_job(job.id)
    assert [(row.subject, row.asset_id, row.attempt, row.outcome) for row in rows] == [
        ("faces", FIRST, 1, Outcome.LOST),
        ("faces", FIRST, 2, Outcome.FAILED),
        ("faces", FIRST, 3, Outcome.SUCCEEDED),
        ("shots", FIRST, 1, Outcome.RUNNING),
        ("faces", SECOND, 1, Outcome.RUNNING),
    ]


async def test_a_settled_job_leaves_nothing_open(pool: Pool, ledger: Ledger, job: Job) -> None:
    published = await rendering(pool, job)
    await ledger.keep_up(await ledger.begin_render(published), USED)
    await Outputs(pool).complete(published.output_id, published.attempt, delivered())
    await ledger.begin_analysis(analysis(job))
    await ledger.close_job(job.id)
    rows = {row.kind: row for row in await ledger.of_job(job.id)}
    assert rows[WorkKind.RENDER].outcome is Outcome.SUCCEEDED, "its worker died after it had published"
    assert rows[WorkKind.RENDER].usage == USED
    assert rows[WorkKind.ANALYSIS].outcome is Outcome.LOST


async def bill_for(ledger: Ledger, job: Job, outcome: Outcome) -> None:
    await ledger.end(await ledger.begin_analysis(analysis(job, asset_id=uuid4())), outcome, USED)


@pytest.mark.parametrize("outcome", set(Outcome) - {Outcome.RUNNING})
async def test_a_creator_pays_for_what_succeeded_alone(ledger: Ledger, job: Job, outcome: Outcome) -> None:
    await bill_for(ledger, job, outcome)
    share = Share(attempts=1, usage=USED)
    expected = Bill(creator=share) if outcome is Outcome.SUCCEEDED else Bill(house=share)
    assert await ledger.bill_of_job(job.id) == expected


async def test_bills_add_up_over_jobs_and_projects(pool: Pool, ledger: Ledger, job: Job, project: Project) -> None:
    other = await Jobs(pool).create(project.owner_id, project.id, job.request)
    for made in (job, job, other):
        await bill_for(ledger, made, Outcome.SUCCEEDED)
    await bill_for(ledger, other, Outcome.LOST)
    assert (await ledger.bill_of_job(job.id)).creator == Share(attempts=2, usage=USED.plus(USED))
    for column, whose in (("project_id", project.id), ("owner_id", project.owner_id)):
        charged, ours = await pool.fetch(
            f"select sum(attempts), sum(bytes_read) from public.job_costs where {column} = $1 group by charged "
            "order by charged desc",
            whose,
        )
        assert (*charged, ours[0]) == (3, 3 * USED.bytes_read, 1)


async def test_creators_see_what_they_are_charged_for_and_nobody_else_does(
    pool: Pool, ledger: Ledger, job: Job
) -> None:
    await bill_for(ledger, job, Outcome.SUCCEEDED)
    await bill_for(ledger, job, Outcome.FAILED)
    own, other = Ledger(ActingAs(pool, job.owner_id)), Ledger(ActingAs(pool, uuid4()))
    assert [row.outcome for row in await own.of_job(job.id)] == [Outcome.SUCCEEDED]
    assert await own.bill_of_job(job.id) == Bill(creator=Share(attempts=1, usage=USED))
    assert await other.of_job(job.id) == ()
    assert await other.bill_of_job(job.id) == Bill()


async def test_speeds_come_from_recent_successes_of_known_length(pool: Pool, ledger: Ledger, job: Job) -> None:
    async def succeed(analyzer: str, media_us: int | None) -> int:
        entry = await ledger.begin_analysis(analysis(job, analyzer, uuid4()))
        await ledger.end(entry, Outcome.SUCCEEDED, USED, media_us)
        return entry

    old = await succeed("faces", 1)
    await pool.execute("update ledger set started_at = now() - interval '31 days' where id = $1", old)
    await succeed("faces", None)
    for length in (2, 3, 4):
        await succeed("faces", length)
    await succeed("shots", 5)
    await bill_for(ledger, job, Outcome.LOST)
    found = await ledger.measured(most=2)
    assert [(row.subject, row.media_us, row.wall_s, row.cpu_s) for row in found] == [
        ("faces", 4, 10.5, 21.25),
        ("faces", 3, 10.5, 21.25),
        ("shots", 5, 10.5, 21.25),
    ]


async def test_an_account_of_nothing_is_refused(ledger: Ledger) -> None:
    for opening in (
        ledger.begin_render(RenderWork(uuid4(), 1)),
        ledger.begin_analysis(AnalysisWork(uuid4(), uuid4(), "faces")),
    ):
        with pytest.raises(CinemaError) as missing:
            await opening
        assert missing.value.code is ErrorCode.NOT_FOUND


async def test_an_attempt_does_not_end_as_running(ledger: Ledger, job: Job) -> None:
    entry = await ledger.begin_analysis(analysis(job))
    with pytest.raises(ValueError, match="running"):
        await ledger.end(entry, Outcome.RUNNING, USED)


async def test_deleting_a_job_takes_its_account_along(pool: Pool, ledger: Ledger, job: Job) -> None:
    await bill_for(ledger, job, Outcome.SUCCEEDED)
    entries: tuple[LedgerEntry, ...] = await ledger.of_job(job.id)
    assert len(entries) == 1
    await pool.execute("delete from jobs where id = $1", job.id)
    assert await ledger.of_job(job.id) == ()

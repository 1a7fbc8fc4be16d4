"""Totals by day: the same whether counted as it happens or anew, and found without a look at single outputs."""

import asyncio
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from schemas.cost import Outcome, Usage
from schemas.errors import CinemaError
from schemas.jobs import Job, JobRequest, OutputFiles, Project
from schemas.resources.analytics import AnalyticsResource, Granularity, JobOutcomes, OutputOutcomes
from stores import ActingAs, AnalysisWork, Jobs, Ledger, Outputs, Pool, Projects, RenderWork
from stores.analytics import Analytics, Span, parameters_of, statements
from tests.stores.samples import delivered, failure

pytestmark = pytest.mark.postgres

TODAY = datetime.now(UTC).date()
#: Around today, so that a test that runs at midnight still finds all it made.
AROUND = Span(TODAY - timedelta(days=1), TODAY + timedelta(days=1), Granularity.MONTH)


def made(**metrics: float | None) -> OutputFiles:
    files = delivered()
    report = files.report.model_copy(update={"metrics": files.report.metrics.model_copy(update=metrics)})
    return files.model_copy(update={"report": report})


async def complete(pool: Pool, output_id: UUID, files: OutputFiles, cpu_s: float = 0.0) -> None:
    outputs, ledger = Outputs(pool), Ledger(pool)
    await outputs.plan(output_id, "edl.json")
    attempt = await outputs.begin_attempt(output_id)
    entry = await ledger.begin_render(RenderWork(output_id, attempt))
    await outputs.complete(output_id, attempt, files)
    await ledger.end(entry, Outcome.SUCCEEDED, Usage(cpu_s=cpu_s), 1_000_000)


async def test_what_ended_is_added_up_by_outcome_and_variant(pool: Pool, owner_id: UUID, project: Project) -> None:
    for cuts, loudness in ((10.0, -14.0), (20.0, None)):
        job = await Jobs(pool).create(owner_id, project.id, JobRequest())
        first, second, *others = job.outputs
        files = made(duration_s=30.5, removed_s=4.25, cuts_per_minute=cuts, integrated_lufs=loudness)
        await complete(pool, first.id, files, cpu_s=12.5)
        await Outputs(pool).fail(second.id, failure())
        for output in others:
            await Outputs(pool).cancel(output.id)
        await Jobs(pool).settle(job.id)
    entry = await Ledger(pool).begin_analysis(AnalysisWork(job.id, uuid4(), "shots"))
    await Ledger(pool).end(entry, Outcome.SUCCEEDED, Usage(cpu_s=3), 1)
    lost = await Ledger(pool).begin_analysis(AnalysisWork(job.id, uuid4(), "faces"))
    await Ledger(pool).end(lost, Outcome.LOST, Usage(cpu_s=100))
    found = await Analytics(ActingAs(pool, owner_id)).over(AROUND)
    totals = found.totals
    assert totals.jobs == JobOutcomes(partial=2)
    assert totals.outputs == OutputOutcomes(completed=2, failed=2, cancelled=4)
    assert (totals.video_s, totals.removed_s) == (61, 8.5)
    assert (totals.compute_s, totals.analysis_compute_s) == (28, 3), "what was lost is not charged"
    assert totals.metrics.cuts_per_minute == 15
    assert totals.metrics.integrated_lufs == -14, "an output without sound has no part in the mean loudness"
    assert [(of.variant, of.outputs.completed) for of in totals.variants] == [
        (output.variant, 2 if output.variant == first.variant else 0)
        for output in sorted(job.outputs, key=lambda output: list(type(output.variant)).index(output.variant))
    ]
    assert sum(period.totals.jobs.partial for period in found.periods) == 2


async def test_an_empty_range_has_no_periods(pool: Pool, owner_id: UUID, project: Project) -> None:
    assert project.owner_id == owner_id
    found = await Analytics(ActingAs(pool, owner_id)).over(AROUND)
    assert found.periods == ()
    assert found.totals.jobs == JobOutcomes()
    assert found.totals.metrics.cuts_per_minute is None


async def test_a_retried_output_counts_once_as_it_ended_last(pool: Pool, owner_id: UUID, job: Job) -> None:
    first, second = job.outputs
    await Outputs(pool).fail(first.id, failure())
    await complete(pool, second.id, delivered())
    await Jobs(pool).settle(job.id)
    await Jobs(pool).reopen(job.id, [first.id], "order")
    between = (await _told(pool, owner_id)).totals
    assert (between.jobs, between.outputs) == (JobOutcomes(), OutputOutcomes(completed=1))
    await complete(pool, first.id, delivered())
    await Jobs(pool).settle(job.id)
    after = (await _told(pool, owner_id)).totals
    assert (after.jobs, after.outputs) == (JobOutcomes(completed=1), OutputOutcomes(completed=2))
    await pool.execute("update job_outputs set expiring_since = now(), expired_at = now()")
    assert (await _told(pool, owner_id)).totals == after, "what expires was made all the same"


async def test_counting_as_it_happens_and_counting_anew_agree(pool: Pool, owner_id: UUID, project: Project) -> None:
    chance = random.Random(7)
    jobs = [await Jobs(pool).create(owner_id, project.id, JobRequest()) for _ in range(4)]
    await asyncio.gather(*(_live(pool, job, random.Random(chance.random())) for job in jobs))
    # Some of it happened on other days.
    await pool.execute("update job_outputs set settled_at = settled_at - random() * interval '40 days'")
    await pool.execute("update jobs set settled_at = settled_at - random() * interval '40 days'")
    kept = await _rows(pool)
    assert kept
    await pool.execute("select cinema.rebuild_totals($1)", project.id)
    assert await _rows(pool) == kept


async def _live(pool: Pool, job: Job, chance: random.Random) -> None:
    """Some of what can become of a job, retries and all."""
    for round_number in range(3):
        open_now = [output for output in (await Jobs(pool).get(job.id)).outputs if not output.status.settled]
        for output in open_now:
            match chance.randrange(3):
                case 0:
                    files = made(duration_s=chance.uniform(1, 60), cuts_per_minute=chance.uniform(0, 30))
                    await complete(pool, output.id, files, cpu_s=chance.uniform(0, 9))
                case 1:
                    await Outputs(pool).fail(output.id, failure())
                case 2:
                    await Outputs(pool).cancel(output.id)
        await Jobs(pool).settle(job.id)
        try:
            await Jobs(pool).reopen(job.id, [], f"order {round_number}")
        except CinemaError:
            return
    await Jobs(pool).cancel(job.id)


async def _rows(pool: Pool) -> list[dict[str, Any]]:
    """What both tables say; a row of nothing says nothing."""
    found = []
    for table in ("job_days", "output_days"):
        for row in await pool.fetch(f"select * from {table} order by project_id, day"):
            told = {name: value for name, value in row.items() if not name.endswith("_at")}
            sums = {
                name: value for name, value in told.items() if name not in {"owner_id", "project_id", "day", "variant"}
            }
            if any(sums.values()):
                found.append(told)
    return sorted(found, key=lambda row: (row["day"], row.get("variant", "")))


async def _told(pool: Pool, owner_id: UUID) -> AnalyticsResource:
    return await Analytics(ActingAs(pool, owner_id)).over(AROUND)


async def test_totals_are_their_owners_alone_and_nobody_writes_them(pool: Pool, owner_id: UUID, job: Job) -> None:
    await Jobs(pool).cancel(job.id)
    stranger = uuid4()
    await Projects(pool).ensure_profile(stranger)
    assert (await _told(pool, owner_id)).totals.jobs.cancelled == 1
    assert (await _told(pool, stranger)).totals.jobs.cancelled == 0
    for table in ("job_days", "output_days"):
        for statement in ("delete from {}", "update {} set completed = 7", "insert into {} default values"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with ActingAs(pool, owner_id).acquire() as connection:
                    await connection.execute(statement.format(table))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with ActingAs(pool, owner_id).acquire() as connection:
            await connection.execute("select cinema.rebuild_totals($1)", job.project_id)


async def test_totals_of_a_crowd_are_found_by_index_and_without_its_outputs(
    pool: Pool, owner_id: UUID, project: Project
) -> None:
    await _crowd(pool, owner_id)
    month = Span(date(2024, 2, 1), date(2024, 2, 29), Granularity.DAY)
    for project_id in (None, project.id):
        async with ActingAs(pool, owner_id).acquire() as connection:
            for text, table in zip(statements(project_id), ("job_days", "output_days"), strict=True):
                explained = await connection.fetchval(
                    f"explain (format json) {text}", *parameters_of(month, project_id)
                )
                scans = [node for node in _nodes(explained[0]["Plan"]) if "Scan" in node["Node Type"]]
                assert {scan.get("Relation Name", table) for scan in scans} == {table}
                assert "Seq Scan" not in {scan["Node Type"] for scan in scans}
                assert any("Index" in scan["Node Type"] for scan in scans)


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


async def _crowd(pool: Pool, owner_id: UUID) -> None:
    """200,000 outputs, and 100,000 rows of totals of 25 creators with 20 projects each, written past all triggers."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        await connection.execute(
            """
            create temporary table crowd on commit drop as
            select case when number <= 20 then $1 else md5((number / 20)::text)::uuid end as owner_id,
                md5('project ' || number)::uuid as project_id from generate_series(1, 500) number
            """,
            owner_id,
        )
        await connection.execute(
            """
            insert into job_outputs (job_id, owner_id, variant, position, edl_key)
            select md5(project_id::text || number)::uuid, owner_id, 'hook_cut', 0, 'edl.json'
            from crowd, generate_series(1, 400) number
            """
        )
        await connection.execute(
            """
            insert into output_days (owner_id, project_id, day, variant, completed)
            select owner_id, project_id, date '2024-01-01' + day, variant, 10 from crowd, generate_series(0, 49) day,
                unnest('{cinematic_full,short_highlight,hook_cut,vertical_reel}'::text[]) variant
            """
        )
        await connection.execute(
            """
            insert into job_days (owner_id, project_id, day, completed)
            select owner_id, project_id, date '2024-01-01' + day, 10 from crowd, generate_series(0, 49) day
            """
        )
    await pool.execute("analyze job_outputs, output_days, job_days")

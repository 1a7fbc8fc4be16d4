"""Parts of long outputs: found by content, made by one worker at a time, kept for a while, gone with their project."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from schemas.cost import Outcome, Usage
from schemas.delivery import StageTime
from schemas.edl import Variant
from schemas.errors import CinemaError, ConflictError, ErrorCode
from schemas.jobs import Job, JobRequest, Project
from schemas.retention import RetentionPolicy
from schemas.segments import SegmentReport, StoredSegment
from stores import Deletions, Jobs, Ledger, Outputs, PartWork, Pool, Projects, Removals, RenderWork, Retention, Segments

pytestmark = pytest.mark.postgres

KEY, OTHER = "1" * 64, "2" * 64
REPORT = SegmentReport(notes=("A note.",), stages=(StageTime(stage="encode", seconds=1.5),))
POLICY = RetentionPolicy(segments=timedelta(days=7))


@pytest.fixture
def segments(pool: Pool) -> Segments:
    return Segments(pool)


async def kept(segments: Segments, project: Project, key: str = KEY) -> str:
    """A segment that was made; where it lies."""
    object_key = f"{project.owner_id}/{project.id}/segments/{key}.mp4"
    await segments.announce(project.owner_id, project.id, key, object_key)
    await segments.record(project.id, key, size_bytes=7, sha256="a" * 64, report=REPORT)
    return object_key


def later(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


async def test_a_segment_is_found_once_it_is_whole_by_its_owner_alone(
    pool: Pool, segments: Segments, project: Project
) -> None:
    object_key = f"{project.owner_id}/{project.id}/segments/{KEY}.mp4"
    await segments.announce(project.owner_id, project.id, KEY, object_key)
    assert await segments.find(project.owner_id, [KEY]) == {}
    await segments.record(project.id, KEY, size_bytes=7, sha256="a" * 64, report=REPORT)
    found = await segments.find(project.owner_id, [KEY, OTHER])
    assert found == {KEY: StoredSegment(key=KEY, object_key=object_key, size_bytes=7, sha256="a" * 64, report=REPORT)}
    another = await Projects(pool).create(project.owner_id, "Another")
    await kept(segments, another)
    assert set(await segments.find(project.owner_id, [KEY])) == {KEY}, "one of the two will do"
    assert await segments.find(uuid4(), [KEY]) == {}
    await segments.discard(project.owner_id, [KEY])
    assert await segments.find(project.owner_id, [KEY]) == {}


async def test_two_workers_never_make_the_same_segment(segments: Segments, project: Project) -> None:
    async with segments.making(project.owner_id, KEY) as had:
        assert had
        assert await segments.is_being_made(project.owner_id, KEY)
        async with segments.making(project.owner_id, KEY) as too:
            assert not too
        async with segments.making(project.owner_id, OTHER) as other, segments.making(uuid4(), KEY) as somebody_elses:
            assert other
            assert somebody_elses
    assert not await segments.is_being_made(project.owner_id, KEY)


async def test_a_segment_goes_when_nothing_was_made_of_it_for_long_and_no_job_may(
    pool: Pool, segments: Segments, project: Project
) -> None:
    retention = Retention(pool)
    place = await kept(segments, project)
    assert await retention.claim_segments(POLICY, later(6.9)) == ()
    assert (await retention.preview(POLICY, later(7.1))).segments == 1
    job = await Jobs(pool).create(project.owner_id, project.id, JobRequest(variants=(Variant.HOOK_CUT,)))
    assert await retention.claim_segments(POLICY, later(7.1)) == (), "a job may use it"
    await Jobs(pool).cancel(job.id)
    assert await retention.claim_segments(POLICY, later(7.1)) == (place,)
    assert await segments.find(project.owner_id, [KEY]) == {}
    async with Removals(pool).removing_segment(place) as objects:
        assert objects is not None
        assert [item.key for item in objects] == [place]
    assert await Removals(pool).unfinished_segments(None, 10) == ()


async def test_a_plan_that_keeps_for_less_keeps_segments_for_less(
    pool: Pool, segments: Segments, project: Project
) -> None:
    await pool.execute("insert into plans (id, name, retention_days) values ('short', 'Short', 2)")
    await pool.execute("update profiles set plan_id = 'short' where id = $1", project.owner_id)
    place = await kept(segments, project)
    assert await Retention(pool).claim_segments(POLICY, later(2.1)) == (place,)


async def test_a_segment_that_is_used_again_stays(pool: Pool, segments: Segments, project: Project) -> None:
    await kept(segments, project)
    await pool.execute("update segments set used_at = now() - interval '6 days'")
    await segments.find(project.owner_id, [KEY])
    assert await Retention(pool).claim_segments(POLICY, later(2)) == ()


async def test_a_segment_that_is_being_made_is_not_removed(pool: Pool, segments: Segments, project: Project) -> None:
    object_key = f"{project.owner_id}/{project.id}/segments/{KEY}.mp4"
    async with segments.making(project.owner_id, KEY):
        await segments.announce(project.owner_id, project.id, KEY, object_key)
        assert await Removals(pool).unfinished_segments(None, 10) == (object_key,)
        async with Removals(pool).removing_segment(object_key) as objects:
            assert objects is None
    async with Removals(pool).removing_segment(object_key) as objects:
        assert objects is not None


async def test_nothing_is_announced_in_a_project_that_is_being_deleted(
    pool: Pool, segments: Segments, project: Project
) -> None:
    place = await kept(segments, project)
    await Deletions(pool).begin(project.id, "test")
    assert f"outputs/{place}" in {
        f"{item.bucket}/{item.key}" for item in await Deletions(pool).named_objects(project.id)
    }
    with pytest.raises(ConflictError) as refused:
        await segments.announce(project.owner_id, project.id, OTHER, f"{project.owner_id}/{project.id}/x.mp4")
    assert refused.value.code is ErrorCode.INVALID_TRANSITION


async def test_the_progress_of_an_output_in_parts_is_the_sum_of_theirs_and_never_falls(pool: Pool, job: Job) -> None:
    outputs, output_id = Outputs(pool), job.outputs[0].id
    await outputs.plan(output_id, "edl.json")
    attempt = await outputs.begin_parts(output_id, [0.1, 0.4, 0.4], {0})

    async def progress() -> float:
        return round((await outputs.get(output_id)).progress, 6)

    assert await progress() == 0.1
    await asyncio.gather(outputs.report_part(output_id, attempt, 1, 0.5), outputs.report_part(output_id, attempt, 2, 1))
    assert await progress() == 0.7
    await outputs.report_part(output_id, attempt, 2, 0.2)
    assert await progress() == 0.7
    await outputs.report_part(output_id, attempt, 1, 1)
    assert await outputs.begin_joining(output_id) == attempt
    assert await progress() == 0.9
    with pytest.raises(ConflictError):
        await outputs.report_part(output_id, attempt + 1, 1, 1)


async def test_joining_again_after_a_lost_worker_is_another_attempt(pool: Pool, job: Job) -> None:
    outputs, output_id = Outputs(pool), job.outputs[0].id
    await outputs.plan(output_id, "edl.json")
    attempt = await outputs.begin_parts(output_id, [0.9], {0})
    assert await outputs.begin_joining(output_id) == attempt
    assert await outputs.begin_joining(output_id) == attempt + 1
    with pytest.raises(ConflictError) as refused:
        await outputs.report_progress(output_id, attempt, 0.95, "joining")
    assert refused.value.code is ErrorCode.STALE_ATTEMPT
    assert (await outputs.get(output_id)).progress == 0.9


async def test_each_part_has_its_own_attempts_in_the_ledger(pool: Pool, job: Job) -> None:
    ledger, outputs, output_id = Ledger(pool), Outputs(pool), job.outputs[0].id
    await outputs.plan(output_id, "edl.json")
    attempt = await outputs.begin_parts(output_id, [0.1, 0.8], set())
    await ledger.end(await ledger.begin_part(PartWork(output_id, "sound")), Outcome.SUCCEEDED, Usage(cpu_s=1), 10)
    await ledger.begin_part(PartWork(output_id, "segment 1"))
    again = await ledger.begin_part(PartWork(output_id, "segment 1"))
    await ledger.end(again, Outcome.SUCCEEDED, Usage(cpu_s=2), 10)
    join = await ledger.begin_render(RenderWork(output_id, attempt, "join"))
    await ledger.end(join, Outcome.SUCCEEDED, Usage(cpu_s=3), 10)
    assert [(row.part, row.attempt, row.outcome) for row in await ledger.of_job(job.id)] == [
        ("sound", 1, Outcome.SUCCEEDED),
        ("segment 1", 1, Outcome.LOST),
        ("segment 1", 2, Outcome.SUCCEEDED),
        ("join", 1, Outcome.SUCCEEDED),
    ]
    assert {(work.step, work.cpu_s) for work in await ledger.measured(5)} == {("sound", 1), ("segment", 2), ("join", 3)}
    bill = await ledger.bill_of_job(job.id)
    assert (bill.creator.attempts, bill.house.attempts) == (3, 1)


async def test_a_part_of_nothing_has_no_entry(pool: Pool) -> None:
    with pytest.raises(CinemaError) as refused:
        await Ledger(pool).begin_part(PartWork(uuid4(), "sound"))
    assert refused.value.code is ErrorCode.NOT_FOUND

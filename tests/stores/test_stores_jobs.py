"""Jobs from creation to settlement, on a real Postgres."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest

from schemas.edl import Variant
from schemas.errors import CinemaError, ConflictError, ErrorCode, ErrorInfo
from schemas.jobs import ArtifactCounts, Job, JobRequest, JobStatus, OutputStatus, Project
from schemas.media import AssetKind
from schemas.resources.jobs import JobResource
from stores import ActingAs, Assets, Jobs, Outputs, Pool, Projects, open_pool
from stores.asset_listing import AssetTidying
from stores.job_reading import job_as_seen_by
from stores.jobs import MOST_RETRIES
from tests.stores.samples import delivered, failure

pytestmark = pytest.mark.postgres

Step = Callable[[Outputs, UUID], Awaitable[object]]


async def complete(outputs: Outputs, output_id: UUID) -> None:
    await outputs.plan(output_id, "edl.json")
    await outputs.complete(output_id, await outputs.begin_attempt(output_id), delivered())


async def fail(outputs: Outputs, output_id: UUID) -> None:
    await outputs.fail(output_id, failure())


async def cancel(outputs: Outputs, output_id: UUID) -> None:
    await outputs.cancel(output_id)


async def test_a_new_job_has_an_output_for_each_variant_in_order(pool: Pool, project: Project) -> None:
    request = JobRequest(variants=(Variant.VERTICAL_REEL, Variant.HOOK_CUT, Variant.VERTICAL_REEL))
    job = await Jobs(pool).create(project.owner_id, project.id, request)
    assert [output.variant for output in job.outputs] == [Variant.VERTICAL_REEL, Variant.HOOK_CUT]
    assert {output.status for output in job.outputs} == {OutputStatus.QUEUED}
    assert job.status is JobStatus.QUEUED
    assert job.request == request.expanded()
    assert await Jobs(pool).get(job.id) == job
    assert await pool.fetchval("select count(*) from outbox where job_id = $1", job.id) == 1


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
async def test_a_job_read_as_its_owner_sees_it_says_what_reading_it_in_steps_says(
    dsn: str, pool: Pool, job: Job, zone: str
) -> None:
    completed, failed = (output.id for output in job.outputs)
    await complete(Outputs(pool), completed)
    await fail(Outputs(pool), failed)
    await Jobs(pool).count_artifacts(job.id, ArtifactCounts(computed=3, reused=4))
    async with await open_pool(f"{dsn}{'&' if '?' in dsn else '?'}timezone={zone}", max_size=1) as elsewhere:
        assert await elsewhere.fetchval("show timezone") == zone
        seen = await job_as_seen_by(ActingAs(elsewhere, job.owner_id), job.id)
    expected = JobResource.of(await Jobs(pool).get(job.id))
    assert seen == expected
    assert seen.outputs[0].size_bytes == delivered().video_bytes
    assert seen.model_dump_json() == expected.model_dump_json()


async def test_a_job_that_cannot_be_created_leaves_nothing(pool: Pool, project: Project) -> None:
    stranger = uuid4()
    await Projects(pool).ensure_profile(stranger)
    with pytest.raises(CinemaError) as refused:
        await Jobs(pool).create(stranger, project.id, JobRequest())
    assert refused.value.code is ErrorCode.NOT_FOUND
    assert await pool.fetchval("select count(*) from jobs") == 0
    assert await pool.fetchval("select count(*) from outbox") == 0


async def test_a_job_that_does_not_exist_is_not_found(pool: Pool) -> None:
    jobs, nobody = Jobs(pool), uuid4()
    for call in (
        jobs.get(nobody),
        jobs.set_status(nobody, JobStatus.ANALYSING),
        jobs.count_artifacts(nobody, ArtifactCounts()),
        jobs.settle(nobody),
        jobs.cancel(nobody),
        jobs.fail(nobody, failure()),
        jobs.reopen(nobody, [], "r"),
    ):
        with pytest.raises(CinemaError) as missing:
            await call
        assert missing.value.code is ErrorCode.NOT_FOUND


async def test_stages_can_be_entered_again(pool: Pool, job: Job) -> None:
    jobs = Jobs(pool)
    for status in (
        JobStatus.ANALYSING,
        JobStatus.ANALYSING,
        JobStatus.AWAITING_APPROVAL,
        JobStatus.PAUSED,
        JobStatus.PLANNING,
        JobStatus.RENDERING,
    ):
        await jobs.set_status(job.id, status)
        assert (await jobs.get(job.id)).status is status


async def test_only_stages_can_be_entered(pool: Pool, job: Job) -> None:
    for status in {JobStatus.QUEUED, *(status for status in JobStatus if status.settled)}:
        with pytest.raises(ConflictError) as refused:
            await Jobs(pool).set_status(job.id, status)
        assert refused.value.code is ErrorCode.INVALID_TRANSITION


async def test_a_settled_job_enters_no_stage(pool: Pool, job: Job) -> None:
    await Jobs(pool).cancel(job.id)
    with pytest.raises(ConflictError, match="cancelled"):
        await Jobs(pool).set_status(job.id, JobStatus.ANALYSING)


async def test_counts_of_analyses_are_set_not_added(pool: Pool, job: Job) -> None:
    counts = ArtifactCounts(computed=3, reused=4)
    await Jobs(pool).count_artifacts(job.id, counts)
    await Jobs(pool).count_artifacts(job.id, counts)
    assert (await Jobs(pool).get(job.id)).artifacts == counts


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        pytest.param((complete, complete), JobStatus.COMPLETED, id="all completed"),
        pytest.param((complete, fail), JobStatus.PARTIAL, id="one failed"),
        pytest.param((complete, cancel), JobStatus.PARTIAL, id="one cancelled"),
        pytest.param((fail, cancel), JobStatus.CANCELLED, id="failed and cancelled"),
        pytest.param((fail, fail), JobStatus.FAILED, id="all failed"),
    ],
)
async def test_a_job_ends_as_its_outputs_ended(
    pool: Pool, job: Job, ends: tuple[Step, Step], expected: JobStatus
) -> None:
    for end, output in zip(ends, job.outputs, strict=True):
        await end(Outputs(pool), output.id)
    settled = await Jobs(pool).settle(job.id)
    assert settled.status is expected
    assert await Jobs(pool).settle(job.id) == settled


async def test_a_job_that_could_not_use_all_footage_is_partial(pool: Pool, project: Project, job: Job) -> None:
    asset_id = await add_asset(pool, project)
    await Assets(pool).refuse(asset_id, failure())
    for output in job.outputs:
        await complete(Outputs(pool), output.id)
    assert (await Jobs(pool).settle(job.id)).status is JobStatus.PARTIAL


async def test_a_refused_file_that_was_deleted_costs_the_next_job_nothing(
    pool: Pool, project: Project, job: Job
) -> None:
    asset_id = await add_asset(pool, project)
    await Assets(pool).refuse(asset_id, failure())
    await Jobs(pool).cancel(job.id)
    await AssetTidying(pool, project.owner_id).delete(asset_id)
    following = await Jobs(pool).create(project.owner_id, project.id, job.request)
    for output in following.outputs:
        await complete(Outputs(pool), output.id)
    assert (await Jobs(pool).settle(following.id)).status is JobStatus.COMPLETED


async def add_asset(pool: Pool, project: Project) -> UUID:
    asset = await Assets(pool).add(
        owner_id=project.owner_id,
        project_id=project.id,
        name="talk.mp4",
        kind=AssetKind.A_ROLL,
        object_key="a/talk.mp4",
        size_bytes=7,
        sha256="0" * 64,
        position=0,
    )
    return asset.id


async def test_a_job_with_outputs_in_the_making_does_not_settle(pool: Pool, job: Job) -> None:
    await complete(Outputs(pool), job.outputs[0].id)
    with pytest.raises(ConflictError, match="1 of this job's 2 outputs"):
        await Jobs(pool).settle(job.id)
    assert (await Jobs(pool).get(job.id)).status is JobStatus.QUEUED


async def test_cancelling_keeps_what_is_finished(pool: Pool, job: Job) -> None:
    await complete(Outputs(pool), job.outputs[0].id)
    cancelled = await Jobs(pool).cancel(job.id)
    assert cancelled.status is JobStatus.PARTIAL
    assert [output.status for output in cancelled.outputs] == [OutputStatus.COMPLETED, OutputStatus.CANCELLED]
    assert await Jobs(pool).cancel(job.id) == cancelled


async def test_failing_a_job_tells_why_on_it_and_on_every_open_output(pool: Pool, job: Job) -> None:
    own = failure("The microphone was off.")
    await Outputs(pool).fail(job.outputs[0].id, own)
    reason = ErrorInfo(code=ErrorCode.NO_USABLE_ASSET, message="None of the footage can be used.", retryable=False)
    failed = await Jobs(pool).fail(job.id, reason)
    assert (failed.status, failed.error) == (JobStatus.FAILED, reason)
    assert [output.error for output in failed.outputs] == [own, reason]


async def test_failing_a_finished_job_changes_nothing(pool: Pool, job: Job) -> None:
    for output in job.outputs:
        await complete(Outputs(pool), output.id)
    failed = await Jobs(pool).fail(job.id, failure())
    assert (failed.status, failed.error) == (JobStatus.COMPLETED, None)


async def test_error_text_that_postgres_cannot_keep_is_kept_readable(pool: Pool, job: Job) -> None:
    failed = await Jobs(pool).fail(job.id, failure("moov\0atom \ud800 not found"))
    assert failed.error is not None
    assert failed.error.message == "moov\ufffdatom \ufffd not found"


async def test_reopening_makes_only_what_failed_again(pool: Pool, job: Job) -> None:
    done, broken = job.outputs
    await complete(Outputs(pool), done.id)
    await Outputs(pool).fail(broken.id, failure())
    await Jobs(pool).settle(job.id)

    assert await Jobs(pool).reopen(job.id, [], "first") == (broken.id,)

    reopened = await Jobs(pool).get(job.id)
    assert (reopened.status, reopened.error) == (JobStatus.QUEUED, None)
    assert [output.status for output in reopened.outputs] == [OutputStatus.COMPLETED, OutputStatus.QUEUED]
    assert (reopened.outputs[1].error, reopened.outputs[1].progress) == (None, 0)
    await complete(Outputs(pool), broken.id)
    assert (await Jobs(pool).settle(job.id)).status is JobStatus.COMPLETED


async def test_an_order_to_retry_is_carried_out_once_whatever_happened_since(pool: Pool, job: Job) -> None:
    jobs, (first, second) = Jobs(pool), job.outputs
    await jobs.cancel(job.id)
    assert await jobs.reopen(job.id, [first.id], "order") == (first.id,)
    await jobs.cancel(job.id)
    settled = await jobs.get(job.id)
    assert await jobs.reopen(job.id, [first.id], "order") == (first.id,)
    assert await jobs.get(job.id) == settled
    assert await jobs.reopen(job.id, [second.id], "another") == (second.id,)
    assert await jobs.retries(job.id) == ("order", "another")


async def test_what_expired_is_left_out_of_a_retry_of_everything_and_refused_by_name(pool: Pool, job: Job) -> None:
    jobs, (gone, kept) = Jobs(pool), job.outputs
    await jobs.cancel(job.id)
    await pool.execute("update job_outputs set expiring_since = now() where id = $1", gone.id)
    with pytest.raises(ConflictError, match="has not expired"):
        await jobs.reopen(job.id, [gone.id], "by name")
    assert await jobs.reopen(job.id, [], "everything") == (kept.id,)
    await jobs.cancel(job.id)
    await pool.execute("update job_outputs set expiring_since = now() where id = $1", kept.id)
    with pytest.raises(ConflictError, match="nothing to make again"):
        await jobs.reopen(job.id, [], "what is left")


async def test_two_retries_of_one_output_at_once_make_it_again_once(pool: Pool, job: Job) -> None:
    await Jobs(pool).cancel(job.id)
    wanted = [job.outputs[0].id]
    answers = await asyncio.gather(
        *(Jobs(pool).reopen(job.id, wanted, f"order {number}") for number in range(4)), return_exceptions=True
    )
    assert sum(not isinstance(answer, ConflictError) for answer in answers) == 1


async def test_a_job_is_not_retried_for_ever(pool: Pool, job: Job) -> None:
    for number in range(MOST_RETRIES):
        await Jobs(pool).cancel(job.id)
        await Jobs(pool).reopen(job.id, [], f"order {number}")
    await Jobs(pool).cancel(job.id)
    with pytest.raises(ConflictError, match="start a new one"):
        await Jobs(pool).reopen(job.id, [], "one more")


async def test_reopening_while_siblings_render_leaves_the_job_in_its_stage(pool: Pool, job: Job) -> None:
    await Jobs(pool).set_status(job.id, JobStatus.RENDERING)
    await Outputs(pool).cancel(job.outputs[0].id)
    await Jobs(pool).reopen(job.id, [job.outputs[0].id], "order")
    reopened = await Jobs(pool).get(job.id)
    assert reopened.status is JobStatus.RENDERING
    assert reopened.outputs[0].status is OutputStatus.QUEUED


async def test_what_is_completed_or_in_the_making_or_of_another_job_is_not_reopened(
    pool: Pool, project: Project, job: Job
) -> None:
    other = await Jobs(pool).create(project.owner_id, project.id, JobRequest())
    done, open_one = job.outputs
    await complete(Outputs(pool), done.id)
    for wanted, reason in (
        ([done.id], "outputs: cinematic_full is completed"),
        ([open_one.id], "outputs: hook_cut is queued"),
        ([], "nothing to make again"),
    ):
        with pytest.raises(ConflictError, match=reason):
            await Jobs(pool).reopen(job.id, wanted, "order")
    with pytest.raises(CinemaError, match="outputs: this job has no output") as foreign:
        await Jobs(pool).reopen(job.id, [other.outputs[0].id], "order")
    assert foreign.value.code is ErrorCode.NOT_FOUND
    assert await Jobs(pool).retries(job.id) == ()


async def test_an_approval_stays_with_its_output(pool: Pool, job: Job) -> None:
    approved = await Outputs(pool).approve(job.outputs[0].id)
    assert approved.approved_at is not None
    assert (await Outputs(pool).approve(approved.id)).approved_at == approved.approved_at
    await Jobs(pool).cancel(job.id)
    await Jobs(pool).reopen(job.id, [approved.id], "order")
    assert (await Outputs(pool).get(approved.id)).approved_at == approved.approved_at

"""A job that is deleted takes all that is its own with it, leaves what others have, and can be killed at any point."""

import json

import pytest
from temporalio.testing import ActivityEnvironment

from activities.declarations import JobRef
from activities.job_deletion import JobDeletionActivities
from activities.output_keys import OutputKeys, edit_key, unheard_key
from activities.removing import Remover
from activities.retention_declarations import BeginJobDeletion, FinishJobDeletion
from schemas.cost import Outcome, Usage
from schemas.edl import Variant
from schemas.errors import CinemaError, ConflictError, ErrorCode, TransientError
from schemas.jobs import BroughtPlan, Job, JobRequest, Project
from schemas.retention import JobDeletionRecord
from stores import Bucket, LocalObjects, Pool, RenderWork, StoredObject
from stores.ledger import Ledger
from tests.activities.kept_things import KeptThings, once, sha256

pytestmark = pytest.mark.postgres

EDIT = sha256(b"an edit")


@pytest.fixture
def kept(pool: Pool, local_objects: LocalObjects) -> KeptThings:
    return KeptThings(pool, local_objects)


@pytest.fixture
async def project(kept: KeptThings) -> Project:
    owner = await kept.creator()
    await kept.pool.execute(
        """
        insert into webhook_endpoints (owner_id, url, event_types)
        values ($1, 'https://hooks.example.com', array['job.completed', 'output.completed'])
        """,
        owner,
    )
    return await kept.project(owner)


async def finished(kept: KeptThings, project: Project, *, edit: str | None = None) -> Job:
    """A completed job with something in every table, and in each bucket that a job has objects in."""
    plans = () if edit is None else (BroughtPlan(variant=Variant.HOOK_CUT, edl_sha256=edit),)
    request = JobRequest(variants=(Variant.HOOK_CUT,), plans=plans)
    job = await kept.jobs.create(project.owner_id, project.id, request)
    await kept.jobs.cancel(job.id)
    await kept.jobs.reopen(job.id, (), "again")
    await kept.finish(job)
    ledger = Ledger(kept.pool)
    for attempt, outcome in ((1, Outcome.LOST), (2, Outcome.SUCCEEDED)):
        entry = await ledger.begin_render(RenderWork(job.outputs[0].id, attempt, ""))
        await ledger.end(entry, outcome, Usage(cpu_s=2.5), 1_000_000)
    if edit is not None:
        await kept.objects.put(Bucket.OUTPUTS, edit_key(job.owner_id, job.project_id, edit), once(b"an edit"))
    unheard = unheard_key(job.owner_id, job.project_id, job.id, "0" * 64)
    await kept.objects.put(Bucket.OUTPUTS, unheard, once(b"nobody answered"))
    await kept.pool.execute(
        """
        insert into share_links (owner_id, output_id, token_sha256, expires_at)
        values ($1, $2, sha256($3::bytea), now() + interval '1 day')
        """,
        job.owner_id,
        job.outputs[0].id,
        job.id.bytes,
    )
    await kept.pool.execute(
        """
        insert into webhook_attempts (delivery_id, owner_id, number)
        select delivery.id, delivery.owner_id, 1 from webhook_deliveries delivery
        join webhook_events event on event.id = delivery.event_id where event.data ->> 'job_id' = $1
        """,
        str(job.id),
    )
    return await kept.jobs.get(job.id)


async def delete(kept: KeptThings, job: Job) -> JobDeletionRecord:
    """Step by step, as its workflow does it."""
    run, deletion = ActivityEnvironment().run, JobDeletionActivities(kept.pool, kept.objects)
    asked = JobRef(job_id=job.id)
    await run(deletion.begin_job_deletion, BeginJobDeletion(job_id=job.id, requested_by="its owner"))
    removed = await run(deletion.remove_job_objects, asked)
    record: JobDeletionRecord = await run(
        deletion.finish_job_deletion, FinishJobDeletion(job_id=job.id, keys_checked=removed.keys_checked)
    )
    return record


async def everything(kept: KeptThings, job: Job) -> dict[str, object]:
    """All that a sibling job has, to see that it stays as it is."""
    return {
        "job": await kept.jobs.get(job.id),
        "bill": await Ledger(kept.pool).bill_of_job(job.id),
        "objects": {await kept.objects.stat(Bucket.OUTPUTS, key) for key in await objects_of(kept, job)},
        "events": await kept.pool.fetchval(
            "select count(*) from webhook_events where data ->> 'job_id' = $1", str(job.id)
        ),
        "shares": await kept.pool.fetchval("select count(*) from share_links where output_id = $1", job.outputs[0].id),
    }


async def objects_of(kept: KeptThings, job: Job) -> set[str]:
    return await kept.stored(Bucket.OUTPUTS, f"{job.owner_id}/{job.project_id}/{job.id}/")


async def totals(kept: KeptThings, project: Project) -> list[str]:
    """The project's days as they are, without the moment of their writing and without days on which nothing was."""
    rows = await kept.pool.fetch(
        """
        select to_jsonb(known) - 'created_at' - 'updated_at' as day from job_days known where project_id = $1
        union all
        select to_jsonb(known) - 'created_at' - 'updated_at' from output_days known where project_id = $1
        """,
        project.id,
    )
    named = {"owner_id", "project_id", "day", "variant"}
    return sorted(
        json.dumps(row["day"], sort_keys=True)
        for row in rows
        if any(value for name, value in row["day"].items() if name not in named)
    )


async def test_a_job_goes_with_all_that_is_its_own_and_its_sibling_stays(kept: KeptThings, project: Project) -> None:
    await kept.asset(project, b"a talk")
    job, sibling = await finished(kept, project), await finished(kept, project)
    before = await everything(kept, sibling)
    record = await delete(kept, job)
    assert await everything(kept, sibling) == before
    assert await objects_of(kept, job) == set()
    assert not [key for key in await kept.stored(Bucket.THUMBS) if str(job.id) in key]
    with pytest.raises(CinemaError) as gone:
        await kept.jobs.get(job.id)
    assert gone.value.code is ErrorCode.NOT_FOUND
    assert await kept.stored(Bucket.ASSETS) != set(), "footage is the project's"
    assert record.verification is not None
    assert record.verification.clean
    assert record.inventory is not None
    assert (record.inventory.removed["outputs"].objects, record.inventory.removed["thumbs"].objects) == (6, 2)
    assert record.rows_removed is not None
    assert all(record.rows_removed.values()), f"the test has left a table out: {record.rows_removed}"
    assert (record.bill.creator.attempts, record.bill.house.attempts) == (1, 1)
    assert record.bill.creator.usage.cpu_s == 2.5


async def test_totals_are_those_of_the_jobs_that_are_left(kept: KeptThings, project: Project) -> None:
    job, _ = await finished(kept, project), await finished(kept, project)
    await delete(kept, job)
    left = await totals(kept, project)
    await kept.pool.execute("select cinema.rebuild_totals($1)", project.id)
    assert left == await totals(kept, project)
    assert left


async def test_a_job_that_has_not_ended_is_not_touched(kept: KeptThings, project: Project) -> None:
    job = await kept.job(project)
    with pytest.raises(ConflictError) as refused:
        await delete(kept, job)
    assert refused.value.code is ErrorCode.INVALID_TRANSITION
    assert "call it off first" in refused.value.message
    assert await kept.jobs.get(job.id) == job


async def test_an_edit_that_another_job_was_brought_stays(kept: KeptThings, project: Project) -> None:
    job, sibling = [await finished(kept, project, edit=EDIT) for _ in range(2)]
    place = edit_key(project.owner_id, project.id, EDIT)
    await delete(kept, job)
    assert await kept.objects.stat(Bucket.OUTPUTS, place) is not None
    await delete(kept, sibling)
    assert await kept.objects.stat(Bucket.OUTPUTS, place) is None


async def test_what_another_output_names_stays(kept: KeptThings, project: Project) -> None:
    job, sibling = await finished(kept, project), await finished(kept, project)
    video = OutputKeys(job.owner_id, job.project_id, job.id, job.outputs[0].id).video
    await kept.pool.execute(
        "update job_outputs set files = jsonb_set(files, '{video_key}', to_jsonb($2::text)) where id = $1",
        sibling.outputs[0].id,
        video,
    )
    record = await delete(kept, job)
    assert record.inventory is not None
    assert record.inventory.shared == 1
    assert await kept.objects.stat(Bucket.OUTPUTS, video) is not None


@pytest.mark.parametrize("removals", range(0, 8, 2))
async def test_a_deletion_that_is_killed_half_way_is_carried_on(
    kept: KeptThings, project: Project, monkeypatch: pytest.MonkeyPatch, removals: int
) -> None:
    job = await finished(kept, project)
    delete_object, left = kept.objects.delete, [removals]

    async def dies(bucket: Bucket, key: str) -> bool:
        if not left[0]:
            raise TransientError.store("The worker died.")
        left[0] -= 1
        return await delete_object(bucket, key)

    with monkeypatch.context() as patched, pytest.raises(TransientError):
        patched.setattr(kept.objects, "delete", dies)
        await delete(kept, job)
    with pytest.raises(ConflictError):
        await kept.jobs.reopen(job.id, (), "too late")
    record = await delete(kept, job)
    assert record.finished_at is not None
    assert record.inventory is not None
    assert record.inventory.removed["outputs"].objects == 6, "counted before anything went"
    assert await objects_of(kept, job) == set()
    assert await delete(kept, job) == record, "and a deletion that is done says so"


async def test_what_comes_back_meanwhile_is_found(kept: KeptThings, project: Project) -> None:
    job = await finished(kept, project)
    run, deletion = ActivityEnvironment().run, JobDeletionActivities(kept.pool, kept.objects)
    await run(deletion.begin_job_deletion, BeginJobDeletion(job_id=job.id, requested_by="its owner"))
    await run(deletion.remove_job_objects, JobRef(job_id=job.id))
    late = StoredObject(Bucket.OUTPUTS, f"{job.owner_id}/{job.project_id}/{job.id}/late.mp4")
    await kept.objects.put(late.bucket, late.key, once(b"a zombie's"))
    with pytest.raises(TransientError):
        await run(deletion.finish_job_deletion, FinishJobDeletion(job_id=job.id, keys_checked=0))
    assert await Remover(kept.objects, kept.removals).size(late) is None
    assert (await delete_again(kept, job)).finished_at is not None


async def delete_again(kept: KeptThings, job: Job) -> JobDeletionRecord:
    deletion = JobDeletionActivities(kept.pool, kept.objects)
    record: JobDeletionRecord = await ActivityEnvironment().run(
        deletion.finish_job_deletion, FinishJobDeletion(job_id=job.id, keys_checked=0)
    )
    return record

"""What goes, when, and what never does; whoever is killed in the middle."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from activities.output_keys import OutputKeys
from schemas.jobs import OutputStatus, Project
from schemas.retention import ExpiryNotice, ItemKind, RetentionPolicy, SweepCounts
from stores import ActingAs, Bucket, IncomingObject, LocalObjects, Pool
from tests.activities.kept_things import KEPT_DAYS, POLICY, KeptThings, days, once, sha256

pytestmark = pytest.mark.postgres

TALK = b"a talk"


@pytest.fixture
def kept(pool: Pool, local_objects: LocalObjects) -> KeptThings:
    return KeptThings(pool, local_objects)


async def test_what_its_plan_no_longer_keeps_goes_and_its_history_stays(kept: KeptThings) -> None:
    project = await kept.project(await kept.creator())
    asset = await kept.asset(project, TALK)
    await kept.analysis(TALK)
    output = await kept.made(project)
    told = await kept.sweep(days(KEPT_DAYS))
    assert (told.noticed, told.objects) == (2, 0)
    gone = await kept.sweep(days(KEPT_DAYS) + POLICY.notice)
    assert (gone.outputs, gone.assets, gone.analyses, gone.objects, gone.failed) == (1, 1, 1, 9, 0)
    for bucket in Bucket:
        assert await kept.stored(bucket) == set()
    row = await kept.pool.fetchrow("select * from assets where id = $1", asset.id)
    assert row is not None
    assert (row["size_bytes"], row["sha256"]) == (asset.size_bytes, asset.sha256)
    assert row["expired_at"] is not None
    kept_output = await kept.outputs.get(output.id)
    assert (kept_output.status, kept_output.files) == (OutputStatus.COMPLETED, output.files)
    assert await kept.state("job_outputs", output.id) == "expired"
    assert await kept.sweep(days(KEPT_DAYS * 9)) == SweepCounts()


async def test_a_plan_that_keeps_for_good_keeps_for_good(kept: KeptThings) -> None:
    project = await kept.project(await kept.creator(kept_days=None))
    await kept.asset(project, TALK)
    await kept.made(project)
    assert await kept.sweep(days(10_000)) == SweepCounts()


async def test_nothing_goes_before_it_is_due(kept: KeptThings) -> None:
    project = await kept.project(await kept.creator())
    asset = await kept.asset(project, TALK)
    assert await kept.sweep(days(KEPT_DAYS - 8)) == SweepCounts()
    assert (await kept.sweep(days(KEPT_DAYS - 6))).noticed == 1
    assert (await kept.sweep(days(KEPT_DAYS - 1))) == SweepCounts()
    assert await kept.state("assets", asset.id) == "announced"


async def test_nothing_goes_unannounced_however_late_the_first_sweep_comes(kept: KeptThings) -> None:
    project = await kept.project(await kept.creator())
    asset = await kept.asset(project, TALK)
    late = days(KEPT_DAYS * 10)
    assert (await kept.sweep(late)).assets == 0
    assert (await kept.sweep(late + POLICY.notice - timedelta(hours=1))).assets == 0
    assert await kept.state("assets", asset.id) == "announced"
    assert (await kept.sweep(late + POLICY.notice)).assets == 1


async def test_a_job_that_is_not_settled_keeps_all_it_may_use(kept: KeptThings) -> None:
    project = await kept.project(await kept.creator())
    asset = await kept.asset(project, TALK)
    await kept.analysis(TALK)
    job = await kept.job(project)
    assert await kept.expire(KEPT_DAYS * 2) == SweepCounts()
    await kept.finish(job)
    assert (await kept.expire(KEPT_DAYS * 2)).assets == 1
    assert await kept.state("assets", asset.id) == "expired"


async def test_using_something_again_takes_its_date_back(kept: KeptThings) -> None:
    project = await kept.project(await kept.creator())
    asset = await kept.asset(project, TALK)
    await kept.sweep(days(KEPT_DAYS))
    assert await kept.state("assets", asset.id) == "announced"
    await kept.made(project)
    await kept.pool.execute("alter table jobs disable trigger touch_updated_at")
    await kept.pool.execute("update jobs set updated_at = $1", days(KEPT_DAYS + 1))
    counts = await kept.sweep(days(KEPT_DAYS) + POLICY.notice)
    assert counts.withdrawn == 1
    assert counts.assets == 0
    assert await kept.state("assets", asset.id) == "live"


async def test_an_output_of_a_job_that_is_made_again_stays(kept: KeptThings) -> None:
    project = await kept.project(await kept.creator())
    output = await kept.made(project)
    other = await kept.job(project)
    await kept.jobs.cancel(other.id)
    await kept.sweep(days(KEPT_DAYS))
    await kept.pool.execute("update jobs set status = 'queued' where id = $1", other.id)
    await kept.pool.execute("alter table job_outputs disable trigger guard_status")
    await kept.pool.execute("alter table jobs disable trigger guard_status")
    await kept.pool.execute("update jobs set status = 'queued' where id = $1", output.job_id)
    counts = await kept.sweep(days(KEPT_DAYS) + POLICY.notice)
    assert counts.outputs == 0
    assert await kept.state("job_outputs", output.id) == "announced"
    await kept.check()


async def test_the_database_itself_lets_nothing_go_that_is_in_use(kept: KeptThings) -> None:
    project = await kept.project(await kept.creator())
    asset = await kept.asset(project, TALK)
    job = await kept.job(project)
    for table, row_id in (("assets", asset.id), ("job_outputs", job.outputs[0].id)):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await kept.pool.execute(f"update {table} set expiring_since = now() where id = $1", row_id)
        assert refused.value.sqlstate == "CN001"


async def test_what_has_expired_never_comes_back_nor_is_made_again(kept: KeptThings) -> None:
    project = await kept.project(await kept.creator())
    asset = await kept.asset(project, TALK)
    job = await kept.job(project)
    await kept.jobs.cancel(job.id)
    await kept.expire(KEPT_DAYS)
    for table, row_id in (("assets", asset.id), ("job_outputs", job.outputs[0].id)):
        for change in ("expired_at = null", "expiring_since = null, expired_at = null"):
            with pytest.raises(asyncpg.PostgresError) as refused:
                await kept.pool.execute(f"update {table} set {change} where id = $1", row_id)
            assert refused.value.sqlstate == "CN001"
    with pytest.raises(asyncpg.PostgresError) as expired:
        await kept.pool.execute("update job_outputs set status = 'queued' where id = $1", job.outputs[0].id)
    assert "made by a new job" in str(expired.value)
    assert await kept.assets.live_for_project(project.id) == ()


async def test_the_same_bytes_in_another_project_stay(kept: KeptThings) -> None:
    owner = await kept.creator()
    old, new = await kept.project(owner), await kept.project(owner)
    mine, other = await kept.asset(old, TALK), await kept.asset(new, TALK)
    busy = await kept.job(new)
    assert mine.object_key == other.object_key
    counts = await kept.expire(KEPT_DAYS)
    assert (counts.assets, counts.objects) == (1, 0)
    assert await kept.stored(Bucket.ASSETS) == {other.object_key}
    await kept.jobs.cancel(busy.id)
    counts = await kept.expire(KEPT_DAYS * 2)
    assert (counts.assets, await kept.stored(Bucket.ASSETS)) == (1, set())


async def test_another_owners_use_of_the_same_content_keeps_its_analyses(kept: KeptThings) -> None:
    mine, theirs = await kept.project(await kept.creator()), await kept.project(await kept.creator(None))
    await kept.asset(mine, TALK)
    await kept.asset(theirs, TALK)
    analysis = await kept.analysis(TALK)
    counts = await kept.expire(KEPT_DAYS)
    assert (counts.assets, counts.analyses) == (1, 0)
    assert await kept.analyses.find(analysis.key) == analysis
    assert await kept.stored(Bucket.ANALYSIS) == {analysis.object_key}
    await kept.check()


async def test_an_object_that_another_live_output_names_stays(kept: KeptThings) -> None:
    owner = await kept.creator()
    first, second = await kept.made(await kept.project(owner)), await kept.made(await kept.project(owner))
    assert first.files is not None
    assert second.files is not None
    shared = second.files.model_copy(update={"video_key": first.files.video_key})
    await kept.pool.execute(
        "update job_outputs set files = $2 where id = $1", second.id, shared.model_dump(mode="json")
    )
    await kept.pool.execute("update job_outputs set settled_at = now() + interval '1 year' where id = $1", second.id)
    assert (await kept.expire(KEPT_DAYS)).outputs == 1
    assert await kept.stored(Bucket.OUTPUTS, f"{owner}/") >= {first.files.video_key}
    await kept.check()


async def test_what_a_lost_attempt_left_goes_with_its_output(kept: KeptThings) -> None:
    project = await kept.project(await kept.creator())
    output = await kept.made(project)
    keys = OutputKeys(project.owner_id, project.id, output.job_id, output.id)
    await kept.objects.put(Bucket.OUTPUTS, keys.video.replace(".mp4", "/segment-3.mp4"), once(b"half a render"))
    neighbour = OutputKeys(project.owner_id, project.id, output.job_id, uuid4()).video
    await kept.objects.put(Bucket.OUTPUTS, neighbour, once(b"somebody else's"))
    await kept.expire(KEPT_DAYS)
    assert await kept.stored(Bucket.OUTPUTS) == {neighbour}


class Killed(Exception):
    """Stands for the end of the process at this very point."""


async def test_killed_between_the_object_and_its_row_it_goes_on_where_it_was(kept: KeptThings) -> None:
    project = await kept.project(await kept.creator())
    asset, output = await kept.asset(project, TALK), await kept.made(project)
    analysis = await kept.analysis(TALK)
    await kept.sweep(days(KEPT_DAYS))
    due = days(KEPT_DAYS) + POLICY.notice
    await kept.retention.claim_outputs(POLICY, due)
    await kept.retention.claim_assets(POLICY, due)
    await kept.retention.claim_analyses(10)

    async def killed(items: object) -> None:
        await kept.remover.objects(items)  # type: ignore[arg-type]
        raise Killed

    with pytest.raises(Killed):
        async with kept.removals.removing_output(output.id) as removal:
            assert removal is not None
            await killed(removal.objects)
    for removing in (kept.removals.removing_asset(asset.id), kept.removals.removing_analysis(analysis.key)):
        with pytest.raises(Killed):
            async with removing as objects:
                await killed(objects)
    for table, row_id in (("assets", asset.id), ("job_outputs", output.id)):
        assert await kept.state(table, row_id) == "expiring"
    await kept.check()
    counts = await kept.sweep(due)
    assert (counts.outputs, counts.assets, counts.analyses, counts.objects) == (1, 1, 1, 0)
    for table, row_id in (("assets", asset.id), ("job_outputs", output.id)):
        assert await kept.state(table, row_id) == "expired"


async def test_what_a_killed_analyser_left_half_made_goes(kept: KeptThings) -> None:
    project = await kept.project(await kept.creator())
    await kept.asset(project, TALK)
    made = await kept.analysis(TALK)
    left = made.model_copy(update={"key": "ab" * 32, "object_key": f"ab/{'ab' * 32}.json"})
    await kept.analyses.announce(left, asset_sha256="cd" * 32, analyzer_version="1")
    await kept.objects.put(Bucket.ANALYSIS, left.object_key, once(b"{}"))
    assert await kept.analyses.find(left.key) is None
    async with kept.analyses.making(left.key):
        assert (await kept.sweep(days(0))).analyses == 0, "somebody is making it"
    assert (await kept.sweep(days(0))).analyses == 1
    assert await kept.stored(Bucket.ANALYSIS) == {made.object_key}


async def test_segments_go_when_nothing_was_made_of_them_for_a_week(kept: KeptThings) -> None:
    project = await kept.project(await kept.creator())
    for number in range(POLICY.batch_size + 1):
        await kept.segment(project, b"%d" % number)
    assert (await kept.sweep(days(6))).segments == 0
    gone = await kept.sweep(days(8))
    assert (gone.segments, gone.objects, gone.bytes, gone.failed) == (4, 4, 4, 0)
    assert await kept.stored(Bucket.OUTPUTS) == set()
    assert not await kept.pool.fetchval("select count(*) from segments")


async def test_an_upload_of_the_same_bytes_at_the_same_moment_is_never_lost(kept: KeptThings) -> None:
    owner = await kept.creator()
    old, new = await kept.project(owner), await kept.project(owner)
    asset = await kept.asset(old, TALK)
    await kept.sweep(days(KEPT_DAYS))
    await kept.retention.claim_assets(POLICY, days(KEPT_DAYS) + POLICY.notice)
    async with kept.assets.storing(IncomingObject(owner, new.id, asset.object_key, asset.sha256)):
        assert await kept.remover.asset(asset.id) is None
        assert await kept.stored(Bucket.ASSETS) == {asset.object_key}
        kept_row = await kept.asset(new, TALK)
    assert await kept.remover.asset(asset.id) is not None
    assert await kept.stored(Bucket.ASSETS) == {kept_row.object_key}
    await kept.check()


async def stored_by_one_who_was_killed(kept: KeptThings, project: Project) -> str:
    """Footage that lies in the store, and whose asset was never recorded; its key."""
    digest = sha256(TALK)
    key = f"{project.owner_id}/{digest}"
    async with kept.assets.storing(IncomingObject(project.owner_id, project.id, key, digest)):
        await kept.objects.put(Bucket.ASSETS, key, once(TALK))
    return key


async def test_footage_that_was_stored_and_never_recorded_goes_in_the_end(kept: KeptThings) -> None:
    project = await kept.project(await kept.creator())
    key = await stored_by_one_who_was_killed(kept, project)
    assert (await kept.sweep(days(0))).objects == 0, "somebody may be about to record it"
    assert await kept.stored(Bucket.ASSETS) == {key}
    await kept.pool.execute("update incoming_objects set announced_at = announced_at - interval '2 days'")
    gone = await kept.sweep(days(0))
    assert (gone.assets, gone.objects, gone.bytes) == (0, 1, len(TALK))
    assert await kept.stored(Bucket.ASSETS) == set()
    assert await kept.sweep(days(0)) == SweepCounts()


async def test_footage_that_was_never_recorded_goes_with_its_project(kept: KeptThings) -> None:
    project = await kept.project(await kept.creator())
    await stored_by_one_who_was_killed(kept, project)
    record = await kept.delete(project)
    assert record.inventory is not None
    assert record.inventory.removed[Bucket.ASSETS.value].objects == 1
    assert await kept.stored(Bucket.ASSETS) == set()


async def test_footage_that_was_recorded_after_all_stays(kept: KeptThings) -> None:
    owner = await kept.creator()
    project, beside = await kept.project(owner), await kept.project(owner)
    key = await stored_by_one_who_was_killed(kept, project)
    await stored_by_one_who_was_killed(kept, beside)
    asset = await kept.asset(project, TALK)
    await kept.pool.execute("update incoming_objects set announced_at = announced_at - interval '2 days'")
    assert (await kept.sweep(days(0))).objects == 0
    await kept.delete(beside)
    assert await kept.stored(Bucket.ASSETS) == {key} == {asset.object_key}
    assert await kept.pool.fetchval("select count(*) from incoming_objects") == 0
    await kept.check()


async def test_batches_come_to_an_end_and_cover_everything(kept: KeptThings) -> None:
    projects = [await kept.project(await kept.creator()) for _ in range(2)]
    for number in range(8):
        await kept.asset(projects[number % 2], b"%d" % number)
    counts = await kept.expire(KEPT_DAYS)
    assert (counts.assets, counts.objects) == (8, 8)


async def test_two_sweeps_at_once_remove_everything_once(kept: KeptThings) -> None:
    project = await kept.project(await kept.creator())
    for number in range(6):
        await kept.asset(project, b"%d" % number)
    await kept.made(project)
    told = await asyncio.gather(*(kept.sweep(days(KEPT_DAYS)) for _ in range(2)))
    assert sum(counts.noticed for counts in told) == 7
    assert await kept.pool.fetchval("select count(*) from notices") == 1
    due = days(KEPT_DAYS) + POLICY.notice
    gone = await asyncio.gather(*(kept.sweep(due) for _ in range(2)))
    assert sum(counts.assets for counts in gone) == 6
    assert sum(counts.outputs for counts in gone) == 1
    assert sum(counts.objects for counts in gone) == 6 + 7
    for bucket in Bucket:
        assert await kept.stored(bucket) == set()


async def test_one_that_cannot_be_removed_keeps_no_other(kept: KeptThings) -> None:
    project = await kept.project(await kept.creator())
    assets = [await kept.asset(project, b"%d" % number) for number in range(3)]
    hostile = "../../etc/passwd"
    await kept.pool.execute("update assets set object_key = $2 where id = $1", assets[0].id, hostile)
    counts = await kept.expire(KEPT_DAYS)
    assert (counts.assets, counts.objects, counts.failed) == (3, 2, 0)

    folder = await kept.asset(project, b"in the way")
    await kept.pool.execute("alter table assets disable trigger guard_expiry")
    await kept.pool.execute("alter table assets drop constraint assets_expiry_in_steps")
    await kept.pool.execute(
        f"alter table assets add constraint stubborn check (expired_at is null or id <> '{folder.id}') not valid"
    )
    others = [await kept.asset(project, b"%d more" % number) for number in range(2)]
    counts = await kept.expire(KEPT_DAYS * 2)
    assert counts.assets == 2
    assert counts.failed > 0
    assert {await kept.state("assets", other.id) for other in others} == {"expired"}


async def test_a_creator_is_told_once_what_goes_and_when_and_nobody_else_is(kept: KeptThings) -> None:
    owner, stranger = await kept.creator(), await kept.creator()
    project = await kept.project(owner)
    asset, output = await kept.asset(project, TALK), await kept.made(project)
    cancelled = await kept.job(project)
    await kept.jobs.cancel(cancelled.id)
    for _ in range(2):
        await kept.sweep(days(KEPT_DAYS))
    async with ActingAs(kept.pool, owner).acquire() as connection:
        (row,) = await connection.fetch("select * from notices")
    notice = ExpiryNotice.model_validate(row["body"])
    assert {(item.id, item.kind) for item in notice.items} == {
        (asset.id, ItemKind.ASSET),
        (output.id, ItemKind.OUTPUT),
    }, "what was never made is nothing to lose"
    assert (notice.project_name, notice.assets, notice.outputs) == (project.name, 1, 1)
    assert notice.size_bytes == len(TALK) + 1234
    assert row["expires_at"] == min(item.expires_at for item in notice.items)
    async with ActingAs(kept.pool, stranger).acquire() as connection:
        assert await connection.fetch("select * from notices") == []
    for statement in ("delete from notices", "update notices set kind = kind", "insert into notices default values"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with ActingAs(kept.pool, owner).acquire() as connection:
                await connection.execute(statement)


@pytest.mark.parametrize("how", ["profile", "plan"])
async def test_a_downgrade_gives_a_grace_period(kept: KeptThings, how: str) -> None:
    owner = await kept.creator(None if how == "profile" else 300)
    project = await kept.project(owner)
    asset = await kept.asset(project, TALK)
    await kept.pool.execute("update assets set created_at = now() - interval '200 days'")
    if how == "profile":
        await kept.creator(7)
        await kept.pool.execute("update profiles set plan_id = 'kept_7' where id = $1", owner)
    else:
        await kept.pool.execute("update plans set retention_days = 7 where id = 'kept_300'")
    assert await kept.sweep(days(6)) == SweepCounts()
    assert (await kept.sweep(days(8))).noticed == 1
    assert (await kept.sweep(days(13))).assets == 0
    assert (await kept.sweep(days(15.1))).assets == 1
    assert await kept.state("assets", asset.id) == "expired"


async def test_an_upgrade_spares_what_was_announced(kept: KeptThings) -> None:
    owner = await kept.creator()
    asset = await kept.asset(await kept.project(owner), TALK)
    await kept.sweep(days(KEPT_DAYS))
    await kept.creator(None)
    await kept.pool.execute("update profiles set plan_id = 'kept_for_good' where id = $1", owner)
    counts = await kept.sweep(days(KEPT_DAYS * 5))
    assert (counts.withdrawn, counts.assets) == (1, 0)
    assert await kept.state("assets", asset.id) == "live"


async def test_looking_at_what_is_due_changes_nothing(kept: KeptThings) -> None:
    project = await kept.project(await kept.creator())
    await kept.asset(project, TALK)
    await kept.made(project)
    before = await rows(kept.pool)
    status = await kept.retention.status(POLICY, days(0), timedelta(days=KEPT_DAYS + 1))
    assert [(due.kind, due.announced, due.items, due.size_bytes) for due in status.forecasts] == [
        (ItemKind.ASSET, False, 1, len(TALK)),
        (ItemKind.OUTPUT, False, 1, 1234),
    ]
    assert (status.unfinished, status.unused_analyses) == (0, 0)
    assert (await kept.retention.status(POLICY, days(0), timedelta(days=1))).forecasts == ()
    late = await kept.retention.status(POLICY, days(KEPT_DAYS * 2), timedelta(days=8))
    assert {due.day > days(KEPT_DAYS * 2 + 5) for due in late.forecasts} == {True}, "its creator is told first"
    assert await kept.retention.preview(POLICY, days(KEPT_DAYS)) == SweepCounts(noticed=2)
    assert await rows(kept.pool) == before
    await kept.sweep(days(KEPT_DAYS))
    preview = await kept.retention.preview(POLICY, days(KEPT_DAYS) + POLICY.notice)
    assert preview == SweepCounts(outputs=1, assets=1, bytes=len(TALK) + 1234)


async def rows(pool: Pool) -> list[asyncpg.Record]:
    return [
        row
        for table in ("assets", "job_outputs", "analyses", "notices")
        for row in await pool.fetch(f"select * from {table}")
    ]


def test_a_policy_makes_sense() -> None:
    with pytest.raises(ValueError, match="batch_size"):
        RetentionPolicy(batch_size=0)
    with pytest.raises(ValueError, match="notice"):
        RetentionPolicy(notice=timedelta(days=-1))

"""Sweeps and deletions as workflows on a real server: scheduled, continued, killed, and proven by looking again."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from temporalio.client import Client, ScheduleOverlapPolicy, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from activities.declarations import TaskQueue
from activities.deletion import DeletionActivities
from activities.retention import RetentionActivities
from activities.retention_declarations import JobToCancel
from cinema.retention_schedule import keep_retention_schedule
from cinema.settings import Settings, SweepInterval
from schemas.errors import CinemaError, ConflictError, ErrorCode
from schemas.jobs import JobStatus, Project
from schemas.retention import DeletionRecord, SweepCounts
from stores import ActingAs, Bucket, LocalObjects, Pool, open_pool
from tests.activities.kept_things import KEPT_DAYS, POLICY, KeptThings, days, once
from tests.cinema.conftest import RestartableTemporal
from tests.cinema.held_job import HeldJob
from tests.conftest import REPOSITORY
from tests.databases import fresh_database
from workflows.contract import direct_job_id
from workflows.deletion import DeleteProject
from workflows.plugin import cinema_plugin
from workflows.retention import RetentionSweep
from workflows.retention_contract import (
    DELETE_PROJECT,
    RETENTION_SCHEDULE,
    RETENTION_SWEEP,
    DeleteProjectInput,
    RetentionSweepInput,
    delete_project_id,
)

pytestmark = pytest.mark.temporal

TALK = b"a talk"
AN_HOUR = timedelta(hours=1)


@pytest.fixture
async def dsn(server_dsn: str, template: str) -> AsyncIterator[str]:
    """A database in which nobody else has anything that could expire."""
    async for address in fresh_database(server_dsn, template):
        yield address


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with await open_pool(dsn) as opened:
        yield opened


@pytest.fixture
def kept(pool: Pool, tmp_path: Path) -> KeptThings:
    return KeptThings(pool, LocalObjects(tmp_path / "objects", base_url="https://x", signing_key=b"k" * 32))


@pytest.fixture
async def client(temporal_server: RestartableTemporal) -> Client:
    return await Client.connect(temporal_server.address, plugins=[cinema_plugin()])


def worker(client: Client, kept: KeptThings) -> Worker:
    retention, deletion = RetentionActivities(kept.pool, kept.objects), DeletionActivities(kept.pool, kept.objects)
    return Worker(
        client,
        task_queue=TaskQueue.JOBS,
        workflows=[RetentionSweep, DeleteProject, HeldJob],
        activities=[
            retention.announce_expiry,
            retention.expire_outputs,
            retention.expire_assets,
            retention.remove_unused_analyses,
            retention.remove_unused_segments,
            deletion.begin_deletion,
            deletion.find_unsettled_jobs,
            deletion.cancel_job_rows,
            deletion.take_inventory,
            deletion.remove_project_objects,
            deletion.finish_deletion,
        ],
    )


async def sweep(client: Client, asked: RetentionSweepInput) -> SweepCounts:
    counts: SweepCounts = await client.execute_workflow(
        RETENTION_SWEEP, asked, id=f"sweep-{uuid4()}", task_queue=TaskQueue.JOBS, result_type=SweepCounts
    )
    return counts


async def delete(client: Client, project_id: UUID) -> DeletionRecord:
    record: DeletionRecord = await client.execute_workflow(
        DELETE_PROJECT,
        DeleteProjectInput(project_id=project_id, requested_by="operator *Ann*"),
        id=delete_project_id(project_id),
        task_queue=TaskQueue.JOBS,
        result_type=DeletionRecord,
    )
    return record


async def test_a_sweep_goes_on_in_new_runs_and_counts_everything(client: Client, kept: KeptThings) -> None:
    project = await kept.project(await kept.creator())
    for number in range(7):
        await kept.asset(project, b"%d" % number)
    await kept.made(project)
    async with worker(client, kept):
        asked = RetentionSweepInput(policy=POLICY, batches_per_run=2, as_of=days(KEPT_DAYS))
        assert (await sweep(client, asked)).noticed == 8
        due = asked.model_copy(update={"as_of": days(KEPT_DAYS) + POLICY.notice})
        handle = await client.start_workflow(
            RETENTION_SWEEP, due, id=f"sweep-{uuid4()}", task_queue=TaskQueue.JOBS, result_type=SweepCounts
        )
        counts = await handle.result()
    assert (counts.assets, counts.outputs, counts.objects, counts.failed) == (7, 1, 14, 0)
    first = await client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id).describe()
    assert first.status is WorkflowExecutionStatus.CONTINUED_AS_NEW
    for bucket in Bucket:
        assert await kept.stored(bucket) == set()


async def test_one_schedule_per_namespace_follows_the_settings_and_sweeps(client: Client, kept: KeptThings) -> None:
    daily, hourly = (Settings(retention_sweep=interval) for interval in (SweepInterval.DAILY, SweepInterval.HOURLY))
    await asyncio.gather(*(keep_retention_schedule(client, daily) for _ in range(3)))
    handle = client.get_schedule_handle(RETENTION_SCHEDULE)
    await handle.pause(note="an operator is looking")
    async with asyncio.timeout(60):
        # Temporal takes an order before it carries it out; until then its answer is how things were.
        while not (await handle.describe()).schedule.state.paused:
            await asyncio.sleep(0.05)
    await keep_retention_schedule(client, hourly)
    async with asyncio.timeout(60):
        while [interval.every for interval in (await handle.describe()).schedule.spec.intervals] != [AN_HOUR]:
            await asyncio.sleep(0.05)
    schedule = (await handle.describe()).schedule
    assert schedule.policy.overlap is ScheduleOverlapPolicy.SKIP
    assert schedule.policy.catchup_window == AN_HOUR
    assert schedule.state.paused, "what an operator has paused stays paused"
    await kept.asset(await kept.project(await kept.creator()), TALK)
    await kept.pool.execute("update assets set created_at = now() - interval '1 year'")
    async with worker(client, kept):
        await handle.trigger()
        async with asyncio.timeout(120):
            while not (begun := (await handle.describe()).info.recent_actions):
                await asyncio.sleep(0.2)
            # To its end: what is left running would sweep what the next test keeps.
            await client.get_workflow_handle(begun[0].action.workflow_id).result()
    assert await kept.pool.fetchval("select count(*) from notices") == 1
    await keep_retention_schedule(client, Settings(retention_sweep=SweepInterval.OFF))
    await keep_retention_schedule(client, Settings(retention_sweep=SweepInterval.OFF))
    with pytest.raises(RPCError) as gone:
        await handle.describe()
    assert gone.value.status is RPCStatusCode.NOT_FOUND


async def test_a_pause_at_the_moment_of_a_change_is_kept(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    await keep_retention_schedule(client, Settings(retention_sweep=SweepInterval.DAILY))
    handle, service = client.get_schedule_handle(RETENTION_SCHEDULE), client.workflow_service
    looked = service.describe_schedule
    looks = 0

    async def paused_after_it_was_looked_at(*arguments: Any, **options: Any) -> Any:
        nonlocal looks
        looks += 1
        found = await looked(*arguments, **options)
        if looks == 1:
            await handle.pause(note="an operator is looking")
        return found

    monkeypatch.setattr(service, "describe_schedule", paused_after_it_was_looked_at)
    await keep_retention_schedule(client, Settings(retention_sweep=SweepInterval.HOURLY))
    schedule = (await handle.describe()).schedule
    assert schedule.state.paused
    assert schedule.state.note == "an operator is looking"
    assert [interval.every for interval in schedule.spec.intervals] == [AN_HOUR], "and the change is made all the same"
    await handle.delete()


async def test_a_schedule_that_says_what_it_should_is_let_alone(client: Client) -> None:
    settings = Settings(retention_sweep=SweepInterval.DAILY)
    await keep_retention_schedule(client, settings)
    await keep_retention_schedule(client, settings)
    described = await client.get_schedule_handle(RETENTION_SCHEDULE).describe()
    assert described.info.last_updated_at is None
    await client.get_schedule_handle(RETENTION_SCHEDULE).delete()


async def test_a_deleted_project_is_gone_and_the_proof_stays(client: Client, kept: KeptThings) -> None:
    owner, stranger = await kept.creator(None), await kept.creator(None)
    project, neighbour, theirs = await kept.project(owner), await kept.project(owner), await kept.project(stranger)
    for content in (b"mine alone", b"in two projects", b"two owners have it"):
        await kept.asset(project, content)
        await kept.analysis(content)
    shared = await kept.asset(neighbour, b"in two projects")
    others = await kept.asset(theirs, b"two owners have it")
    output, kept_output = await kept.made(project), await kept.made(neighbour)
    await kept.segment(project, b"a part of a long output")
    await kept.segment(neighbour, b"a part of a long output")
    orphan = f"{owner}/{project.id}/{output.job_id}/{uuid4()}.mp4"
    await kept.objects.put(Bucket.OUTPUTS, orphan, once(b"of a lost attempt"))
    await kept.objects.put(Bucket.ASSETS, f"{owner}/{project.id}/upload", once(b"never recorded"))
    before = {bucket: await kept.stored(bucket) for bucket in Bucket}
    async with worker(client, kept):
        record = await delete(client, project.id)
        assert await delete(client, project.id) == record, "asked again, it answers with what was done"
    assert record.finished_at is not None
    assert record.requested_by == "operator *Ann*"
    assert record.inventory is not None
    assert record.verification is not None
    assert record.rows_removed is not None
    assert record.verification.clean
    assert record.verification.keys_checked == 13
    assert {name: volume.objects for name, volume in record.inventory.removed.items()} == {
        "assets": 3,
        "outputs": 7,
        "analysis": 1,
        "thumbs": 2,
    }
    assert record.inventory.shared == 3
    assert (record.rows_removed["assets"], record.rows_removed["jobs"], record.rows_removed["projects"]) == (3, 1, 1)
    assert record.verification.rows["segments"] == 0
    for bucket in Bucket:
        left = await kept.stored(bucket)
        assert not any(str(project.id) in key for key in left)
        assert len(before[bucket] - left) == record.inventory.removed[bucket].objects
    assert await kept.stored(Bucket.ASSETS) == {shared.object_key, others.object_key}
    assert len(await kept.stored(Bucket.ANALYSIS)) == 2
    assert (await kept.outputs.get(kept_output.id)).files is not None
    await kept.check()
    await only_its_owner_sees(kept.pool, record, stranger)


async def only_its_owner_sees(pool: Pool, record: DeletionRecord, stranger: UUID) -> None:
    async with ActingAs(pool, record.owner_id).acquire() as connection:
        assert await connection.fetchval("select id from deletions") == record.id
    async with ActingAs(pool, stranger).acquire() as connection:
        assert await connection.fetch("select * from deletions") == []
    for statement in ("update deletions set requested_by = 'nobody'", "delete from deletions"):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await pool.execute(statement)
        assert refused.value.sqlstate == "CN001"


async def test_jobs_are_ended_first_and_no_new_ones_begin(client: Client, kept: KeptThings) -> None:
    project = await kept.project(await kept.creator(None))
    await kept.asset(project, TALK)
    running, waiting = await kept.job(project), await kept.job(project)
    async with worker(client, kept):
        job = await client.start_workflow(
            HeldJob.run, JobToCancel(job_id=running.id), id=direct_job_id(running.id), task_queue=TaskQueue.JOBS
        )
        await kept.jobs.set_status(running.id, JobStatus.RENDERING)
        refused = await closed_while_deleted(client, kept, project)
        described = await job.describe()
    assert described.status is WorkflowExecutionStatus.CANCELED
    assert {error.code for error in refused} == {ErrorCode.INVALID_TRANSITION}
    with pytest.raises(CinemaError):
        await kept.jobs.get(waiting.id)


async def closed_while_deleted(client: Client, kept: KeptThings, project: Project) -> list[CinemaError]:
    """Delete the project while somebody goes on ordering and uploading."""
    deletion = asyncio.create_task(delete(client, project.id))
    async with asyncio.timeout(60):
        while not await kept.pool.fetchval("select deleting_since from projects where id = $1", project.id):
            await asyncio.sleep(0.02)
    refused: list[CinemaError] = []
    for attempt in (kept.job(project), kept.asset(project, b"one more")):
        with pytest.raises(ConflictError, match="being deleted") as error:
            await attempt
        refused.append(error.value)
    record = await deletion
    assert record.verification is not None
    assert record.verification.clean
    return refused


async def test_a_project_that_never_was_cannot_be_deleted(client: Client, kept: KeptThings) -> None:
    async with worker(client, kept):
        with pytest.raises(WorkflowFailureError):
            await delete(client, uuid4())


#: Once ten assets are gone, the next one is marked as gone only by who gets the lock.
HELD_AMID_ASSETS = """
    create function hold_removal() returns trigger language plpgsql as $$
    begin
        if (select count(*) from public.assets where expired_at is not null) >= 10 then
            perform pg_advisory_xact_lock(1);
        end if;
        return new;
    end $$;
    create trigger hold_removal before update of expired_at on assets for each row execute function hold_removal();
"""


async def test_a_deletion_goes_on_after_its_worker_was_killed(
    client: Client, kept: KeptThings, dsn: str, temporal_server: RestartableTemporal, tmp_path: Path
) -> None:
    project = await kept.project(await kept.creator(None))
    for number in range(40):
        await kept.asset(project, b"%d" % number)
        await kept.analysis(b"%d" % number)
    await kept.made(project)
    environment = {
        **os.environ,
        "CINEMA_HOME": str(tmp_path / "home"),
        "CINEMA_OBJECTS": str(tmp_path / "objects"),
        "CINEMA_POSTGRES_DSN": dsn,
        "CINEMA_TEMPORAL_ADDRESS": temporal_server.address,
        "CINEMA_RETENTION_SWEEP": "off",
    }
    command = [sys.executable, "-m", "cinema.worker", "--queue", TaskQueue.JOBS]
    await kept.pool.execute(HELD_AMID_ASSETS)
    deletion = asyncio.create_task(delete(client, project.id))
    async with kept.pool.acquire() as holder, holder.transaction():
        await holder.execute("select pg_advisory_xact_lock(1)")
        first = subprocess.Popen(command, cwd=REPOSITORY, env=environment)
        try:
            async with asyncio.timeout(120):
                while len(await kept.stored(Bucket.ASSETS)) > 29:
                    await asyncio.sleep(0.05)
        finally:
            first.send_signal(signal.SIGKILL)
            first.wait()
    left = [len(await kept.stored(bucket)) for bucket in Bucket]
    assert sum(left) > 0, "it was killed in the middle"
    assert not deletion.done()
    await kept.check()
    async with worker(client, kept), asyncio.timeout(120):
        record = await deletion
    assert record.inventory is not None
    assert {name: volume.objects for name, volume in record.inventory.removed.items()} == {
        "assets": 40,
        "outputs": 5,
        "analysis": 40,
        "thumbs": 2,
    }
    assert record.verification is not None
    assert record.verification.clean
    assert [len(await kept.stored(bucket)) for bucket in Bucket] == [0, 0, 0, 0]
    assert not [path for path in (tmp_path / "objects" / ".checksums").rglob("*") if path.is_file()]

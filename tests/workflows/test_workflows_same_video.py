"""An output whose video somebody else is making waits for it: without a worker, and as steerable as ever."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.declarations import AWAIT_VIDEO, AwaitVideo, TaskQueue
from schemas.edl import Variant
from schemas.jobs import JobStatus, OutputStatus
from tests.conftest import TEMPORAL
from tests.workflows.parts_stand_ins import LONG, PartsStandIns
from tests.workflows.stand_ins import StandIns
from workflows.contract import DIRECT_JOB, SEARCH_ATTRIBUTES, DirectJobInput, DirectJobResult, direct_job_id
from workflows.direct_job import DirectJob
from workflows.job_client import JobClient
from workflows.plugin import cinema_plugin

pytestmark = pytest.mark.temporal

HOOK = Variant.HOOK_CUT

Handle = WorkflowHandle[DirectJob, DirectJobResult]


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[Client]:
    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(TEMPORAL), search_attributes=SEARCH_ATTRIBUTES, plugins=[cinema_plugin()]
    )
    async with environment:
        yield environment.client


@asynccontextmanager
async def waiting(client: Client, stand_ins: StandIns, awaited: Variant = HOOK) -> AsyncIterator[Handle]:
    """A job one of whose outputs waits, and all others of which have been made."""
    others = [variant for variant in Variant if variant is not awaited]
    async with working(client, stand_ins) as handle:
        await until(
            lambda: (
                stand_ins.calls[f"await {awaited}"] >= 1
                and all(stand_ins.statuses[variant] is OutputStatus.COMPLETED for variant in others)
            )
        )
        yield handle


@asynccontextmanager
async def working(client: Client, stand_ins: StandIns) -> AsyncIterator[Handle]:
    """A job in the works; a single worker renders one output at a time."""
    async with AsyncExitStack() as stack:
        for queue in TaskQueue:
            worker = Worker(
                client,
                task_queue=queue,
                activities=stand_ins.activities(),
                workflows=[DirectJob] if queue is TaskQueue.JOBS else [],
                max_concurrent_activities=1 if queue is TaskQueue.RENDER else 10,
            )
            await stack.enter_async_context(worker)
        handle = await client.start_workflow(
            DIRECT_JOB,
            DirectJobInput(job_id=stand_ins.job_id),
            id=direct_job_id(stand_ins.job_id),
            task_queue=TaskQueue.JOBS,
            result_type=DirectJobResult,
        )
        yield handle


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)


async def current_details(handle: Handle) -> str:
    metadata: WorkflowMetadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return metadata.current_details


async def pending(handle: Handle) -> list[str]:
    """The ids of what is scheduled, be it begun or not."""
    described = await handle.describe()
    return [activity.activity_id for activity in described.raw_description.pending_activities]


async def test_it_waits_without_a_worker_and_is_made_or_found_when_the_other_has_ended(client: Client) -> None:
    stand_ins = StandIns(made_elsewhere={HOOK})
    async with waiting(client, stand_ins) as handle:
        assert await pending(handle) == ["await-hook_cut"]
        assert "| waits for the same video, which is being made already |" in await current_details(handle)
        stand_ins.made_elsewhere.clear()
        assert (await handle.result()).status is JobStatus.COMPLETED
        events = [event async for event in handle.fetch_history_events()]
    assert stand_ins.calls[f"render {HOOK}"] == 2, "once to hear that it has to wait, once to make it"
    summaries = {event.user_metadata.summary.data.decode() for event in events if event.HasField("user_metadata")}
    assert '"wait for the video of hook_cut, which is being made already"' in summaries


async def test_a_long_wait_leaves_nothing_in_the_history(client: Client) -> None:
    stand_ins = StandIns(made_elsewhere={HOOK})
    async with waiting(client, stand_ins) as handle:
        await until(lambda: stand_ins.calls[f"await {HOOK}"] >= 4)
        stand_ins.made_elsewhere.clear()
        await handle.result()
        scheduled = [
            event.activity_task_scheduled_event_attributes.activity_id
            async for event in handle.fetch_history_events()
            if event.HasField("activity_task_scheduled_event_attributes")
        ]
    assert scheduled.count("await-hook_cut") == 1, "all looks are tries of one activity"


async def test_it_is_called_off_while_it_waits(client: Client) -> None:
    stand_ins = StandIns(made_elsewhere={HOOK})
    async with waiting(client, stand_ins) as handle:
        await JobClient(client).cancel_outputs(stand_ins.job_id, [stand_ins.id_of(HOOK)])
        assert (await handle.result()).status is JobStatus.PARTIAL
    assert stand_ins.statuses[HOOK] is OutputStatus.CANCELLED


@dataclass
class LookingStandIns(StandIns):
    """Whoever looks whether the video is still being made takes until ``looked`` to see that it is."""

    looking: asyncio.Event = field(default_factory=asyncio.Event)
    looked: asyncio.Event = field(default_factory=asyncio.Event)

    @activity.defn(name=AWAIT_VIDEO.name)
    async def await_video(self, asked: AwaitVideo) -> None:
        self.looking.set()
        await self.looked.wait()
        await super().await_video(asked)


async def test_it_is_called_off_amid_a_look(client: Client) -> None:
    stand_ins = LookingStandIns(made_elsewhere={HOOK})
    async with working(client, stand_ins) as handle:
        await stand_ins.looking.wait()
        order = asyncio.create_task(JobClient(client).cancel_outputs(stand_ins.job_id, [stand_ins.id_of(HOOK)]))
        async with asyncio.timeout(60):
            while PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED not in await states(handle):
                await asyncio.sleep(0.05)
        stand_ins.looked.set()
        await order
        assert (await handle.result()).status is JobStatus.PARTIAL
    assert stand_ins.statuses[HOOK] is OutputStatus.CANCELLED


async def states(handle: Handle) -> list[int]:
    described = await handle.describe()
    return [one.state for one in described.raw_description.pending_activities]


async def test_a_pause_takes_the_wait_back_and_it_goes_on_after_it(client: Client) -> None:
    stand_ins = StandIns(made_elsewhere={HOOK})
    async with waiting(client, stand_ins) as handle:
        await JobClient(client).pause(stand_ins.job_id)
        async with asyncio.timeout(60):
            while await pending(handle):
                await asyncio.sleep(0.05)
        stand_ins.made_elsewhere.clear()
        await JobClient(client).resume(stand_ins.job_id)
        assert (await handle.result()).status is JobStatus.COMPLETED


async def test_a_long_output_is_joined_once_by_whoever_came_first(client: Client) -> None:
    stand_ins = PartsStandIns(made_elsewhere={LONG})
    async with waiting(client, stand_ins, LONG) as handle:
        assert await pending(handle) == ["await-cinematic_full"]
        stand_ins.made_elsewhere.clear()
        assert (await handle.result()).status is JobStatus.COMPLETED
    assert stand_ins.calls["join"] == 1


async def test_parts_that_somebody_else_makes_are_waited_for_without_a_worker(client: Client) -> None:
    stand_ins = PartsStandIns(parts_elsewhere={0, 2, 3})
    async with working(client, stand_ins) as handle:
        await until(lambda: all(stand_ins.calls[f"await part {number}"] >= 1 for number in (0, 2, 3)))
        async with asyncio.timeout(60):
            while "| rendering, 3 of 5 segments are there, the sound not yet |" not in await current_details(handle):
                await asyncio.sleep(0.05)
        waited_for = {name for name in await pending(handle) if name.endswith(("2", "3", "cinematic_full"))}
        wanted = ("sound-cinematic_full", "segment-cinematic_full-2", "segment-cinematic_full-3")
        assert waited_for == {f"await-{name}" for name in wanted}
        stand_ins.parts_elsewhere.clear()
        assert (await handle.result()).status is JobStatus.COMPLETED
    assert [stand_ins.calls[f"part {number}"] for number in range(6)] == [2, 1, 2, 2, 1, 1]


async def test_an_output_whose_parts_somebody_else_makes_is_called_off(client: Client) -> None:
    stand_ins = PartsStandIns(parts_elsewhere={2, 3})
    async with working(client, stand_ins) as handle:
        await until(lambda: all(stand_ins.calls[f"await part {number}"] >= 1 for number in (2, 3)))
        await JobClient(client).cancel_outputs(stand_ins.job_id, [stand_ins.id_of(LONG)])
        assert (await handle.result()).status is JobStatus.PARTIAL
    assert stand_ins.statuses[LONG] is OutputStatus.CANCELLED

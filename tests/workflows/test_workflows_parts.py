"""A long output is made of parts, side by side, and of those only what is missing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.declarations import TaskQueue
from schemas.jobs import JobStatus, OutputStatus
from tests.conftest import TEMPORAL
from tests.workflows.parts_stand_ins import LONG, PartsStandIns
from tests.workflows.test_workflows_control import rows
from workflows.contract import DIRECT_JOB, SEARCH_ATTRIBUTES, DirectJobInput, DirectJobResult, direct_job_id
from workflows.direct_job import DirectJob
from workflows.job_client import JobClient
from workflows.limits import PARTS_AT_ONCE
from workflows.plugin import cinema_plugin

pytestmark = pytest.mark.temporal

Handle = WorkflowHandle[DirectJob, DirectJobResult]


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[Client]:
    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(TEMPORAL), search_attributes=SEARCH_ATTRIBUTES, plugins=[cinema_plugin()]
    )
    async with environment:
        yield environment.client


async def begin(stack: AsyncExitStack, client: Client, stand_ins: PartsStandIns) -> Handle:
    """The job, started, and workers for it until the stack is left."""
    for queue in (TaskQueue.JOBS, TaskQueue.ANALYSIS, TaskQueue.RENDER):
        workflows = [DirectJob] if queue is TaskQueue.JOBS else []
        worker = Worker(client, task_queue=queue, activities=stand_ins.activities(), workflows=workflows)
        await stack.enter_async_context(worker)
    return await client.start_workflow(
        DIRECT_JOB,
        DirectJobInput(job_id=stand_ins.job_id),
        id=direct_job_id(stand_ins.job_id),
        task_queue=TaskQueue.JOBS,
        result_type=DirectJobResult,
    )


def parts_made(stand_ins: PartsStandIns) -> dict[int, int]:
    """How often each part was rendered."""
    named = {name: count for name, count in stand_ins.calls.items() if name.startswith("part ")}
    return {int(name.removeprefix("part ")): count for name, count in sorted(named.items())}


async def test_every_part_is_rendered_once_and_joined_and_operators_can_read_which_is_which(client: Client) -> None:
    stand_ins = PartsStandIns(segments=40)
    async with AsyncExitStack() as stack:
        handle = await begin(stack, client, stand_ins)
        settled = await handle.result()
        history = await handle.fetch_history()
    assert settled.status is JobStatus.COMPLETED
    assert parts_made(stand_ins) == dict.fromkeys(range(41), 1)
    assert stand_ins.calls["join"] == 1
    assert stand_ins.calls[f"render {LONG}"] == 0
    assert stand_ins.most_at_once <= PARTS_AT_ONCE
    assert len(history.events) < 41 * 7, "history grows with the number of parts and with nothing else"
    summaries = {
        event.user_metadata.summary.data.decode() for event in history.events if event.HasField("user_metadata")
    }
    wanted = {"render cinematic_full sound", "render cinematic_full segment 3/40", "join cinematic_full"}
    assert {f'"{summary}"' for summary in wanted} <= summaries


async def test_operators_read_how_many_segments_are_there(client: Client) -> None:
    stand_ins = PartsStandIns(there={0, 2, 5}, held_parts={3})

    async def says(handle: Handle, words: str) -> None:
        async with asyncio.timeout(120):
            while words not in await current_details(handle):
                await asyncio.sleep(0.1)

    async with AsyncExitStack() as stack:
        handle = await begin(stack, client, stand_ins)
        await says(handle, "| rendering, 4 of 5 segments are there (2 from before), the sound too |")
        stand_ins.joins_are_held = True
        stand_ins.held_parts = set()
        await says(handle, "| rendering, all 5 segments (2 from before) and the sound are there, and are joined |")
        stand_ins.joins_are_held = False
        await handle.result()
        assert "| completed by attempt 1 |" in await current_details(handle)


async def current_details(handle: Handle) -> str:
    metadata: WorkflowMetadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return metadata.current_details


async def test_a_retry_renders_only_the_part_that_failed(client: Client) -> None:
    stand_ins = PartsStandIns(broken={3})
    async with AsyncExitStack() as stack:
        handle = await begin(stack, client, stand_ins)
        assert (await handle.result()).status is JobStatus.PARTIAL
        assert stand_ins.statuses[LONG] is OutputStatus.FAILED
        stand_ins.broken = set()
        made = parts_made(stand_ins)
        await JobClient(client).retry(*rows(stand_ins))
        await client.get_workflow_handle(direct_job_id(stand_ins.job_id)).result()
    assert stand_ins.statuses[LONG] is OutputStatus.COMPLETED
    assert parts_made(stand_ins) == made | {3: 2}


async def test_parts_that_are_gone_when_they_are_joined_are_made_again(client: Client) -> None:
    stand_ins = PartsStandIns(losing={0, 2})
    async with AsyncExitStack() as stack:
        assert (await (await begin(stack, client, stand_ins)).result()).status is JobStatus.COMPLETED
    assert parts_made(stand_ins) == {0: 2, 1: 1, 2: 2, 3: 1, 4: 1, 5: 1}
    assert (stand_ins.calls["begin"], stand_ins.calls["join"]) == (2, 2)


async def test_calling_the_output_off_ends_its_parts(client: Client) -> None:
    stand_ins = PartsStandIns(held_parts={1, 2, 3})
    async with AsyncExitStack() as stack:
        handle = await begin(stack, client, stand_ins)
        await stand_ins.rendering.wait()
        await JobClient(client).cancel_outputs(stand_ins.job_id, [stand_ins.id_of(LONG)])
        assert (await handle.result()).status is JobStatus.PARTIAL
    assert stand_ins.statuses[LONG] is OutputStatus.CANCELLED
    assert stand_ins.at_once == 0, "whoever was at it has tidied up"
    assert stand_ins.calls["join"] == 0


async def test_a_pause_begins_no_part_and_nothing_is_done_twice(client: Client) -> None:
    stand_ins = PartsStandIns(segments=40, held_parts=set(range(1, 41)))
    async with AsyncExitStack() as stack:
        handle = await begin(stack, client, stand_ins)
        async with asyncio.timeout(120):
            while stand_ins.at_once < PARTS_AT_ONCE:
                await asyncio.sleep(0.05)
        await JobClient(client).pause(stand_ins.job_id)
        stand_ins.held_parts = set()
        await asyncio.sleep(1)
        assert len(parts_made(stand_ins)) == PARTS_AT_ONCE + 1, "the sound, and what workers were at"
        await JobClient(client).resume(stand_ins.job_id)
        assert (await handle.result()).status is JobStatus.COMPLETED
    assert parts_made(stand_ins) == dict.fromkeys(range(41), 1)

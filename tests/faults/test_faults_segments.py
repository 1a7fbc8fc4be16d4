"""A worker is killed amid a long output: that one segment is rendered again, and nothing else of it."""

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType

from demo import SCRIPT
from demo.small import make_small_talk
from schemas.cost import LedgerEntry, Outcome
from schemas.edl import Variant
from schemas.jobs import Job, JobStatus
from stores import Ledger
from tests.faults.fault_plan import Kind, Point
from tests.faults.stack_under_fault import StackUnderFault, until
from tests.faults.verdict import judge
from workflows.contract import direct_job_id

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

RENDER_QUEUE = "cinema-render"
FULL = "render cinematic_full"
#: Pieces of work that the fault may have hit; how many of them it hit is counted by the ledger.
PARTS = (f"{FULL} segment", f"{FULL} sound")


@pytest.fixture(scope="module")
async def long_talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long enough for a film of several segments."""
    path = tmp_path_factory.mktemp("footage") / "long.mp4"
    await asyncio.to_thread(make_small_talk, path, SCRIPT[:6])
    return path


async def parts_of(stack: StackUnderFault, job: Job) -> dict[str, list[Outcome]]:
    """How each attempt at each part of the job's film ended."""
    entries: tuple[LedgerEntry, ...] = await Ledger(stack.pool).of_job(job.id)
    parts: dict[str, list[Outcome]] = {}
    for entry in entries:
        if entry.part:
            parts.setdefault(entry.part, []).append(entry.outcome)
    return parts


async def renderers(stack: StackUnderFault, job: Job) -> set[str]:
    """The workers that rendered something for the job."""
    handle = stack.temporal.get_workflow_handle(direct_job_id(job.id))
    rendering: set[int] = set()
    found: set[str] = set()
    async for event in handle.fetch_history_events():
        if event.event_type is EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            if event.activity_task_scheduled_event_attributes.task_queue.name == RENDER_QUEUE:
                rendering.add(event.event_id)
        elif event.event_type is EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            started = event.activity_task_started_event_attributes
            if started.scheduled_event_id in rendering:
                found.add(started.identity)
    return found


async def test_a_worker_killed_amid_a_segment_costs_that_segment(stack: StackUnderFault, long_talk: Path) -> None:
    async with stack.second_worker(RENDER_QUEUE):
        job = await stack.order(Variant.CINEMATIC_FULL, talk=long_talk)

        async def amid_a_segment() -> bool:
            parts = await parts_of(stack, job)
            made = [part for part, outcomes in parts.items() if Outcome.SUCCEEDED in outcomes]
            return bool(made) and bool(stack.children_of("worker-render"))

        await until(amid_a_segment, "a part is there and another one is rendered")
        dead = stack.signal("worker-render", signal.SIGKILL)
        await stack.restarted("worker-render", dead)
        await judge(stack, job, repeated=PARTS)
    parts = await parts_of(stack, job)
    assert len(parts) >= 5, "the sound, three segments at least, and the join"
    assert {part: Counter(outcomes)[Outcome.SUCCEEDED] for part, outcomes in parts.items()} == dict.fromkeys(parts, 1)
    hit = [part for part, outcomes in parts.items() if len(outcomes) > 1]
    assert len(hit) <= 1, f"more than the piece that was hit was rendered again: {parts}"
    assert len(await renderers(stack, job)) >= 2, "the segments were rendered by several workers"


async def test_a_worker_that_freezes_amid_a_segment_is_not_waited_for(stack: StackUnderFault, long_talk: Path) -> None:
    """It holds the right to make the segment, and its machine goes on answering the database's."""
    async with stack.second_worker(RENDER_QUEUE):
        job = await stack.order(Variant.CINEMATIC_FULL, talk=long_talk)

        async def amid_a_segment() -> bool:
            return bool(stack.children_of("worker-render")) and bool(await parts_of(stack, job))

        await until(amid_a_segment, "the worker renders a part")
        frozen = stack.signal("worker-render", signal.SIGSTOP)
        try:
            await stack.reached(job, JobStatus.COMPLETED)
        finally:
            os.kill(frozen, signal.SIGCONT)
        await judge(stack, job, repeated=PARTS)
    parts = await parts_of(stack, job)
    assert len([part for part, outcomes in parts.items() if len(outcomes) > 1]) <= 1, parts


async def test_a_worker_killed_while_it_stores_a_segment_leaves_no_half_of_it(
    stack: StackUnderFault, long_talk: Path
) -> None:
    stack.faults.arm(Point.PUT, Kind.KILL_HALFWAY, ".mp4")
    job = await stack.order(Variant.CINEMATIC_FULL, talk=long_talk)
    await judge(stack, job, repeated=PARTS)
    outcomes = Counter(outcome for part in (await parts_of(stack, job)).values() for outcome in part)
    assert outcomes[Outcome.LOST] == 1
    assert outcomes[Outcome.SUCCEEDED] == len(await parts_of(stack, job))

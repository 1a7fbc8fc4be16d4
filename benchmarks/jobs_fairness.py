"""How long a creator with a little work waits behind one with a lot, on one slot of a real Temporal server.

The tasks are called as jobs call theirs, and do nothing. While the first of them is held, the creator with 60 tasks
queues up, then the one with 10; the figure is the place of the last of the 10 among all 70. In order of arrival that
is 70; taking turns, 20.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

from temporalio import activity, workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    from activities.declarations import Declaration, TaskQueue
    from cinema.stack.child import Child
    from cinema.stack.ports import LOOPBACK, choose_port
    from cinema.stack.temporal import temporal_spec
    from schemas.model import Model
    from schemas.service import Service
    from workflows.calls import JobCalls
    from workflows.limits import LIGHT
    from workflows.plugin import cinema_plugin

LARGE = 60
SMALL = 10

#: Seconds that the embedded server may take to start.
START_SECONDS = 60.0

#: Time that the server may take to move a scheduled task into its queue.
QUEUED_AFTER = timedelta(seconds=1)

#: Seconds between two signs of life of a task that waits for its counter to open.
HEARTBEAT_INTERVAL = 0.2


class Turn(Model):
    """One task of a creator."""

    owner_id: UUID


class Demand(Model):
    """All that one creator wants done."""

    owner_id: UUID
    tasks: int
    service: Service = Service()


TAKE_TURN = Declaration("take_turn", TaskQueue.RENDER, Turn, type(None))


@workflow.defn(name="QueueUp")
class QueueUp:
    """Calls one task after another for one creator, without waiting for any."""

    @workflow.run
    async def run(self, demand: Demand) -> None:
        calls = JobCalls()
        calls.serve(demand.owner_id, demand.service)
        turn = Turn(owner_id=demand.owner_id)
        await asyncio.gather(*(calls(TAKE_TURN, turn, LIGHT, summary="take a turn") for _ in range(demand.tasks)))


@dataclass
class Counter:
    """Serves one creator at a time and notes whom, in order; opens when told to."""

    served: list[UUID] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    @activity.defn(name=TAKE_TURN.name)
    async def take_turn(self, turn: Turn) -> None:
        self.served.append(turn.owner_id)
        while not self.open.is_set():
            activity.heartbeat()
            await asyncio.sleep(HEARTBEAT_INTERVAL)


async def measure() -> dict[str, float]:
    """``fairness.small_owner_last_position``, on a server of its own."""
    large = Demand(owner_id=uuid4(), tasks=LARGE)
    small = Demand(owner_id=uuid4(), tasks=SMALL)
    async with _server() as client:
        served = await order_of_service(client, [large, small])
    return {"fairness.small_owner_last_position": last_position(served, small)}


async def order_of_service(client: Client, demands: list[Demand]) -> list[UUID]:
    """Whose tasks one slot takes, in order, when the creators queue up one after the other."""
    counter = Counter()
    async with (
        Worker(client, task_queue=TaskQueue.JOBS, workflows=[QueueUp]),
        Worker(client, task_queue=TaskQueue.RENDER, activities=[counter.take_turn], max_concurrent_activities=1),
    ):
        handles = []
        for demand in demands:
            handle = await client.start_workflow(
                QueueUp.run, demand, id=f"queue-up-{uuid4()}", task_queue=TaskQueue.JOBS
            )
            handles.append(handle)
            await _until_queued(handle, demand.tasks)
        counter.open.set()
        for handle in handles:
            await handle.result()
    return counter.served


async def _until_queued(handle: WorkflowHandle[QueueUp, None], tasks: int) -> None:
    while True:
        described = await handle.describe()
        if len(described.raw_description.pending_activities) >= tasks:
            await asyncio.sleep(QUEUED_AFTER.total_seconds())
            return
        await asyncio.sleep(0.05)


def last_position(served: list[UUID], demand: Demand) -> int:
    """The place of a creator's last task, counted from 1."""
    return max(place for place, owner_id in enumerate(served, start=1) if owner_id == demand.owner_id)


@asynccontextmanager
async def _server() -> AsyncIterator[Client]:
    with tempfile.TemporaryDirectory(prefix="cinema-fairness-") as folder:
        port = choose_port(0)
        spec = temporal_spec(Path(folder) / "temporal.db", "default", port, choose_port(0))
        child = Child(spec, Path(folder) / "temporal.log", lambda: None)
        await child.start(START_SECONDS)
        try:
            yield await Client.connect(f"{LOOPBACK}:{port}", plugins=[cinema_plugin()])
        finally:
            await child.stop()

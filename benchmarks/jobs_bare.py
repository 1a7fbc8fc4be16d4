"""The ceiling: a workflow that calls activities which do nothing, and a worker for it, with nothing of ours around it.

Run as ``python -m benchmarks.jobs_bare ADDRESS``.
"""

import asyncio
import sys
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

from workflows.plugin import cinema_plugin

QUEUE = "bare"
NOTHING_TAKES = timedelta(seconds=30)


@activity.defn(name="do_nothing")
async def do_nothing() -> None:
    """What it says."""


@workflow.defn(name="Bare")
class Bare:
    """Calls ``activities`` activities, one after another."""

    @workflow.run
    async def run(self, activities: int) -> None:
        for _ in range(activities):
            await workflow.execute_activity("do_nothing", start_to_close_timeout=NOTHING_TAKES)


async def serve(address: str) -> None:
    client = await Client.connect(address, plugins=[cinema_plugin()])
    async with Worker(client, task_queue=QUEUE, workflows=[Bare], activities=[do_nothing]):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))

"""Workers as the product makes them, for the workflow that does nothing but call."""

from typing import Any
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from activities.accelerators import AcceleratorActivities, GpuPolicy
from activities.declarations import TaskQueue
from cinema.hosting import deployment
from cinema.settings import Settings
from tests.workflows.calling import CALLING, Call, Calling, Calls


def jobs_worker(client: Client, policy: GpuPolicy | None = None, settings: Settings | None = None) -> Worker:
    """The worker for workflows and light work."""
    find = AcceleratorActivities(policy or GpuPolicy()).find_accelerators
    version = deployment(settings or Settings())
    return Worker(client, task_queue=TaskQueue.JOBS, activities=[find], workflows=[Calling], deployment_config=version)


async def start_calling(client: Client, asked: Call) -> WorkflowHandle[Any, Calls]:
    return await client.start_workflow(
        CALLING, asked, id=f"calling-{uuid4()}", task_queue=TaskQueue.JOBS, result_type=Calls
    )

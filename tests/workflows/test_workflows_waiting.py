"""Waiting for a worker is no fault of the work: a backlog of days, or workers that are away for days, fail nothing."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from activities.accelerators import GpuPolicy
from activities.declarations import TaskQueue
from schemas.service import GpuWork
from tests.cinema.calling_workers import jobs_worker, start_calling
from tests.conftest import TEMPORAL
from tests.workflows.calling import Call
from workflows.plugin import cinema_plugin

pytestmark = pytest.mark.temporal


async def test_the_server_keeps_work_for_days_that_no_worker_takes() -> None:
    """As the server has understood it: the time-skipping one skips no time while work waits for a worker."""
    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(TEMPORAL), plugins=[cinema_plugin()]
    )
    async with environment, jobs_worker(environment.client, GpuPolicy(work=GpuWork.NEVER)), asyncio.timeout(120):
        handle = await start_calling(environment.client, Call())
        while True:
            scheduled = [
                event.activity_task_scheduled_event_attributes
                async for event in handle.fetch_history_events()
                if event.HasField("activity_task_scheduled_event_attributes")
            ]
            waiting = [one for one in scheduled if one.task_queue.name == TaskQueue.RENDER]
            if waiting:
                break
            await asyncio.sleep(0.05)
        assert waiting[0].schedule_to_start_timeout.ToTimedelta() >= timedelta(days=7)
        await handle.terminate()

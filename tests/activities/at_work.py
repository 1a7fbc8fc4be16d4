"""An activity of a job as a worker runs it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from temporalio.testing import ActivityEnvironment

from activities.time_limit import start_time_limit
from schemas.jobs import Job

Answer = TypeVar("Answer")


async def at_work(job: Job, work: Callable[[], Awaitable[Answer]]) -> Answer:
    """What ``work`` answers, in five minutes at most."""

    async def limited() -> Answer:
        start_time_limit()
        return await work()

    environment = ActivityEnvironment()
    environment.info = replace(
        ActivityEnvironment.default_info(), workflow_id=f"job-{job.id}", start_to_close_timeout=timedelta(minutes=5)
    )
    return await environment.run(limited)

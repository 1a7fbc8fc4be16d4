"""Watching a job through its rows, the only source of truth."""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import UUID

from cinema.stack.errors import StackError
from schemas.errors import TransientError
from schemas.jobs import Job
from stores import Jobs

#: Seconds between two looks at the job.
LOOK_INTERVAL = 0.25

#: How long the database may be away, in seconds, before watching is given up; the job itself goes on.
LONGEST_OUTAGE = 60.0


async def follow(jobs: Jobs, job_id: UUID) -> AsyncIterator[Job]:
    """The job as it is, again and again until it has settled.

    Raises:
        StackError: The database was away for too long.
    """
    seen_at = time.monotonic()
    while True:
        try:
            job = await jobs.get(job_id)
        except TransientError as error:
            if time.monotonic() - seen_at > LONGEST_OUTAGE:
                raise StackError("The stack is away. The job is kept, and goes on after: cinema up") from error
        else:
            seen_at = time.monotonic()
            yield job
            if job.status.settled:
                return
        await asyncio.sleep(LOOK_INTERVAL)


class StageClock:
    """How long a job was seen in each of its stages, in seconds."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._stage: str | None = None
        self._since = time.monotonic()

    def see(self, job: Job) -> None:
        now = time.monotonic()
        if self._stage is not None:
            self._seconds[self._stage] = self._seconds.get(self._stage, 0.0) + now - self._since
        self._stage = None if job.status.settled else job.status.value
        self._since = now

    @property
    def seconds(self) -> dict[str, float]:
        return {stage: round(seconds, 2) for stage, seconds in self._seconds.items()}

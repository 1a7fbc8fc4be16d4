"""A job watched to its end, and what it made brought to a folder."""

import time
from pathlib import Path
from uuid import UUID

from cinema.directing.delivering import Delivery, deliver
from cinema.directing.display import Display
from cinema.directing.following import StageClock, follow
from cinema.directing.report import DirectReport, report_of
from cinema.settings import Settings
from schemas.jobs import Job
from stores import Assets, Jobs, ObjectStore, Pool
from workflows.contract import direct_job_id


class Finishing:
    """Follows jobs and delivers their outputs to ``out``, named after ``title``."""

    def __init__(
        self, settings: Settings, pool: Pool, objects: ObjectStore, display: Display, *, title: str, out: Path
    ) -> None:
        self._settings = settings
        self._pool = pool
        self._objects = objects
        self._display = display
        self._title = title
        self._out = out

    async def finish(self, job: Job, *, since: float) -> DirectReport:
        """Follow until the job has settled, and deliver what was asked for.

        Args:
            job: as it was when it was asked for.
            since: when that was, on the monotonic clock.
        """
        url = self._ui_url(job.id)
        if url is not None:
            self._display.say(f"Temporal Web UI: {url}")
        clock = StageClock()
        try:
            ended = await self._follow(job, clock)
        finally:
            self._display.stop()
        return report_of(
            ended,
            before=job.artifacts,
            title=self._title,
            assets=await Assets(self._pool).for_project(ended.project_id),
            deliveries=await self._deliver(ended),
            stages=clock.seconds,
            seconds=time.monotonic() - since,
            temporal_ui_url=url,
        )

    async def _follow(self, asked: Job, clock: StageClock) -> Job:
        job = asked
        async for job in follow(Jobs(self._pool), asked.id):
            clock.see(job)
            self._display.show(job)
        return job

    async def _deliver(self, job: Job) -> dict[UUID, Delivery]:
        return {
            output.id: await deliver(self._objects, output, self._out, self._title)
            for output in job.outputs
            if output.files is not None
        }

    def _ui_url(self, job_id: UUID) -> str | None:
        base, namespace = self._settings.temporal_ui_url, self._settings.temporal_namespace
        return None if base is None else f"{base.rstrip('/')}/namespaces/{namespace}/workflows/{direct_job_id(job_id)}"

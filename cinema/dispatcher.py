"""Starts the workflow of every job that waits in the outbox. Any number of dispatchers may run at once.

Run as ``python -m cinema.dispatcher``.
"""

import asyncio
from datetime import timedelta
from uuid import UUID

import structlog
from temporalio.client import Client
from temporalio.common import (
    Priority,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from cinema.connections import database, temporal
from cinema.exits import leave
from cinema.logs import configure_logs
from cinema.readiness import say_ready
from cinema.settings import Settings, load_settings
from cinema.stopping import stop_on_signals
from schemas.errors import CinemaError, TransientError
from schemas.jobs import Job, Project
from stores import Jobs, Outbox, OutboxEntry, Pool, Projects
from workflows.contract import (
    DIRECT_JOB,
    JOB_EXECUTION_TIMEOUT,
    JOB_STATUS,
    JOBS_QUEUE,
    OWNER,
    PROJECT,
    VARIANTS,
    DirectJobInput,
    direct_job_id,
    summary_line,
)

#: Entries claimed at once, and how long nobody else gets them: far longer than starting them takes.
BATCH = 20
LEASE = timedelta(seconds=60)

#: Longest wait for one answer of Temporal.
START_TIMEOUT = timedelta(seconds=2)

#: Longest sleep without a look at the outbox, in case a notification was lost.
LONGEST_SLEEP = timedelta(seconds=5)

#: Wait before the database is tried again after it could not be reached.
DATABASE_PAUSE_SECONDS = 1.0

log = structlog.get_logger("cinema.dispatcher")


class Dispatcher:
    """Moves jobs from the outbox to Temporal: at least once each, and Temporal makes it exactly once."""

    def __init__(self, pool: Pool, client: Client) -> None:
        self._outbox = Outbox(pool)
        self._jobs = Jobs(pool)
        self._projects = Projects(pool)
        self._client = client

    async def run(self) -> None:
        """Dispatch until cancelled, through any outage of the database or of Temporal."""
        while True:
            try:
                if not await self.dispatch_due():
                    await self._outbox.wait(LONGEST_SLEEP)
            except TransientError as error:
                log.warning("the outbox cannot be read", error=error.message)
                await asyncio.sleep(DATABASE_PAUSE_SECONDS)

    async def dispatch_due(self) -> int:
        """Start what is due, and return how many entries that were."""
        entries = await self._outbox.claim(BATCH, LEASE)
        await asyncio.gather(*(self._dispatch(entry) for entry in entries))
        return len(entries)

    async def _dispatch(self, entry: OutboxEntry) -> None:
        with structlog.contextvars.bound_contextvars(job=str(entry.job_id)):
            try:
                await self._start(entry.job_id)
            except (RPCError, RuntimeError, ValueError, CinemaError) as error:
                # Whatever is wrong with one entry must not keep the others waiting.
                log.warning("the workflow could not be started; trying again later", error=str(error))
                await self._outbox.release(entry.id, str(error))
            else:
                await self._outbox.done(entry.id)

    async def _start(self, job_id: UUID) -> None:
        job = await self._jobs.get(job_id)
        if job.status.settled:
            log.info("the job was called off before it was started")
            return
        project = await self._projects.get(job.project_id)
        try:
            await self._client.start_workflow(
                DIRECT_JOB,
                DirectJobInput(job_id=job.id),
                id=direct_job_id(job.id),
                task_queue=JOBS_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                execution_timeout=JOB_EXECUTION_TIMEOUT,
                search_attributes=_search_attributes(job),
                static_summary=summary_line(f"{project.name}: {', '.join(job.request.variants)}"),
                static_details=_details(job, project),
                memo={"project": project.name, "owner": str(job.owner_id), "pace": job.request.pace},
                priority=Priority(fairness_key=str(job.owner_id)),
                rpc_timeout=START_TIMEOUT,
            )
        except WorkflowAlreadyStartedError:
            log.info("the workflow has run already")
        else:
            log.info("workflow started")


def _search_attributes(job: Job) -> TypedSearchAttributes:
    return TypedSearchAttributes(
        [
            SearchAttributePair(OWNER, str(job.owner_id)),
            SearchAttributePair(PROJECT, str(job.project_id)),
            SearchAttributePair(JOB_STATUS, job.status.value),
            SearchAttributePair(VARIANTS, [variant.value for variant in job.request.variants]),
        ]
    )


def _details(job: Job, project: Project) -> str:
    return (
        f"Project `{project.id}` of owner `{job.owner_id}`\n\n"
        f"Pace {job.request.pace}, language {job.request.language or 'as spoken'}, "
        f"created {job.created_at:%Y-%m-%d %H:%M:%S} UTC"
    )


async def serve(settings: Settings) -> None:
    """Dispatch until a signal asks to stop; what was claimed and not started is claimed again after its lease."""
    stop = stop_on_signals()
    client = await temporal(settings)
    async with database(settings) as pool:
        dispatching = asyncio.create_task(Dispatcher(pool, client).run())
        stopping = asyncio.create_task(stop.wait())
        say_ready()
        await asyncio.wait({dispatching, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if dispatching.done():
            dispatching.result()
        dispatching.cancel()
        await asyncio.gather(dispatching, return_exceptions=True)


def main() -> None:
    settings = load_settings()
    configure_logs(settings, service="dispatcher")
    asyncio.run(serve(settings))
    leave(0)


if __name__ == "__main__":
    main()

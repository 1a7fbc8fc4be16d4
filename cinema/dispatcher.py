"""Starts the workflow of every job that waits in the outbox. Any number of dispatchers may run at once.

Run as ``python -m cinema.dispatcher``.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from cinema.connections import database, temporal
from cinema.exits import leave
from cinema.readiness import say_ready
from cinema.settings import Settings, load_settings
from cinema.start_failures import Outage, refuses_entry
from cinema.stopping import stop_on_signals
from cinema.telemetry.endpoint import watched
from cinema.telemetry.metrics import PoolMetrics, register
from cinema.telemetry.probes import Probes
from cinema.telemetry.process import observe_service
from cinema.telemetry.tracing import dispatch_span
from cinema.telemetry.workload import WorkloadMetrics
from cinema.webhook_dispatch import WebhookDispatcher
from schemas.errors import CinemaError, TransientError
from stores import Jobs, LetterState, Outbox, OutboxEntry, Pool, Projects
from stores.health import postgres_answers
from workflows.contract import DIRECT_JOB, DirectJobInput
from workflows.job_client import start_options

#: Entries claimed at once, and how long nobody else gets them: far longer than starting them takes.
BATCH = 20
LEASE = timedelta(seconds=20)

#: Entries claimed while Temporal is away: one shows that it is back, and all others stay ready to be claimed.
PROBE = 1

#: Longest wait for one answer of Temporal.
START_TIMEOUT = timedelta(seconds=2)

#: Longest sleep without a look at the outbox, in case a notification was lost.
LONGEST_SLEEP = timedelta(seconds=5)

#: Wait before the database is tried again after it could not be reached.
DATABASE_PAUSE_SECONDS = 1.0

log = structlog.get_logger("cinema.dispatcher")


@dataclass(frozen=True)
class _TemporalAway:
    """An entry could not be started through no fault of its own."""

    error: Exception


class Dispatcher:
    """Moves jobs from the outbox to Temporal: at least once each, and Temporal makes it exactly once."""

    def __init__(self, pool: Pool, client: Client, lease: timedelta = LEASE) -> None:
        self._outbox = Outbox(pool)
        self._jobs = Jobs(pool)
        self._projects = Projects(pool)
        self._client = client
        self._lease = lease
        self._outage = Outage()

    async def run(self) -> None:
        """Dispatch until cancelled, through any outage of the database or of Temporal."""
        while True:
            try:
                found = await self.dispatch_due()
                if self._outage.lasts:
                    await asyncio.sleep(self._outage.pause)
                elif not found:
                    await self._outbox.wait(LONGEST_SLEEP)
            except TransientError as error:
                log.warning("the outbox cannot be read", error=error.message)
                await asyncio.sleep(DATABASE_PAUSE_SECONDS)

    async def dispatch_due(self) -> int:
        """Start what is due, and return how many entries that were; one at most while Temporal is away.

        Raises:
            TransientError: the database cannot be reached; what was claimed comes back when its lease ends.
        """
        entries = await self._outbox.claim(PROBE if self._outage.lasts else BATCH, self._lease)
        troubles = await asyncio.gather(*(self._dispatch(entry) for entry in entries), return_exceptions=True)
        for trouble in troubles:
            if isinstance(trouble, BaseException):
                raise trouble
        away = next((trouble for trouble in troubles if isinstance(trouble, _TemporalAway)), None)
        if away is not None:
            self._outage.noticed(away.error)
        elif entries:
            self._outage.over()
        return len(entries)

    async def _dispatch(self, entry: OutboxEntry) -> _TemporalAway | None:
        """Whatever is wrong with one entry must not keep the others waiting; only an outage is told."""
        with (
            structlog.contextvars.bound_contextvars(job=str(entry.job_id)),
            dispatch_span(entry.job_id, entry.traceparent),
        ):
            try:
                await self._start(entry.job_id)
            except (RPCError, RuntimeError, ValueError, TypeError, CinemaError) as error:
                return await self._failed(entry, error)
            await self._outbox.done(entry.id)
            return None

    async def _failed(self, entry: OutboxEntry, error: Exception) -> _TemporalAway | None:
        reason = f"{type(error).__name__}: {error}"
        if not refuses_entry(error):
            await self._outbox.postpone(entry.id, reason)
            return _TemporalAway(error)
        state = await self._outbox.refuse(entry, reason)
        if state is LetterState.DEAD:
            log.error("this job can never be started as it is; given up until an operator replays it", error=reason)
        else:
            log.warning("the workflow was refused; trying again later", error=reason)
        return None

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
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                rpc_timeout=START_TIMEOUT,
                **start_options(job, project),
            )
        except WorkflowAlreadyStartedError:
            log.info("the workflow has run already")
        else:
            log.info("workflow started")


async def _dispatch(pool: Pool, client: Client) -> None:
    """Jobs, and webhooks' deliveries beside them."""
    async with asyncio.TaskGroup() as group:
        group.create_task(Dispatcher(pool, client).run())
        group.create_task(WebhookDispatcher(pool, client).run())


async def serve(settings: Settings) -> None:
    """Dispatch until a signal asks to stop; what was claimed and not started is claimed again after its lease."""
    stop = stop_on_signals()
    client = await temporal(settings)
    async with database(settings) as pool:
        dispatching = asyncio.create_task(_dispatch(pool, client))
        stopping = asyncio.create_task(stop.wait())
        register(PoolMetrics(pool))
        probes = Probes(
            alive=lambda: not dispatching.done(),
            needs={"postgres": postgres_answers(pool), "temporal": client.service_client.check_health},
            stopping=stop,
        )
        async with watched(settings, probes, [WorkloadMetrics(pool, client).refresh]):
            say_ready()
            await asyncio.wait({dispatching, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if dispatching.done():
            dispatching.result()
        dispatching.cancel()
        await asyncio.gather(dispatching, return_exceptions=True)


def main() -> None:
    settings = load_settings()
    observe_service(settings, service="dispatcher")
    asyncio.run(serve(settings))
    leave(0)


if __name__ == "__main__":
    main()

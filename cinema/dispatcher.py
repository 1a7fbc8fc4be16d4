"""Starts the workflow of every job that waits in the outbox. Any number of dispatchers may run at once.

Run as ``python -m cinema.dispatcher``.
"""

import asyncio
from datetime import timedelta
from uuid import UUID

import structlog
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from cinema.connections import database, temporal
from cinema.dispatch_loop import LEASE, START_TIMEOUT, DispatchLoop, TemporalAway
from cinema.exits import leaving
from cinema.readiness import say_ready
from cinema.settings import Settings, load_settings
from cinema.stack.errors import StackError
from cinema.start_failures import refuses_entry
from cinema.stopping import stop_on_signals
from cinema.stranded_jobs import StrandedJobWatch
from cinema.telemetry.endpoint import watched
from cinema.telemetry.metrics import PoolMetrics, register
from cinema.telemetry.probes import Probes
from cinema.telemetry.process import observe_service
from cinema.telemetry.tracing import dispatch_span
from cinema.telemetry.workload import WorkloadMetrics
from cinema.temporal_setup import lacking, missing_search_attributes
from cinema.webhook_dispatch import WebhookDispatcher, keep_forgetting
from schemas.errors import CinemaError
from stores import Jobs, LetterState, Outbox, OutboxEntry, Pool, Projects
from stores.health import postgres_answers
from workflows.contract import DIRECT_JOB, DirectJobInput
from workflows.job_client import start_options

log = structlog.get_logger("cinema.dispatcher")


class Dispatcher(DispatchLoop[OutboxEntry]):
    """Moves jobs from the outbox to Temporal."""

    def __init__(self, pool: Pool, client: Client, lease: timedelta = LEASE) -> None:
        self._outbox = Outbox(pool)
        super().__init__(self._outbox, lease)
        self._jobs = Jobs(pool)
        self._projects = Projects(pool)
        self._client = client

    async def _dispatch(self, entry: OutboxEntry) -> TemporalAway | None:
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

    async def _failed(self, entry: OutboxEntry, error: Exception) -> TemporalAway | None:
        away = await self._lacking(error) if refuses_entry(error) else error
        if away is not None:
            await self._outbox.postpone(entry.id, _reason(away))
            return TemporalAway(away)
        reason = _reason(error)
        state = await self._outbox.refuse(entry, reason)
        if state is LetterState.DEAD:
            log.error("this job can never be started as it is; given up until an operator replays it", error=reason)
        else:
            log.warning("the workflow was refused; trying again later", error=reason)
        return None

    async def _lacking(self, error: Exception) -> StackError | None:
        """What the namespace lacks, if it is that for which the server refuses every start."""
        if not isinstance(error, RPCError):
            return None
        try:
            missing = await missing_search_attributes(self._client)
        except RPCError:
            return None
        return StackError(lacking(self._client, missing)) if missing else None

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


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


async def _dispatch(pool: Pool, client: Client) -> None:
    """Jobs, and webhooks' deliveries beside them; and see to jobs whose workflows have gone."""
    async with asyncio.TaskGroup() as group:
        group.create_task(Dispatcher(pool, client).run())
        group.create_task(WebhookDispatcher(pool, client).run())
        group.create_task(keep_forgetting(pool))
        group.create_task(StrandedJobWatch(pool, client).run())


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
    with leaving():
        settings = load_settings()
        observe_service(settings, service="dispatcher")
        asyncio.run(serve(settings))


if __name__ == "__main__":
    main()

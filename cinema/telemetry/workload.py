"""What waits and what is under way in the whole installation: told by each dispatcher, asked for at each scrape.

The values are the installation's, not the process's: with several dispatchers, take the maximum and never the sum.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from prometheus_client import Gauge
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue as TaskQueueName
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeTaskQueueResponse
from temporalio.client import Client
from temporalio.service import RPCError

from activities.declarations import TaskQueue
from schemas.errors import TransientError
from stores import Outbox, Pool
from stores.workload import workload
from workflows.contract import JOBS_QUEUE

#: Seconds that Postgres and Temporal each get; a scrape waits ten.
PATIENCE = 3.0

KINDS = {
    "activity": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    "workflow": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
}

OUTBOX_WAITING = Gauge("cinema_outbox_waiting", "Jobs whose workflow has not been started yet.")
OUTBOX_AGE = Gauge("cinema_outbox_oldest_age_seconds", "How long the oldest of them has waited; 0 where none waits.")
OUTBOX_DEAD = Gauge("cinema_outbox_dead_letters", "Jobs that were given up before their workflow could be started.")
JOBS = Gauge("cinema_jobs", "Jobs that have not ended, by status.", ["status"])
STALEST_RENDER = Gauge(
    "cinema_stalest_render_age_seconds", "How long the most silent of the renders under way has reported nothing."
)
QUEUE_BACKLOG = Gauge("cinema_queue_backlog", "Tasks that wait in a Temporal task queue.", ["queue", "kind"])
QUEUE_AGE = Gauge("cinema_queue_backlog_age_seconds", "How long the oldest of them has waited.", ["queue", "kind"])
QUEUE_POLLERS = Gauge("cinema_queue_pollers", "Workers that asked for tasks within five minutes.", ["queue", "kind"])
SOURCE_UP = Gauge("cinema_workload_source_up", "Whether these values could be asked for at this scrape.", ["source"])

log = structlog.get_logger(__name__)


class WorkloadMetrics:
    """Brings the values above up to date; those of a source that is away are left as they were, and it says so."""

    def __init__(self, pool: Pool, client: Client) -> None:
        self._pool = pool
        self._client = client

    async def refresh(self) -> None:
        await asyncio.gather(_ask("postgres", self._ask_postgres), _ask("temporal", self._ask_temporal))

    async def _ask_postgres(self) -> None:
        backlog = await Outbox(self._pool).backlog()
        OUTBOX_WAITING.set(backlog.waiting)
        OUTBOX_AGE.set(backlog.oldest_waiting_s)
        OUTBOX_DEAD.set(backlog.dead)
        found = await workload(self._pool)
        for status, count in found.jobs.items():
            JOBS.labels(status).set(count)
        STALEST_RENDER.set(found.stalest_render_s)

    async def _ask_temporal(self) -> None:
        queues = [(queue, "activity") for queue in TaskQueue]
        await asyncio.gather(*(self._ask_queue(queue, kind) for queue, kind in [*queues, (JOBS_QUEUE, "workflow")]))

    async def _ask_queue(self, queue: TaskQueue, kind: str) -> None:
        answer: DescribeTaskQueueResponse = await self._client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=self._client.namespace,
                task_queue=TaskQueueName(name=queue.value),
                task_queue_type=KINDS[kind],
                report_stats=True,
            )
        )
        QUEUE_BACKLOG.labels(queue, kind).set(answer.stats.approximate_backlog_count)
        QUEUE_AGE.labels(queue, kind).set(answer.stats.approximate_backlog_age.ToTimedelta().total_seconds())
        QUEUE_POLLERS.labels(queue, kind).set(len(answer.pollers))


async def _ask(source: str, question: Callable[[], Awaitable[None]]) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            await question()
    except (RPCError, RuntimeError, TransientError, TimeoutError) as error:
        log.warning("the workload cannot be read", source=source, error=str(error))
        SOURCE_UP.labels(source).set(0)
    else:
        SOURCE_UP.labels(source).set(1)

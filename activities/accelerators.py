"""The activity that says which GPU workers there are, so that no work waits for one where there is none."""

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta

import structlog
from temporalio import activity
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue as TaskQueueName
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from activities.declarations import FIND_ACCELERATORS, Accelerators, Nothing, TaskQueue
from schemas.service import GpuWork

GPU_QUEUES = tuple(queue for queue in TaskQueue if queue.needs_gpu)

#: Seconds for which an answer serves every job on this worker.
REMEMBERED_SECONDS = 10.0

#: A poll lasts a minute; who has not polled for longer than that and a little is busy or gone.
POLLING_WITHIN = timedelta(seconds=75)

ANSWER_TIMEOUT = timedelta(seconds=5)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class GpuPolicy:
    """``patience_s``: seconds that such work waits for a GPU worker before a CPU worker takes it."""

    work: GpuWork = GpuWork.AUTO
    patience_s: float = Accelerators.model_fields["patience_s"].default


class AcceleratorActivities:
    """Asks the Temporal server who polls the GPU queues."""

    def __init__(self, policy: GpuPolicy) -> None:
        self._policy = policy
        self._asking = asyncio.Lock()
        self._polled: tuple[TaskQueue, ...] = ()
        self._ask_again_at = 0.0

    @activity.defn(name=FIND_ACCELERATORS.name)
    async def find_accelerators(self, _: Nothing) -> Accelerators:
        return Accelerators(queues=await self._queues(), patience_s=self._policy.patience_s)

    async def _queues(self) -> tuple[TaskQueue, ...]:
        match self._policy.work:
            case GpuWork.ALWAYS:
                return GPU_QUEUES
            case GpuWork.NEVER:
                return ()
            case GpuWork.AUTO:
                return await self._remembered()

    async def _remembered(self) -> tuple[TaskQueue, ...]:
        async with self._asking:
            if time.monotonic() >= self._ask_again_at:
                self._polled = await polled_queues(activity.client())
                self._ask_again_at = time.monotonic() + REMEMBERED_SECONDS
            return self._polled


async def polled_queues(client: Client) -> tuple[TaskQueue, ...]:
    """The GPU queues that some worker polls. A server that cannot say costs the GPU for a moment, never the job."""
    try:
        polled = await asyncio.gather(*(_is_polled(client, queue) for queue in GPU_QUEUES))
    except RPCError as error:
        log.warning("the server does not say who polls the GPU queues", error=str(error))
        return ()
    return tuple(queue for queue, is_polled in zip(GPU_QUEUES, polled, strict=True) if is_polled)


async def _is_polled(client: Client, queue: TaskQueue) -> bool:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueueName(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    )
    answer = await client.workflow_service.describe_task_queue(request, timeout=ANSWER_TIMEOUT)
    oldest = time.time() - POLLING_WITHIN.total_seconds()
    return any(poller.last_access_time.ToSeconds() >= oldest for poller in answer.pollers)

"""A Temporal worker for one task queue: how much it does at once, how it asks for work, how it ends, its version.

Heavy work (decoding, encoding, inference) has a fixed number of slots: it takes whole cores, so what a machine can
carry is known beforehand. Light work waits for the database most of the time; it takes as many slots as the machine
has memory and CPU to spare for, between the bounds below.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import (
    FixedSizeSlotSupplier,
    PollerBehaviorAutoscaling,
    ResourceBasedSlotConfig,
    ResourceBasedSlotSupplier,
    ResourceBasedTunerConfig,
    Worker,
    WorkerDeploymentConfig,
    WorkerTuner,
)

from activities.declarations import TaskQueue
from cinema.settings import Settings
from workflows.contract import JOBS_QUEUE
from workflows.deletion import DeleteProject
from workflows.direct_job import DirectJob
from workflows.job_deletion import DeleteJob
from workflows.retention import RetentionSweep
from workflows.webhooks import DeliverWebhook

WORKFLOWS = (DirectJob, DeliverWebhook, RetentionSweep, DeleteProject, DeleteJob)

#: Shares of the machine's memory and CPU above which no further light work is taken on.
MEMORY_TARGET = 0.8
CPU_TARGET = 0.9

#: Light slots there are even on a machine that others keep busy: jobs must start while renders run.
LEAST_LIGHT_SLOTS = 4

#: Time between two light slots that are opened, so that the effect of the one shows before the next.
LIGHT_RAMP = timedelta(milliseconds=20)

#: Workflow tasks one worker computes at a time, each for a few milliseconds.
WORKFLOW_SLOTS = 50

#: Most polls that one worker keeps open; it starts with few and opens more while tasks wait.
MOST_POLLS = 20
FIRST_POLLS = 2


def worker_for(
    queue: TaskQueue, client: Client, activities: Sequence[Callable[..., Any]], settings: Settings
) -> Worker:
    """A worker that hosts ``activities``; the one for light work also hosts the workflows."""
    return Worker(
        client,
        task_queue=queue,
        activities=activities,
        workflows=WORKFLOWS if queue is JOBS_QUEUE else (),
        tuner=_tuner(queue, settings),
        workflow_task_poller_behavior=_pollers(WORKFLOW_SLOTS),
        activity_task_poller_behavior=_pollers(slots(queue, settings)),
        graceful_shutdown_timeout=timedelta(seconds=settings.worker_drain_seconds),
        deployment_config=deployment(settings),
    )


def slots(queue: TaskQueue, settings: Settings) -> int:
    """How many activities of ``queue`` one worker does at a time at most."""
    match queue:
        case TaskQueue.JOBS:
            return settings.jobs_slots
        case TaskQueue.ANALYSIS:
            return settings.analysis_slots
        case TaskQueue.RENDER:
            return settings.render_slots
        case TaskQueue.ANALYSIS_GPU | TaskQueue.RENDER_GPU:
            return settings.gpu_slots


def _tuner(queue: TaskQueue, settings: Settings) -> WorkerTuner:
    workflow_tasks = FixedSizeSlotSupplier(WORKFLOW_SLOTS)
    return WorkerTuner.create_composite(
        workflow_supplier=workflow_tasks,
        activity_supplier=_activity_slots(queue, slots(queue, settings)),
        # We have none of these two; Temporal wants a supplier for each.
        local_activity_supplier=workflow_tasks,
        nexus_supplier=workflow_tasks,
    )


def _activity_slots(queue: TaskQueue, most: int) -> FixedSizeSlotSupplier | ResourceBasedSlotSupplier:
    if queue is not JOBS_QUEUE:
        return FixedSizeSlotSupplier(most)
    return ResourceBasedSlotSupplier(
        ResourceBasedSlotConfig(
            minimum_slots=min(LEAST_LIGHT_SLOTS, most), maximum_slots=most, ramp_throttle=LIGHT_RAMP
        ),
        ResourceBasedTunerConfig(target_memory_usage=MEMORY_TARGET, target_cpu_usage=CPU_TARGET),
    )


def _pollers(work_at_once: int) -> PollerBehaviorAutoscaling:
    most = min(MOST_POLLS, work_at_once)
    return PollerBehaviorAutoscaling(minimum=1, initial=min(FIRST_POLLS, most), maximum=most)


def deployment(settings: Settings) -> WorkerDeploymentConfig | None:
    """The version this worker is of. A workflow stays on the version it started on, whatever becomes current later."""
    if settings.worker_deployment is None or settings.worker_build_id is None:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(settings.worker_deployment, settings.worker_build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )

"""What the workflows beside a job's go through, with activities that answer from a list."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from temporalio import activity

from activities.declarations import Declaration
from activities.retention_declarations import (
    ANNOUNCE_EXPIRY,
    BEGIN_DELETION,
    BEGIN_JOB_DELETION,
    CANCEL_JOB_ROWS,
    EXPIRE_ASSETS,
    EXPIRE_OUTPUTS,
    FIND_UNSETTLED_JOBS,
    FINISH_DELETION,
    FINISH_JOB_DELETION,
    REMOVE_JOB_OBJECTS,
    REMOVE_PROJECT_OBJECTS,
    REMOVE_UNUSED_ANALYSES,
    REMOVE_UNUSED_SEGMENTS,
    TAKE_INVENTORY,
    RemovedObjects,
    SweptBatch,
    UnsettledJobs,
)
from activities.webhook_declarations import ATTEMPT_DELIVERY, AttemptedDelivery
from schemas.cost import Bill
from schemas.model import Model
from schemas.retention import DeletionRecord, JobDeletionRecord, SweepCounts
from schemas.webhooks import DeliveryStatus, EventType
from workflows.retention_contract import (
    DELETE_JOB,
    DELETE_PROJECT,
    RETENTION_SWEEP,
    DeleteJobInput,
    DeleteProjectInput,
    RetentionSweepInput,
    delete_job_id,
    delete_project_id,
)
from workflows.webhook_contract import DELIVER_WEBHOOK, DeliverWebhookInput, deliver_webhook_id

Activity = Callable[..., Any]


@dataclass(frozen=True)
class Play:
    """One workflow, run to its end."""

    workflow: str
    argument: Model
    id: str
    activities: Sequence[Activity]


def plays() -> dict[str, Play]:
    """Each by the name of its recording."""
    return {
        "webhook-delivered-at-second-attempt": _delivery(),
        "retention-sweep-in-two-runs": _sweep(),
        "project-deleted-with-a-job": _deletion(),
        "job-deleted": _job_deletion(),
    }


def _answering(declared: Declaration[Any, Any], *answers: Model | None) -> Activity:
    """An activity that gives each answer once, and the last one from then on."""
    left = list(answers)

    async def answer(argument: Any) -> Any:  # noqa: ARG001 (whatever it is asked)
        return left.pop(0) if len(left) > 1 else left[0]

    answer.__annotations__ = {"argument": declared.argument, "return": declared.result}
    return activity.defn(name=declared.name)(answer)


def _delivery() -> Play:
    order = DeliverWebhookInput(
        delivery_id=uuid4(), owner_id=uuid4(), event_type=EventType.JOB_COMPLETED, receiver="hooks.example"
    )
    failed = AttemptedDelivery(status=DeliveryStatus.DELIVERING, error="It answered 503.", next_wait_s=0.5)
    attempt = _answering(ATTEMPT_DELIVERY, failed, AttemptedDelivery(status=DeliveryStatus.DELIVERED))
    return Play(DELIVER_WEBHOOK, order, deliver_webhook_id(order.delivery_id), [attempt])


def _sweep() -> Play:
    done = SweptBatch(counts=SweepCounts(), more=False)
    going_on = SweptBatch(counts=SweepCounts(), more=True, after="somewhere")
    activities = [
        _answering(ANNOUNCE_EXPIRY, done),
        _answering(EXPIRE_OUTPUTS, going_on, done),
        _answering(EXPIRE_ASSETS, done),
        _answering(REMOVE_UNUSED_ANALYSES, done),
        _answering(REMOVE_UNUSED_SEGMENTS, done),
    ]
    return Play(RETENTION_SWEEP, RetentionSweepInput(batches_per_run=3), "retention-sweep-recorded", activities)


def _deletion() -> Play:
    asked = DeleteProjectInput(project_id=uuid4(), requested_by="its owner")
    now = datetime.now(UTC)
    record = DeletionRecord(
        id=uuid4(), project_id=asked.project_id, owner_id=uuid4(), requested_by=asked.requested_by, created_at=now
    )
    activities = [
        _answering(BEGIN_DELETION, record),
        _answering(FIND_UNSETTLED_JOBS, UnsettledJobs(job_ids=(uuid4(),)), UnsettledJobs(job_ids=())),
        _answering(CANCEL_JOB_ROWS, None),
        _answering(TAKE_INVENTORY, record),
        _answering(REMOVE_PROJECT_OBJECTS, RemovedObjects(keys_checked=3)),
        _answering(FINISH_DELETION, record.model_copy(update={"finished_at": now})),
    ]
    return Play(DELETE_PROJECT, asked, delete_project_id(asked.project_id), activities)


def _job_deletion() -> Play:
    asked = DeleteJobInput(job_id=uuid4(), requested_by="its owner")
    now = datetime.now(UTC)
    record = JobDeletionRecord(
        id=uuid4(),
        job_id=asked.job_id,
        project_id=uuid4(),
        owner_id=uuid4(),
        requested_by=asked.requested_by,
        bill=Bill(),
        created_at=now,
    )
    activities = [
        _answering(BEGIN_JOB_DELETION, record),
        _answering(REMOVE_JOB_OBJECTS, RemovedObjects(keys_checked=3)),
        _answering(FINISH_JOB_DELETION, record.model_copy(update={"finished_at": now})),
    ]
    return Play(DELETE_JOB, asked, delete_job_id(asked.job_id), activities)

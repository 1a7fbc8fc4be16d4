"""Calling a declared activity: its limits, its line in the Web UI, its turn and its queue, its failure as our error."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

from temporalio import workflow
from temporalio.common import Priority
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutType, is_cancelled_exception
from temporalio.exceptions import TimeoutError as TemporalTimeoutError
from temporalio.workflow import ActivityCancellationType

from activities.declarations import (
    FIND_ACCELERATORS,
    Accelerators,
    Argument,
    Declaration,
    Nothing,
    Result,
    TaskQueue,
)
from schemas.errors import ErrorCode, ErrorInfo
from schemas.service import Service
from workflows.contract import summary_line
from workflows.limits import ACCELERATORS_KNOWN_FOR, LIGHT, LOST_WORKER_ROUNDS, SCHEDULE_TO_START, ActivityLimits


class JobCalls:
    """The activity calls of one job: served as its owner's plan says, and on a GPU where one has time."""

    def __init__(self) -> None:
        self._priority = Priority.default
        self._accelerators = Accelerators()
        self._known_since: datetime | None = None
        self._finding = asyncio.Lock()

    def serve(self, owner_id: UUID, service: Service) -> None:
        """From now on let the calls take the turns that the owner of the job has a right to."""
        self._priority = Priority(
            priority_key=service.priority,
            fairness_key=str(owner_id),
            fairness_weight=service.weight,
        )

    async def __call__(
        self,
        declared: Declaration[Argument, Result],
        argument: Argument,
        limits: ActivityLimits,
        *,
        summary: str,
        name: str | None = None,
    ) -> Result:
        """Like ``call``; work that a GPU makes faster goes to one first, and to a CPU if none takes it in time."""
        gpu = declared.accelerated
        accelerators = await self._found_accelerators() if gpu is not None else Accelerators()
        if gpu is not None and gpu in accelerators.queues:
            patience = timedelta(seconds=accelerators.patience_s)
            try:
                return await _call(
                    declared,
                    argument,
                    limits,
                    summary=summary,
                    name=name,
                    priority=self._priority,
                    queue=gpu,
                    schedule_to_start=patience,
                )
            except ActivityError as error:
                if not _found_nobody(error):
                    raise
        return await call(declared, argument, limits, summary=summary, name=name, priority=self._priority)

    async def _found_accelerators(self) -> Accelerators:
        """Which GPU queues are served, asked again when the answer has become old."""
        async with self._finding:
            if self._known_since is None or workflow.now() - self._known_since > ACCELERATORS_KNOWN_FOR:
                self._accelerators = await call(
                    FIND_ACCELERATORS, Nothing(), LIGHT, summary="look for GPUs", priority=self._priority
                )
                self._known_since = workflow.now()
            return self._accelerators


async def call(
    declared: Declaration[Argument, Result],
    argument: Argument,
    limits: ActivityLimits,
    *,
    summary: str,
    name: str | None = None,
    priority: Priority = Priority.default,
) -> Result:
    """Run an activity and wait for it; a cancelled one is waited for until it has tidied up.

    Without a ``priority`` of its own it takes the workflow's, without a ``name`` as its id a number.

    Raises:
        ActivityError: When its retries are used up, or it was cancelled.
    """
    return await _call(
        declared,
        argument,
        limits,
        summary=summary,
        name=name,
        priority=priority,
        queue=declared.queue,
        schedule_to_start=SCHEDULE_TO_START,
    )


def failure_of(error: ActivityError) -> ErrorInfo:
    """What went wrong, for the creator. A cancellation is not a failure: it is raised again."""
    if is_cancelled_exception(error):
        raise error
    match error.cause:
        case ApplicationError(type=str(), details=details) if details:
            return ErrorInfo.model_validate(details[0])
        case TemporalTimeoutError(type=TimeoutType.SCHEDULE_TO_START):
            return _timed_out("No worker was free for this in a week; it can be tried again.")
        case TemporalTimeoutError():
            return _timed_out("This took too long or its worker was lost again and again; it can be tried again.")
        case _:
            return ErrorInfo(
                code=ErrorCode.INTERNAL,
                message="Something went wrong on our side; it can be tried again.",
                retryable=True,
            )


async def _call(
    declared: Declaration[Argument, Result],
    argument: Argument,
    limits: ActivityLimits,
    *,
    summary: str,
    name: str | None,
    priority: Priority,
    queue: TaskQueue,
    schedule_to_start: timedelta,
) -> Result:
    """Run the activity on ``queue``; attempts that ended with their worker are not counted against the work at once."""
    for rounds_left in reversed(range(LOST_WORKER_ROUNDS)):
        try:
            answer: Result = await workflow.execute_activity(
                declared.name,
                argument,
                activity_id=name,
                task_queue=queue,
                result_type=declared.result,
                start_to_close_timeout=limits.start_to_close,
                schedule_to_start_timeout=schedule_to_start,
                heartbeat_timeout=limits.heartbeat,
                retry_policy=limits.retry,
                cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
                priority=priority,
                summary=summary_line(summary),
            )
        except ActivityError as error:
            if rounds_left == 0 or not _lost_its_worker(error):
                raise
        else:
            return answer
    raise AssertionError("unreachable")


def _found_nobody(error: ActivityError) -> bool:
    return isinstance(error.cause, TemporalTimeoutError) and error.cause.type is TimeoutType.SCHEDULE_TO_START


def _lost_its_worker(error: ActivityError) -> bool:
    """Whether the last attempt ended because its worker was stopped or died, and not because of the work."""
    match error.cause:
        case ApplicationError(type=kind):
            return kind == ErrorCode.WORKER_STOPPING
        case TemporalTimeoutError(type=kind):
            return kind is TimeoutType.HEARTBEAT
        case _:
            return False


def _timed_out(message: str) -> ErrorInfo:
    return ErrorInfo(code=ErrorCode.PROCESS_TIMED_OUT, message=message, retryable=True)

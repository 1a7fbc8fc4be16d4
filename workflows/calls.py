"""Calling a declared activity: its limits, its line in the Web UI, and its failure as one of our errors."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutType, is_cancelled_exception
from temporalio.exceptions import TimeoutError as TemporalTimeoutError
from temporalio.workflow import ActivityCancellationType

from activities.declarations import Argument, Declaration, Result
from schemas.errors import ErrorCode, ErrorInfo
from workflows.contract import summary_line
from workflows.limits import SCHEDULE_TO_START, ActivityLimits


async def call(
    declared: Declaration[Argument, Result], argument: Argument, limits: ActivityLimits, *, summary: str
) -> Result:
    """Run an activity and wait for it; a cancelled one is waited for until it has tidied up.

    Raises:
        ActivityError: When its retries are used up, or it was cancelled.
    """
    answer: Result = await workflow.execute_activity(
        declared.name,
        argument,
        task_queue=declared.queue,
        result_type=declared.result,
        start_to_close_timeout=limits.start_to_close,
        schedule_to_start_timeout=SCHEDULE_TO_START,
        heartbeat_timeout=limits.heartbeat,
        retry_policy=limits.retry,
        cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        summary=summary_line(summary),
    )
    return answer


def failure_of(error: ActivityError) -> ErrorInfo:
    """What went wrong, for the creator. A cancellation is not a failure: it is raised again."""
    if is_cancelled_exception(error):
        raise error
    match error.cause:
        case ApplicationError(type=str(), details=details) if details:
            return ErrorInfo.model_validate(details[0])
        case TemporalTimeoutError(type=TimeoutType.SCHEDULE_TO_START):
            return _timed_out("No worker was free for this in hours; it can be tried again.")
        case TemporalTimeoutError():
            return _timed_out("This took too long or its worker was lost again and again; it can be tried again.")
        case _:
            return ErrorInfo(
                code=ErrorCode.INTERNAL,
                message="Something went wrong on our side; it can be tried again.",
                retryable=True,
            )


def _timed_out(message: str) -> ErrorInfo:
    return ErrorInfo(code=ErrorCode.PROCESS_TIMED_OUT, message=message, retryable=True)

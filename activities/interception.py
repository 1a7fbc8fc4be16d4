"""What happens around every activity: its log lines get their ids, and its errors a type Temporal can act on."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.declarations import (
    AnalyseAsset,
    AnalysePass,
    AssetRef,
    BeginParts,
    OutputFailure,
    PlanOutput,
    RefuseAsset,
    RenderOutput,
    RenderPart,
    TaskQueue,
)
from activities.heartbeat import alive
from activities.identity import identify, job_of
from activities.time_limit import start_time_limit
from schemas.errors import OF_MATERIAL, CinemaError, ErrorCode, TransientError, VideoBeingMade
from schemas.invalid_input import InvalidInput

#: Zero would mean the retry policy's own delay.
HANDED_BACK_DELAY = timedelta(milliseconds=1)


class ActivityInterception(Interceptor):
    """Installed on every worker by the plugin."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 (Temporal's)
        return _Inbound(next)


class _Inbound(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 (Temporal's)
        # Each activity runs in a task, and so a context, of its own: what is bound here ends with it.
        identify(**_ids(input.args))
        start_time_limit()
        try:
            if activity.info().task_queue != TaskQueue.JOBS:
                return await super().execute_activity(input)
            # Light work has no progress to tell, but when its worker dies another one is to know of it soon.
            async with alive():
                return await super().execute_activity(input)
        except CinemaError as error:
            raise application_error(error) from error
        except asyncio.CancelledError:
            if _worker_is_stopping():
                raise handed_back() from None
            raise


def application_error(error: CinemaError) -> ApplicationError:
    """Our error as Temporal's: the code as its type, the whole of it as its first detail.

    The second is the fields that are bad in an input, or the key of a video that somebody else is making.

    What is wrong with a creator's material or a client's input is not a fault of ours, and is kept out of error logs
    and metrics. An attempt that was overtaken is tried again: Temporal hears of it only if it still counts on this one,
    and then the other is a lost worker's, which woke up with a task in its hands.
    """
    again = error.retryable or error.code is ErrorCode.STALE_ATTEMPT
    not_ours = isinstance(error, InvalidInput | VideoBeingMade) or error.code in OF_MATERIAL
    return ApplicationError(
        error.message,
        error.info,
        *_more_of(error),
        type=error.code,
        non_retryable=not again,
        category=ApplicationErrorCategory.BENIGN if not_ours else ApplicationErrorCategory.UNSPECIFIED,
    )


def _more_of(error: CinemaError) -> Sequence[object]:
    match error:
        case InvalidInput(problems=problems):
            return (problems,)
        case VideoBeingMade(render_key=render_key):
            return (render_key,)
        case _:
            return ()


def handed_back() -> ApplicationError:
    """What an attempt ends with whose worker stops before its work is done: another worker is to take it at once.

    Left to Temporal it would be a failure like any other: tried again after a pause that grows with each, logged as a
    fault, and without the sentence that a creator is told when it was the last.
    """
    error = TransientError(ErrorCode.WORKER_STOPPING, "The worker was stopped; another one goes on with this.")
    return ApplicationError(
        error.message,
        error.info,
        type=error.code,
        next_retry_delay=HANDED_BACK_DELAY,
        category=ApplicationErrorCategory.BENIGN,
    )


def _worker_is_stopping() -> bool:
    """Whether that is why this activity was cancelled; one that was also called off is not to be tried again."""
    details = activity.cancellation_details()
    return details is not None and details.worker_shutdown and not details.cancel_requested


def _ids(arguments: Sequence[Any]) -> dict[str, str]:
    info = activity.info()
    ids = {"activity": info.activity_type, "activity_attempt": str(info.attempt)}
    if info.workflow_id is not None:
        ids["workflow"] = info.workflow_id
        if (job := job_of(info.workflow_id)) is not None:
            ids["job"] = job
    for argument in arguments:
        ids |= _ids_in(argument)
    return ids


def _ids_in(argument: object) -> dict[str, str]:
    match argument:
        case PlanOutput(output=output) | RenderOutput(output=output) | BeginParts(output=output):
            return {"output": str(output.output_id)}
        case RenderPart(output=output, number=number):
            return {"output": str(output.output_id), "part": str(number)}
        case OutputFailure(output_id=output_id):
            return {"output": str(output_id)}
        case AssetRef(asset_id=asset_id) | RefuseAsset(asset_id=asset_id):
            return {"asset": str(asset_id)}
        case AnalyseAsset(asset=asset, analyzer=analyzer) | AnalysePass(asset=asset, name=analyzer):
            return {"asset": str(asset.asset_id), "analyzer": analyzer}
        case _:
            return {}

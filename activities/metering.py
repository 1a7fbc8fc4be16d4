"""Times and counts every attempt of an activity, whatever it does."""

import asyncio
import time
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.metrics import ACTIVITY_FAILURES, ACTIVITY_SECONDS, observe_answer
from schemas.errors import ErrorCode

_CODES = frozenset(code.value for code in ErrorCode)

#: What ends an attempt without a fault of anybody's: the work goes on elsewhere.
_HANDED_BACK = frozenset({ErrorCode.WORKER_STOPPING, ErrorCode.VIDEO_BEING_MADE})


class ActivityMetering(Interceptor):
    """Installed on every worker by the plugin, outside of what classifies errors, so that it sees their codes."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 (Temporal's)
        return _Inbound(next)


class _Inbound(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 (Temporal's)
        name = activity.info().activity_type
        outcome = "failed"
        started = time.monotonic()
        try:
            answer = await super().execute_activity(input)
            outcome = "ok"
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        except Exception as error:
            code = _code_of(error)
            if code in _HANDED_BACK:
                outcome = "handed_back"
            else:
                ACTIVITY_FAILURES.labels(name, code).inc()
            raise
        finally:
            ACTIVITY_SECONDS.labels(name, outcome).observe(time.monotonic() - started)
        observe_answer(input.args, answer)
        return answer


def _code_of(error: Exception) -> str:
    """The code of one of our errors; one label value for all that nobody expected."""
    if isinstance(error, ApplicationError) and error.type in _CODES:
        return error.type
    return ErrorCode.INTERNAL

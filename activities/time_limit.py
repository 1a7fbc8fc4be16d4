"""How long the activity that asks may still run."""

import time
from contextvars import ContextVar
from datetime import timedelta

from temporalio import activity

#: Kept back for publishing and for ending in good order before the server gives the attempt up.
MARGIN = timedelta(seconds=5)

_started: ContextVar[float] = ContextVar("activity_started")


def start_time_limit() -> None:
    """The activity of this task starts now."""
    _started.set(time.monotonic())


def time_left() -> timedelta:
    """What remains of this attempt's start-to-close time, less a margin.

    Measured on this machine's monotonic clock: its wall clock may differ from the server's, or be set while we work.
    """
    info = activity.info()
    if info.start_to_close_timeout is None:
        raise RuntimeError(f"{info.activity_type} was scheduled without a start-to-close time-out")
    return info.start_to_close_timeout - timedelta(seconds=time.monotonic() - _started.get()) - MARGIN

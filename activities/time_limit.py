"""How long the activity that asks may still run."""

from datetime import UTC, datetime, timedelta

from temporalio import activity

#: Kept back for publishing and for ending in good order before the server gives the attempt up.
MARGIN = timedelta(seconds=5)


def time_left() -> timedelta:
    """What remains of this attempt's start-to-close time, less a margin."""
    info = activity.info()
    if info.start_to_close_timeout is None:
        raise RuntimeError(f"{info.activity_type} was scheduled without a start-to-close time-out")
    return info.started_time + info.start_to_close_timeout - datetime.now(UTC) - MARGIN

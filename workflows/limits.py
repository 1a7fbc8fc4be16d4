"""How long each piece of work may take and how often it may be tried: deliberate numbers, scaled to the media."""

from dataclasses import dataclass, replace
from datetime import timedelta

from temporalio.common import RetryPolicy

from schemas.errors import ErrorCode

#: A silent worker is given up after this; activities heartbeat every two seconds.
HEARTBEAT_TIMEOUT = timedelta(seconds=15)

#: Waiting in a queue is no fault of the work, however long the backlog is or workers are away: an alert tells operators
#: of it, and a creator may pause the job or call it off. After this nobody comes any more.
SCHEDULE_TO_START = timedelta(days=7)

#: Which GPU workers there are is asked again after this: they come and go within minutes.
ACCELERATORS_KNOWN_FOR = timedelta(minutes=1)

#: How often all of an activity's attempts may be used up by workers that were stopped or died: on machines that may be
#: taken away at any time that is routine, but work that takes its worker down each time has to end.
LOST_WORKER_ROUNDS = 3

#: A job that nobody resumes is called off after this; it can be retried whenever somebody remembers it.
LONGEST_PAUSE = timedelta(days=7)

#: Updates after which a job's workflow begins a new history where Temporal suggests it.
ORDERS_OF_ONE_RUN = 50

#: Pieces of the outputs after which it does so too. Far more than are done again in each run: what there is of parts is
#: found, and only plans are made anew.
PIECES_OF_ONE_RUN = 100

#: Pieces of work that one job has scheduled at a time. Temporal refuses a workflow's 2,000th, and what is scheduled
#: stands in the history before any of it is done; more than this are of use to no fleet of workers.
PIECES_AT_ONCE = 200

#: Parts of one output that are scheduled at a time: as many as a fleet of some size can render side by side.
PARTS_AT_ONCE = 16

#: How often the parts of one output are made again that went while it was joined.
LOST_PARTS_ROUNDS = 3

#: Rows and small objects.
LIGHT_START_TO_CLOSE = timedelta(minutes=2)

#: Reading a file's packets: far faster than real time, but the file may be huge.
PROBE_START_TO_CLOSE = timedelta(minutes=30)

#: The slowest analyzer takes about real time on one core; leave room for a loaded machine.
ANALYSIS_MEDIA_FACTOR = 6
#: A slow software encode of a 4K canvas on few cores.
RENDER_MEDIA_FACTOR = 60
#: What starting, loading models and publishing may take besides.
WORK_BASE = timedelta(minutes=5)

#: Databases come back; nothing about a job's rows is worth giving up for within an hour.
LIGHT_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=30), maximum_attempts=120
)
#: A killed worker, a full disk, a decoder crash: the first two pass, the third will not, so stop before long.
WORK_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    maximum_interval=timedelta(minutes=1),
    maximum_attempts=5,
    # Waited for apart, without a worker.
    non_retryable_error_types=[ErrorCode.VIDEO_BEING_MADE.value],
)
#: Joining parts that are gone will not bring them back: they are made again first.
JOIN_RETRY = replace(
    WORK_RETRY,
    non_retryable_error_types=[ErrorCode.OBJECT_MISSING.value, ErrorCode.VIDEO_BEING_MADE.value],
)
#: Looks at whether somebody still makes a video. Without an end of its own: whoever makes it has limits, and loses the
#: right with its process.
AWAITED_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=15))


@dataclass(frozen=True)
class ActivityLimits:
    """Time limits and retries of one activity; without ``heartbeat`` it is too short to need one."""

    start_to_close: timedelta
    retry: RetryPolicy
    heartbeat: timedelta | None = None


LIGHT = ActivityLimits(LIGHT_START_TO_CLOSE, LIGHT_RETRY, HEARTBEAT_TIMEOUT)
#: Tens of thousands of objects; an attempt that was ended goes on where it was.
REMOVAL = ActivityLimits(
    timedelta(hours=2),
    replace(LIGHT_RETRY, initial_interval=timedelta(seconds=1), maximum_attempts=500),
    HEARTBEAT_TIMEOUT,
)
AWAITED = replace(LIGHT, retry=AWAITED_RETRY)
PROBE = ActivityLimits(PROBE_START_TO_CLOSE, WORK_RETRY, HEARTBEAT_TIMEOUT)


def analysis_limits(media_us: int) -> ActivityLimits:
    """For one analyzer over ``media_us`` microseconds of media."""
    return ActivityLimits(WORK_BASE + _media(media_us) * ANALYSIS_MEDIA_FACTOR, WORK_RETRY, HEARTBEAT_TIMEOUT)


def render_limits(media_us: int) -> ActivityLimits:
    """For rendering ``media_us`` microseconds of finished video."""
    return ActivityLimits(WORK_BASE + _media(media_us) * RENDER_MEDIA_FACTOR, WORK_RETRY, HEARTBEAT_TIMEOUT)


def join_limits(media_us: int) -> ActivityLimits:
    """For joining and checking ``media_us`` microseconds of finished video."""
    return replace(render_limits(media_us), retry=JOIN_RETRY)


def _media(microseconds: int) -> timedelta:
    return timedelta(microseconds=microseconds)

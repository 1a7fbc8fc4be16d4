"""Waiting out an outage inside an activity, so that work done already is not done again."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from schemas.errors import ErrorCode, TransientError

Answer = TypeVar("Answer")

#: What passes when the database or the object store is back, or has room again.
_OUTAGES = frozenset({ErrorCode.STORE_UNAVAILABLE, ErrorCode.DISK_FULL})

#: Seconds until the first new try; doubled each time up to the longest wait.
FIRST_WAIT = 0.5
LONGEST_WAIT = 10.0

#: Seconds after which an outage is left to Temporal's retries, which free the worker's slot in between.
LONGEST_OUTAGE = 600.0

log = structlog.get_logger(__name__)


async def patiently(step: Callable[[], Awaitable[Answer]]) -> Answer:
    """``step``'s answer, tried again while a store is away; ``step`` may be done twice and the activity heartbeats.

    Raises:
        TransientError: the outage is too long.
    """
    gives_up_at = time.monotonic() + LONGEST_OUTAGE
    wait = FIRST_WAIT
    while True:
        try:
            return await step()
        except TransientError as error:
            if error.code not in _OUTAGES or time.monotonic() + wait > gives_up_at:
                raise
            log.warning("waiting for a store to come back", error=error.message, seconds=wait)
        await asyncio.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT)

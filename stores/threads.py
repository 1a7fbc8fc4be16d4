"""Blocking work off the event loop, without leaving it behind."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


async def in_thread(work: Callable[[], Result]) -> Result:
    """Runs ``work`` in a thread; a cancelled caller waits for its end first.

    ``asyncio.to_thread`` alone returns at once when cancelled while the thread goes on: it would write to a file that
    the caller is about to close and remove.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            await _ignoring_cancellation(running)
        running.cancelled() or running.exception()
        raise


async def _ignoring_cancellation(running: asyncio.Future[Result]) -> None:
    try:
        await asyncio.wait([running])
    except asyncio.CancelledError:
        # The cancellation that started the wait is raised when it is over; a second one changes nothing.
        return

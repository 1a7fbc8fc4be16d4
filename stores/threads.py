"""Blocking work off the event loop, without leaving it behind."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

Result = TypeVar("Result")


async def in_thread(work: Callable[[], Result]) -> Result:
    """Runs ``work`` in a thread; a cancelled caller waits for its end first.

    ``asyncio.to_thread`` alone returns at once when cancelled while the thread goes on: it would write to a file that
    the caller is about to close and remove.
    """
    return await ended(started(work))


def started(work: Callable[[], Result]) -> asyncio.Future[Result]:
    """``work``, which goes on in a thread while its caller does something else.

    Whoever starts it waits for its end (:func:`ended`, :func:`over`) before letting go of what it works on.
    """
    return asyncio.get_running_loop().run_in_executor(None, work)


async def ended(running: asyncio.Future[Result]) -> Result:
    """What it returns or raises; a cancelled caller waits for its end first."""
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await over(running)
        raise


async def over(running: asyncio.Future[Result]) -> None:
    """Waits for its end, whatever that is, and however often the caller is cancelled meanwhile."""
    while not running.done():
        # Whoever began to cancel goes on with it after this wait; more of it changes nothing.
        with suppress(asyncio.CancelledError):
            await asyncio.wait([running])
    # Looked at, so that asyncio does not report an error that nobody waits for any more.
    if not running.cancelled():
        running.exception()

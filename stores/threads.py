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
    running = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await _ended(running)
        raise


async def _ended(running: asyncio.Future[Result]) -> None:
    while not running.done():
        # The cancellation that started the wait is raised after it; more of them change nothing.
        with suppress(asyncio.CancelledError):
            await asyncio.wait([running])
    # Looked at, so that asyncio does not report an error that the cancellation has overtaken.
    running.exception()

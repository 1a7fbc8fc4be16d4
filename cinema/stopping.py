"""Stop requests of a process: SIGTERM from its supervisor or platform, SIGINT from a person."""

import asyncio
import signal
from typing import Any


def stop_on_signals(*numbers: signal.Signals) -> asyncio.Event:
    """An event that any of the signals sets; by default SIGTERM and SIGINT."""
    stop = asyncio.Event()
    for number in numbers or (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def ended_before(stop: asyncio.Event, work: asyncio.Task[Any]) -> bool:
    """Wait until ``work`` has ended, well or not, or until ``stop`` is set: then it is cancelled, and has ended, too.

    Returns:
        Whether it ended by itself; its result, or its error, is the caller's to ask for.
    """
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return work.done()
    finally:
        work.cancel()
        stopping.cancel()
        await asyncio.gather(work, stopping, return_exceptions=True)

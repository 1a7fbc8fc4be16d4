"""Stop requests of a service process: SIGTERM from its supervisor or platform, SIGINT from a person."""

import asyncio
import signal


def stop_on_signals(*numbers: signal.Signals) -> asyncio.Event:
    """An event that any of the signals sets; by default SIGTERM and SIGINT."""
    stop = asyncio.Event()
    for number in numbers or (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop

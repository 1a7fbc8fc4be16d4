"""Running the stack in this process until it is told to stop."""

import asyncio
import signal
from collections.abc import Callable

from cinema.settings import Settings
from cinema.stack.launch import wait_until_ready
from cinema.stack.layout import Layout
from cinema.stack.lock import StackLock, lock_holder
from cinema.stack.state import StackState
from cinema.stack.supervisor import Supervisor
from cinema.stopping import stop_on_signals

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


Announce = Callable[[StackState], None]


def run_stack(settings: Settings, on_ready: Announce, on_found: Announce) -> None:
    """Run the stack until a signal asks it to stop, or find the one that runs already.

    Raises:
        StackError: A part could not be started.
    """
    layout = Layout(settings.home)
    layout.prepare()
    while True:
        with StackLock(layout.lock) as lock:
            if lock.acquire():
                asyncio.run(_supervise(settings, on_ready))
                return
        found = wait_until_ready(settings, lambda: lock_holder(layout.lock) is not None)
        if found is not None:
            on_found(found)
            return


async def _supervise(settings: Settings, on_ready: Announce) -> None:
    await Supervisor(settings).run(stop_on_signals(*STOP_SIGNALS), on_ready)

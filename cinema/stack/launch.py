"""Finding the stack of a home folder, starting one in the background, and stopping it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from cinema.settings import Settings
from cinema.stack.errors import StackError
from cinema.stack.layout import Layout
from cinema.stack.lock import lock_holder
from cinema.stack.state import StackPhase, StackState, read_state

#: Seconds between two looks at a stack that starts or stops.
LOOK_INTERVAL = 0.1

#: Longest time an orderly stop may take, in seconds, beyond the workers' draining time.
STOP_SECONDS = 75.0


def running_stack(settings: Settings) -> StackState | None:
    """What the running stack says of itself, or ``None`` where none runs, whatever files a killed one left."""
    layout = Layout(settings.home)
    holder = lock_holder(layout.lock)
    state = read_state(layout.state)
    return state if state is not None and state.pid == holder else None


def start_detached(settings: Settings) -> StackState:
    """Have a stack that is ready: the running one, or a new one that outlives this process.

    Raises:
        StackError: It could not be started.
    """
    layout = Layout(settings.home)
    layout.prepare()
    found = wait_until_ready(settings, lambda: lock_holder(layout.lock) is not None)
    if found is not None:
        return found
    with layout.log("supervisor").open("wb") as output:
        started = subprocess.Popen(
            [sys.executable, "-m", "cinema", "up"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "CINEMA_HOME": str(settings.home)},
            start_new_session=True,
        )
    # Ending with status 0 means that it found another one.
    state = wait_until_ready(settings, lambda: started.poll() in {None, 0})
    if state is None:
        raise StackError.with_log("The stack could not be started.", layout.log("supervisor"))
    return state


def wait_until_ready(settings: Settings, somebody_starts_it: Callable[[], bool]) -> StackState | None:
    """Wait for the stack to be ready; ``None`` once nobody starts it any more.

    Raises:
        StackError: It takes longer than its parts are allowed to take.
    """
    deadline = time.monotonic() + settings.start_timeout_seconds * 2
    while time.monotonic() < deadline:
        going_on = somebody_starts_it()
        state = running_stack(settings)
        if state is not None and state.phase is StackPhase.READY:
            return state
        if not going_on:
            return None
        time.sleep(LOOK_INTERVAL)
    raise StackError.with_log("The stack did not become ready in time.", Layout(settings.home).log("supervisor"))


def stop_stack(settings: Settings) -> bool:
    """Stop the running stack in order, by force if it takes too long; ``False`` where none runs."""
    lock = Layout(settings.home).lock
    pid = lock_holder(lock)
    if pid is None:
        return False
    _signal(pid, signal.SIGTERM)
    if not _released(lock, settings.worker_drain_seconds + STOP_SECONDS):
        # Its children die with it.
        _signal(pid, signal.SIGKILL)
        if not _released(lock, STOP_SECONDS):
            raise StackError(f"The stack's process {pid} could not be stopped.")
    return True


def _released(lock: Path, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while lock_holder(lock) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_INTERVAL)
    return True


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return

"""``cinema direct``."""

import asyncio
import signal

from rich.console import Console

from cinema.connections import database, objects, temporal, with_endpoints
from cinema.directing.display import Display, JsonDisplay, LineDisplay, LiveDisplay
from cinema.directing.order import Order
from cinema.directing.report import CALLED_OFF
from cinema.directing.session import DirectSession
from cinema.settings import Settings, load_settings
from cinema.stack.launch import running_stack, start_detached
from cinema.stack.state import ChildState, Endpoints, StackPhase
from cinema.stopping import ended_before, stop_on_signals
from cinema.telemetry.process import observe_command
from cinema.telemetry.tracing import command_span


def direct(order: Order, *, as_json: bool) -> int:
    """Carry ``order`` out; the exit status says how much of it was made."""
    settings = load_settings()
    observe_command(settings, service="direct")
    display = display_for(as_json=as_json)
    try:
        endpoints = stack_for(settings, display)
        with command_span("cinema direct"):
            return asyncio.run(_direct(order, with_endpoints(settings, endpoints), display))
    except KeyboardInterrupt:
        return CALLED_OFF


def display_for(*, as_json: bool) -> Display:
    """What suits who reads it: a program, a person at a terminal, or a log."""
    if as_json:
        return JsonDisplay()
    console = Console()
    return LiveDisplay(console) if console.is_terminal else LineDisplay(console)


def stack_for(settings: Settings, display: Display) -> Endpoints:
    """Where the running stack is; one is started, and stays, if none runs."""
    state = running_stack(settings)
    if state is None or state.phase is not StackPhase.READY:
        display.say("Starting the stack…")
        state = start_detached(settings)
        display.say("It stays up for the next job; stop it with: cinema down")
    for child in state.children:
        if child.state is ChildState.FAILING:
            display.say(f"{child.name} keeps failing ({child.last_exit}); see {child.log}")
    if state.endpoints is None:
        raise AssertionError("a ready stack has endpoints")
    return state.endpoints


async def _direct(order: Order, settings: Settings, display: Display) -> int:
    interrupted = stop_on_signals()
    client = await temporal(settings)
    async with database(settings) as pool:
        session = DirectSession(settings, pool, objects(settings), client, display)
        making = asyncio.create_task(session.make(order))
        if await ended_before(interrupted, making):
            report = making.result()
            display.finish(report)
            return report.exit_status
        # From here on another Ctrl-C ends the command at once.
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
        await session.call_off()
        return CALLED_OFF

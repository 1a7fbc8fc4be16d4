"""``cinema direct``."""

import asyncio
import signal
from dataclasses import dataclass
from pathlib import Path

import typer
from pydantic import ValidationError
from rich.console import Console

from cinema.connections import database, objects, temporal, with_endpoints
from cinema.directing.display import Display, JsonDisplay, LineDisplay, LiveDisplay
from cinema.directing.footage import BadFootage, as_text, parse_footage
from cinema.directing.report import CALLED_OFF
from cinema.directing.session import DirectSession, Order
from cinema.logs import configure_logs
from cinema.settings import Settings, load_settings
from cinema.stack.launch import running_stack, start_detached
from cinema.stack.state import ChildState, Endpoints, StackPhase
from cinema.stopping import stop_on_signals
from schemas.edl import Variant
from schemas.jobs import JobRequest, Pace

#: Of a project's name, in characters.
LONGEST_TITLE = 200


@dataclass(frozen=True)
class DirectOptions:
    """The command line as it was given; ``outputs`` are variants separated by commas."""

    files: tuple[str, ...]
    outputs: str
    out: Path
    pace: Pace
    language: str | None
    title: str | None
    as_json: bool


def direct(options: DirectOptions) -> int:
    order = _order(options)
    settings = load_settings()
    configure_logs(settings, service="direct")
    display: Display = _display(as_json=options.as_json)
    try:
        endpoints = _stack(settings, display)
        return asyncio.run(_direct(order, with_endpoints(settings, endpoints), display))
    except KeyboardInterrupt:
        return CALLED_OFF


def _display(*, as_json: bool) -> Display:
    if as_json:
        return JsonDisplay()
    console = Console()
    return LiveDisplay(console) if console.is_terminal else LineDisplay(console)


def _order(options: DirectOptions) -> Order:
    """The command line, understood.

    Raises:
        typer.BadParameter: It makes no sense; nothing has been done.
    """
    try:
        footage = tuple(parse_footage(argument) for argument in options.files)
        request = JobRequest(variants=_variants(options.outputs), pace=options.pace, language=options.language)
        options.out.mkdir(parents=True, exist_ok=True)
    except BadFootage as error:
        raise typer.BadParameter(str(error), param_hint="FILE") from error
    except ValidationError as error:
        raise typer.BadParameter(
            f"{options.language!r} is no language code such as en.", param_hint="--language"
        ) from error
    except OSError as error:
        raise typer.BadParameter(f"{options.out} is no folder to write to: {error}.", param_hint="--out") from error
    title = as_text(options.title or footage[0].path.stem).strip() or footage[0].name
    return Order(footage=footage, request=request, title=title[:LONGEST_TITLE], out=options.out)


def _variants(outputs: str) -> tuple[Variant, ...]:
    names = dict.fromkeys(name.strip() for name in outputs.split(",") if name.strip())
    unknown = [name for name in names if name not in set(Variant)]
    if unknown or not names:
        known = ", ".join(Variant)
        raise typer.BadParameter(
            f"{', '.join(unknown) or 'nothing'} is no output; there are {known}.", param_hint="--outputs"
        )
    return tuple(Variant(name) for name in names)


def _stack(settings: Settings, display: Display) -> Endpoints:
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
        waiting = asyncio.create_task(interrupted.wait())
        await asyncio.wait({making, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if making.done():
            report = making.result()
            display.finish(report)
            return report.exit_status
        making.cancel()
        await asyncio.gather(making, return_exceptions=True)
        # From here on another Ctrl-C ends the command at once.
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
        await session.call_off()
        return CALLED_OFF

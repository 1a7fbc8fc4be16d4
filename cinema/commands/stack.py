"""``cinema up --detach``, ``cinema down`` and ``cinema status``: what needs no part of the stack in this process."""

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Column, Table

from cinema.settings import load_settings
from cinema.stack.health import ChildHealth, health_of
from cinema.stack.launch import running_stack, start_detached, stop_stack
from cinema.stack.state import ChildState, StackState

COLOURS = {
    ChildState.READY: "green",
    ChildState.STARTING: "yellow",
    ChildState.RESTARTING: "yellow",
    ChildState.FAILING: "red",
    ChildState.STOPPED: "dim",
}


def up_detached() -> int:
    console = Console()
    announce(console, start_detached(load_settings()))
    console.print("Stop it with [bold]cinema down[/].")
    return 0


def down() -> int:
    stopped = stop_stack(load_settings())
    Console().print("The stack has stopped." if stopped else "No stack is running.")
    return 0


def status(*, as_json: bool) -> int:
    """Exit status 0 if the stack runs, 3 if it does not (as of an LSB service)."""
    settings = load_settings()
    state = running_stack(settings)
    if state is None:
        sys.stdout.write("null\n" if as_json else f"No stack is running in {settings.home}.\n")
        return 3
    health = asyncio.run(health_of(state.children))
    if as_json:
        sys.stdout.write(json.dumps(_document(state, health), indent=2) + "\n")
    else:
        _show(Console(), state, health)
    return 0


def announce(console: Console, state: StackState, how: str = "ready") -> None:
    console.print(f"The stack is [green]{how}[/] (process {state.pid}).", highlight=False)
    _show_addresses(console, state)


def _document(state: StackState, health: Mapping[str, ChildHealth]) -> dict[str, Any]:
    document = state.model_dump(mode="json")
    for child in document["children"]:
        found = health.get(child["name"])
        child["health"] = found.model_dump(mode="json") if found is not None else None
    return document


def _show(console: Console, state: StackState, health: Mapping[str, ChildHealth]) -> None:
    title = f"Stack {state.phase}, process {state.pid}"
    whole = (Column(name, no_wrap=True) for name in ("part", "state", "health"))
    table = Table(*whole, "pid", "restarts", "last exit", "metrics", title=title)
    for child in state.children:
        coloured = f"[{COLOURS[child.state]}]{child.state}[/]"
        pid = str(child.pid) if child.pid is not None else ""
        port = f":{urlsplit(child.telemetry_url).port}" if child.telemetry_url is not None else ""
        well = _health(health.get(child.name))
        table.add_row(child.name, coloured, well, pid, str(child.restarts), child.last_exit or "", port)
    console.print(table)
    console.print(f"  {'Logs':<16} {state.children[0].log.parent}" if state.children else "", highlight=False)
    _show_addresses(console, state)


def _health(health: ChildHealth | None) -> str:
    match health:
        case None:
            return ""
        case ChildHealth(live=False):
            return "[red]no answer[/]"
        case ChildHealth(missing=()):
            return "[green]ready[/]"
        case _:
            return f"[yellow]not ready: {', '.join(health.missing)}[/]"


def _show_addresses(console: Console, state: StackState) -> None:
    if state.endpoints is None:
        return
    ends = state.endpoints
    addresses = {
        "Temporal Web UI": ends.temporal_ui_url,
        "Temporal": ends.temporal_address,
        "API": ends.api_url,
        "Payload codec": ends.codec_url,
    }
    for name, address in addresses.items():
        if address is not None:
            console.print(f"  {name:<16} {address}", highlight=False)

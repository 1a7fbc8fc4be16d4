"""``cinema up --detach``, ``cinema down`` and ``cinema status``: what needs no part of the stack in this process."""

import sys

from rich.console import Console
from rich.table import Table

from cinema.settings import load_settings
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
    if as_json:
        sys.stdout.write((state.model_dump_json(indent=2) if state is not None else "null") + "\n")
    elif state is None:
        Console().print(f"No stack is running in {settings.home}.")
    else:
        _show(Console(), state)
    return 0 if state is not None else 3


def announce(console: Console, state: StackState, how: str = "ready") -> None:
    console.print(f"The stack is [green]{how}[/] (process {state.pid}).", highlight=False)
    _show_addresses(console, state)


def _show(console: Console, state: StackState) -> None:
    title = f"Stack {state.phase}, process {state.pid}"
    table = Table("part", "state", "pid", "restarts", "last exit", title=title)
    for child in state.children:
        coloured = f"[{COLOURS[child.state]}]{child.state}[/]"
        pid = str(child.pid) if child.pid is not None else ""
        table.add_row(child.name, coloured, pid, str(child.restarts), child.last_exit or "")
    console.print(table)
    console.print(f"  {'Logs':<16} {state.children[0].log.parent}" if state.children else "", highlight=False)
    _show_addresses(console, state)


def _show_addresses(console: Console, state: StackState) -> None:
    if state.endpoints is None:
        return
    ends = state.endpoints
    addresses = {
        "Temporal Web UI": ends.temporal_ui_url,
        "Temporal": ends.temporal_address,
        "API": ends.api_url,
    }
    for name, address in addresses.items():
        if address is not None:
            console.print(f"  {name:<16} {address}", highlight=False)

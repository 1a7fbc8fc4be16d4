"""``python -m benchmarks [--only GROUP]``."""

import signal
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.frame import run_groups
from benchmarks.groups import GROUPS


def main(only: Annotated[str | None, typer.Option(help="Run this group alone.")] = None) -> None:
    """Measure, print tables, and keep the figures in benchmarks/out/."""
    if only is not None and only not in GROUPS:
        raise typer.BadParameter(f"{only} is no group; there are {', '.join(GROUPS)}.", param_hint="--only")
    # Asked to end, it stops what it started, as for Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    chosen = [GROUPS[only]] if only is not None else list(GROUPS.values())
    raise typer.Exit(1 if run_groups(chosen, Console()) else 0)


if __name__ == "__main__":
    typer.run(main)

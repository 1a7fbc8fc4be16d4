"""``python -m demo FOLDER`` makes the demo's footage, or finds it made."""

from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from rich.console import Console

from demo.footage import make_footage


def main(folder: Annotated[Path, typer.Argument(help="Where the footage is kept.")]) -> None:
    """Make talk.mp4, city.mp4, demo.mov and mic.wav, unless this version of them is already there."""
    console = Console(stderr=True)
    began = perf_counter()
    footage = make_footage(folder, report=lambda step: console.print(f"{step} ..."))
    done = f"made in {perf_counter() - began:.0f} s" if footage.made else "already made"
    console.print(f"Demo footage in {folder}: {done}.")


if __name__ == "__main__":
    typer.run(main)

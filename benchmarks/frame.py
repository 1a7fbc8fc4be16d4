"""Runs groups of measurements, keeps their figures as JSON and shows them."""

import json
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.table import Table

OUT = Path(__file__).parent / "out"

Figures = dict[str, float]


class BenchmarkError(Exception):
    """A group could not measure; the message says why."""


class IncompleteError(BenchmarkError):
    """A part of a group could not measure; ``figures`` are what the others measured."""

    def __init__(self, message: str, figures: Figures) -> None:
        super().__init__(message)
        self.figures = figures


class Group(Protocol):
    """One subject. Modules are groups: each has a ``NAME`` and a ``run`` that returns its figures."""

    @property
    def NAME(self) -> str: ...  # noqa: N802 (a constant of the module)

    def run(self) -> Figures: ...


def run_groups(groups: Sequence[Group], console: Console, out: Path = OUT) -> int:
    """Run each group, keep and show its figures; how many could not measure."""
    failed = 0
    for group in groups:
        console.print(f"Measuring {group.NAME} ...")
        figures: Figures | None = None
        try:
            figures = group.run()
        except BenchmarkError as error:
            console.print(f"{group.NAME}: {error}", style="red")
            failed += 1
            figures = error.figures if isinstance(error, IncompleteError) else None
        if figures is not None:
            write_figures(out / f"{group.NAME}.json", figures)
            console.print(table_of(group.NAME, figures))
    return failed


def write_figures(path: Path, figures: Mapping[str, float]) -> None:
    """Keep figures as one flat JSON object, names sorted, six decimals at most.

    Raises:
        BenchmarkError: A figure is no finite number.
    """
    broken = sorted(name for name, value in figures.items() if not isfinite(value))
    if broken:
        raise BenchmarkError(f"No number was measured for {', '.join(broken)}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    rounded = {name: round(float(value), 6) for name, value in figures.items()}
    path.write_text(json.dumps(rounded, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def table_of(title: str, figures: Mapping[str, float]) -> Table:
    table = Table("figure", "value", title=title, title_justify="left")
    table.columns[1].justify = "right"
    for name in sorted(figures):
        table.add_row(name, f"{figures[name]:.4g}")
    return table

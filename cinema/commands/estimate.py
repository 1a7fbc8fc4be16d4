"""``cinema estimate``: what directing footage would take."""

import asyncio
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from activities.estimating import Speeds
from activities.foretelling import Deployment, foretell, look_around
from cinema.connections import database, installed
from cinema.directing.footage import Footage
from cinema.directing.foreseeing import FileLooked, capacity_of, ground, look_at
from cinema.directing.plain_time import about, plain_time
from cinema.settings import Settings, load_settings
from cinema.stack.errors import StackError
from schemas.edl import Variant
from schemas.estimate import JobEstimate, Spread
from schemas.model import Model

#: Exit statuses: all files are in the estimate, some are, none can be used.
ALL_COUNTED, NONE_COUNTED, SOME_COUNTED = 0, 1, 3


class EstimateReport(Model):
    """What ``cinema estimate --json`` prints."""

    files: tuple[FileLooked, ...]
    estimate: JobEstimate | None


def estimate(footage: Sequence[Footage], variants: Sequence[Variant], *, as_json: bool) -> int:
    """Print the estimate; exit status 3 if some of the files cannot be used, 1 if none can."""
    report = asyncio.run(_report(load_settings(), footage, variants))
    if as_json:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    else:
        _print(Console(), report)
    if report.estimate is None:
        return NONE_COUNTED
    return SOME_COUNTED if any(file.error for file in report.files) else ALL_COUNTED


async def _report(settings: Settings, footage: Sequence[Footage], variants: Sequence[Variant]) -> EstimateReport:
    look = await look_at(settings, footage)
    told = foretell(look.usable, variants, await _deployment(settings)).estimate if look.usable else None
    return EstimateReport(files=look.files, estimate=told)


async def _deployment(settings: Settings) -> Deployment:
    """As it is, or as its settings say where nothing runs that could be asked."""
    capacity = capacity_of(settings)
    try:
        async with database(installed(settings)) as pool:
            return await look_around(pool, capacity)
    except StackError:
        return Deployment(Speeds(()), capacity)


def _print(console: Console, report: EstimateReport) -> None:
    for file in report.files:
        if file.error is not None:
            console.print(f"[red]not used[/] {escape(file.name)}: {escape(file.error.message)}", highlight=False)
        elif file.duration_s is not None:
            length = plain_time(file.duration_s)
            console.print(f"{escape(file.name)}: {file.kind}, {length}", highlight=False)
    told = report.estimate
    if told is None:
        return
    table = Table(Column("", no_wrap=True), "length", "processor time", "finished in")
    for output in told.outputs:
        table.add_row(output.variant, _cell(output.length_s), _cell(output.compute_s), _cell(output.finished_s))
    table.add_row("analysis", "", _cell(told.analysis_compute_s), "")
    table.add_section()
    table.add_row("whole job", "", _cell(told.compute_s), _cell(told.finished_s))
    console.print(table)
    if told.waiting_s.typical > 0:
        console.print(f"Of this, waiting for jobs ordered before: {about(told.waiting_s)}.", highlight=False)
    console.print(ground(told), highlight=False)


def _cell(spread: Spread) -> str:
    return f"{plain_time(spread.typical)}\n[dim]{plain_time(spread.low)} to {plain_time(spread.high)}[/]"

"""``cinema estimate``: what directing footage would take."""

import asyncio
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from activities.estimating import Capacity, Speeds
from activities.foretelling import Deployment, foretell, look_around
from analysis import guess_kind
from cinema.connections import database, installed
from cinema.directing.footage import Footage
from cinema.directing.measuring import measure
from cinema.directing.plain_time import about, plain_time
from cinema.settings import Settings, load_settings
from cinema.stack.errors import StackError
from schemas.edl import Variant
from schemas.errors import CinemaError, ErrorInfo
from schemas.estimate import JobEstimate, Spread
from schemas.media import AssetKind, MediaProbe
from schemas.model import Model
from schemas.rendering import SegmentLengths

#: Exit statuses: all files are in the estimate, some are, none can be used.
ALL_COUNTED, NONE_COUNTED, SOME_COUNTED = 0, 1, 3


class FileLooked(Model):
    """A file as the job would see it; one that cannot be used is left out of the estimate, and ``error`` says why."""

    name: str
    kind: AssetKind | None = None
    duration_s: float | None = None
    error: ErrorInfo | None = None


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
    files: list[FileLooked] = []
    usable: list[tuple[AssetKind, MediaProbe]] = []
    for file in footage:
        try:
            probe = await measure(settings, "probe", file.path, MediaProbe)
        except CinemaError as error:
            files.append(FileLooked(name=file.name, error=error.info))
            continue
        kind = file.kind or guess_kind(probe, None, file.name).kind
        usable.append((kind, probe))
        files.append(FileLooked(name=file.name, kind=kind, duration_s=probe.duration_us / 1_000_000))
    told = foretell(usable, variants, await _deployment(settings)).estimate if usable else None
    return EstimateReport(files=tuple(files), estimate=told)


async def _deployment(settings: Settings) -> Deployment:
    """As it is, or as its settings say where nothing runs that could be asked."""
    capacity = Capacity(
        settings.analysis_slots, settings.render_slots, segments=SegmentLengths(usual_s=settings.segment_seconds)
    )
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
    console.print(_ground(told), highlight=False)


def _cell(spread: Spread) -> str:
    return f"{plain_time(spread.typical)}\n[dim]{plain_time(spread.low)} to {plain_time(spread.high)}[/]"


def _ground(told: JobEstimate) -> str:
    if told.measured == 0:
        return "Nothing has been made here yet: these are the speeds of a machine with two cores."
    return f"From {told.measured} pieces of work finished here. What was analysed before is not analysed again."

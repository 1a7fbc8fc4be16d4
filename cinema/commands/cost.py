"""``cinema cost``: what a job used, attempt by attempt, and who pays for it."""

import asyncio
import sys
from collections.abc import Iterable, Mapping
from uuid import UUID

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.table import Column, Table

from cinema.connections import database, installed
from cinema.settings import load_settings
from schemas.cost import Bill, LedgerEntry, Outcome, Usage
from schemas.model import Model
from stores import Assets, Jobs, Ledger

COLOURS = {
    Outcome.RUNNING: "yellow",
    Outcome.SUCCEEDED: "green",
    Outcome.REUSED: "cyan",
    Outcome.FAILED: "red",
    Outcome.CANCELLED: "dim",
    Outcome.LOST: "red",
}


class CostReport(Model):
    """What ``cinema cost --json`` prints. ``assets`` are the names of the files that entries speak of."""

    job_id: UUID
    project_id: UUID
    owner_id: UUID
    assets: Mapping[UUID, str]
    entries: tuple[LedgerEntry, ...]
    bill: Bill


def cost(job_id: UUID, *, as_json: bool) -> int:
    report = asyncio.run(_report(job_id))
    if as_json:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    else:
        _print(Console(), report)
    return 0


async def _report(job_id: UUID) -> CostReport:
    async with database(installed(load_settings())) as pool:
        job = await Jobs(pool).get(job_id)
        entries = await Ledger(pool).of_job(job_id)
        named = {asset.id: asset.name for asset in await Assets(pool).for_project(job.project_id)}
        return CostReport(
            job_id=job.id,
            project_id=job.project_id,
            owner_id=job.owner_id,
            assets={entry.asset_id: named[entry.asset_id] for entry in entries if entry.asset_id in named},
            entries=entries,
            bill=await Ledger(pool).bill_of_job(job_id),
        )


def _print(console: Console, report: CostReport) -> None:
    if not report.entries:
        console.print("This job has used nothing: all it needed was there, or it has not begun.")
        return
    on_gpu = any(entry.usage.gpu_s > 0 for entry in report.entries)
    measures = ("clock s", "CPU s", *(("GPU s",) if on_gpu else ()), "read", "written")
    facts = (Column(name, no_wrap=True) for name in ("try", "outcome", "paid by"))
    numbers = (Column(name, justify="right", no_wrap=True) for name in measures)
    table = Table("work", *facts, *numbers, box=SIMPLE_HEAD, pad_edge=False)
    for entry in report.entries:
        outcome = f"[{COLOURS[entry.outcome]}]{entry.outcome}[/]"
        payer = "creator" if entry.charged else "us"
        cells = _cells(entry.usage, on_gpu=on_gpu)
        table.add_row(escape(_work(report, entry)), str(entry.attempt), outcome, payer, *cells)
    table.add_section()
    for name, share in (("creator", report.bill.creator), ("us", report.bill.house)):
        table.add_row("all", str(share.attempts), "", name, *_cells(share.usage, on_gpu=on_gpu))
    console.print(table)


def _work(report: CostReport, entry: LedgerEntry) -> str:
    if entry.asset_id is None:
        return f"render {entry.subject} {entry.part}".rstrip()
    return f"{entry.subject} of {report.assets.get(entry.asset_id, 'a deleted file')}"


def _cells(usage: Usage, *, on_gpu: bool) -> Iterable[str]:
    seconds = (usage.wall_s, usage.cpu_s, *((usage.gpu_s,) if on_gpu else ()))
    moved = (usage.bytes_read, usage.bytes_written)
    return (*(f"{value:.1f}" for value in seconds), *(decimal(value, precision=0) for value in moved))

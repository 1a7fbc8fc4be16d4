"""``cinema outbox``: the jobs whose workflows are not started yet, and those that were given up."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from cinema.connections import database, installed
from cinema.settings import load_settings
from schemas.model import Model
from stores import Backlog, Letter, LetterState, Outbox

#: Entries shown at most; the counts are of all.
MOST_SHOWN = 200

COLOURS = {LetterState.WAITING: "yellow", LetterState.DEAD: "red"}


class OutboxReport(Model):
    """What ``cinema outbox --json`` prints."""

    backlog: Backlog
    letters: tuple[Letter, ...]


def show(*, as_json: bool) -> int:
    report = asyncio.run(_report())
    if as_json:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    else:
        _print(Console(), report)
    return 0


def replay(job_id: UUID | None) -> int:
    """Give one dead letter, or all of them, another round; exit status 1 if the one named is none."""
    replayed = asyncio.run(_replay(None if job_id is None else [job_id]))
    for replayed_id in replayed:
        sys.stdout.write(f"job {replayed_id} waits to be started again\n")
    if replayed:
        return 0
    sys.stdout.write("Nothing was given up.\n" if job_id is None else f"The start of job {job_id} was not given up.\n")
    return 0 if job_id is None else 1


async def _report() -> OutboxReport:
    async with database(installed(load_settings())) as pool:
        outbox = Outbox(pool)
        return OutboxReport(backlog=await outbox.backlog(), letters=await outbox.letters(MOST_SHOWN))


async def _replay(job_ids: Sequence[UUID] | None) -> tuple[UUID, ...]:
    async with database(installed(load_settings())) as pool:
        return await Outbox(pool).replay(job_ids)


def _print(console: Console, report: OutboxReport) -> None:
    backlog = report.backlog
    oldest = f", the oldest for {_plain(timedelta(seconds=backlog.oldest_waiting_s))}" if backlog.waiting else ""
    console.print(f"{backlog.waiting} waiting{oldest}; {backlog.dead} given up", highlight=False)
    if not report.letters:
        return
    now = datetime.now(UTC)
    table = Table(Column("job", no_wrap=True), "state", "for", "claims", "refusals", "last error")
    for letter in report.letters:
        state = f"[{COLOURS[letter.state]}]{letter.state}[/]"
        age = _plain(now - (letter.dead_at or letter.waiting_since))
        counts = (str(letter.attempts), str(letter.refusals))
        table.add_row(str(letter.job_id), state, age, *counts, escape(letter.last_error or ""))
    console.print(table)
    unseen = backlog.waiting + backlog.dead - len(report.letters)
    if unseen > 0:
        console.print(f"and {unseen} more", highlight=False)
    if backlog.dead:
        console.print("Once mended: [bold]cinema outbox replay JOB[/], or [bold]--all[/]", highlight=False)


def _plain(age: timedelta) -> str:
    """To the second, as ``1 day, 2:03:04``."""
    return str(timedelta(seconds=round(age.total_seconds())))

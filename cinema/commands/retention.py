"""``cinema retention``: what will go when, a sweep by hand, and the schedule of the others."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from cinema.connections import database, installed, temporal
from cinema.retention_schedule import keep_retention_schedule, retention_policy
from cinema.settings import Settings, SweepInterval, load_settings
from cinema.stack.errors import StackError
from schemas.retention import RetentionStatus, SweepCounts
from stores import Retention
from workflows.contract import JOBS_QUEUE
from workflows.retention_contract import MANUAL_SWEEP_ID, RETENTION_SCHEDULE, RETENTION_SWEEP, RetentionSweepInput


def status(*, days: int, as_json: bool) -> int:
    """Print what goes within ``days``."""
    _print(asyncio.run(_status(installed(load_settings()), timedelta(days=days))), as_json=as_json)
    return 0


def dry_run(*, as_json: bool) -> int:
    """Print what a sweep would do now; nothing is changed."""
    counts = asyncio.run(_preview(installed(load_settings())))
    if as_json:
        sys.stdout.write(counts.model_dump_json(indent=2) + "\n")
    else:
        Console().print(
            f"Would remove {counts.outputs} outputs and {counts.assets} assets ({decimal(counts.bytes)}), and "
            f"{counts.analyses} analyses and {counts.segments} segments; "
            f"would tell creators of {counts.noticed} items.",
            highlight=False,
        )
    return 0


def sweep(*, as_json: bool) -> int:
    """Start a sweep, or join the one that was started by hand before, and wait for it; status 3 if it left something.

    Raises:
        StackError: Temporal does not answer.
    """
    counts = asyncio.run(_sweep(installed(load_settings())))
    if as_json:
        sys.stdout.write(counts.model_dump_json(indent=2) + "\n")
    else:
        _print_counts(Console(), counts)
    return 3 if counts.failed else 0


def schedule() -> int:
    """Bring the schedule to what the settings say.

    Raises:
        StackError: Temporal does not answer.
    """
    settings = installed(load_settings())
    asyncio.run(_schedule(settings))
    if settings.retention_sweep is SweepInterval.OFF:
        Console().print("There are no scheduled sweeps.")
    else:
        Console().print(f"Sweeps are {settings.retention_sweep}, by schedule {RETENTION_SCHEDULE}.", highlight=False)
    return 0


async def _status(settings: Settings, ahead: timedelta) -> RetentionStatus:
    async with database(settings) as pool:
        return await Retention(pool).status(retention_policy(settings), datetime.now(UTC), ahead)


async def _preview(settings: Settings) -> SweepCounts:
    async with database(settings) as pool:
        return await Retention(pool).preview(retention_policy(settings), datetime.now(UTC))


async def _sweep(settings: Settings) -> SweepCounts:
    client = await temporal(settings)
    try:
        handle = await client.start_workflow(
            RETENTION_SWEEP,
            RetentionSweepInput(policy=retention_policy(settings)),
            id=MANUAL_SWEEP_ID,
            task_queue=JOBS_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary="let go of what plans no longer keep, by hand",
            result_type=SweepCounts,
        )
        counts: SweepCounts = await handle.result()
    except (RPCError, RuntimeError) as error:
        raise StackError(f"Temporal does not answer: {error}") from error
    return counts


async def _schedule(settings: Settings) -> None:
    try:
        await keep_retention_schedule(await temporal(settings), settings)
    except TimeoutError as error:
        raise StackError("Temporal has not changed the schedule in time; run this again.") from error
    except (RPCError, RuntimeError) as error:
        raise StackError(f"Temporal does not answer: {error}") from error


def _print(found: RetentionStatus, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(found.model_dump_json(indent=2) + "\n")
        return
    console = Console()
    if found.forecasts:
        table = Table("day (UTC)", "what", "number", "size", "its creators")
        for due in found.forecasts:
            told = "have been told" if due.announced else "will be told first"
            table.add_row(f"{due.day:%Y-%m-%d}", f"{due.kind}s", str(due.items), decimal(due.size_bytes), told)
        console.print(table)
    else:
        console.print("Nothing is due.")
    if found.unused_analyses:
        console.print(f"{found.unused_analyses} analyses are of footage that nobody has any more.", highlight=False)
    if found.unfinished:
        console.print(f"{found.unfinished} items are on their way out; a sweep finishes them.", highlight=False)


def _print_counts(console: Console, counts: SweepCounts) -> None:
    console.print(
        f"Removed {counts.outputs} outputs, {counts.assets} assets, {counts.analyses} analyses and {counts.segments} "
        f"segments: "
        f"{counts.objects} objects, {decimal(counts.bytes)}.",
        highlight=False,
    )
    if counts.noticed:
        console.print(f"Told creators of {counts.noticed} items that will go.", highlight=False)
    if counts.withdrawn:
        console.print(f"Took back the dates of {counts.withdrawn} items that are kept longer now.", highlight=False)
    if counts.failed:
        console.print(f"{counts.failed} could not be removed; see the logs. The next sweep tries again.", style="red")

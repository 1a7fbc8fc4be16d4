"""An attempt's account in the ledger, with real children, however the attempt ends: also when its worker is killed."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.testing import ActivityEnvironment

from activities.accounting import KEEP_UP_INTERVAL, Account, accounted
from activities.declarations import TaskQueue
from activities.sandbox import ChildTask, SandboxLimits, run_in_child
from schemas.cost import LedgerEntry, Outcome
from schemas.errors import CinemaError
from schemas.jobs import Job
from stores import AnalysisWork, Ledger, Pool, open_pool
from tests.activities.burning_child import BURNT_BYTES, BURNT_SECONDS, Burn
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.postgres

BURN = ChildTask("tests.activities.burning_child", Burn)
LIMITS = SandboxLimits(memory_bytes=1 << 30, file_bytes=8 << 20)


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))


async def burn(then: str, folder: Path, account: Account) -> None:
    async def ignore(_: float) -> None: ...

    await run_in_child(
        BURN,
        Burn(then=then, folder=folder),
        Burn,
        limits=LIMITS,
        time_limit=timedelta(minutes=5),
        on_progress=ignore,
        account=account,
    )


def attempt(pool: Pool, work: AnalysisWork, then: str, folder: Path) -> Callable[[], Awaitable[None]]:
    """An activity that does nothing but burn."""

    @activity.defn
    async def work_it() -> None:
        ledger = Ledger(pool)
        async with accounted(ledger, await ledger.begin_analysis(work)) as account:
            await burn(then, folder, account)

    return work_it


async def only_entry(pool: Pool, job: Job) -> LedgerEntry:
    (entry,) = await Ledger(pool).of_job(job.id)
    return entry


@pytest.fixture
def work(job: Job) -> AnalysisWork:
    return AnalysisWork(job.id, uuid4(), "faces")


async def test_a_success_is_charged_with_all_that_it_used(
    pool: Pool, job: Job, work: AnalysisWork, tmp_path: Path
) -> None:
    await ActivityEnvironment().run(attempt(pool, work, "answer", tmp_path))
    entry = await only_entry(pool, job)
    assert (entry.outcome, entry.charged) == (Outcome.SUCCEEDED, True)
    assert entry.usage.cpu_s >= 3 * BURNT_SECONDS
    assert entry.usage.bytes_written >= BURNT_BYTES
    assert entry.usage.wall_s > 0
    assert entry.usage.gpu_s == 0


async def test_the_time_on_a_gpu_worker_is_counted(pool: Pool, job: Job, work: AnalysisWork, tmp_path: Path) -> None:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, task_queue=TaskQueue.ANALYSIS_GPU)
    await environment.run(attempt(pool, work, "answer", tmp_path))
    entry = await only_entry(pool, job)
    assert entry.usage.gpu_s == entry.usage.wall_s > 0


async def test_a_crash_is_ours_with_what_it_used(pool: Pool, job: Job, work: AnalysisWork, tmp_path: Path) -> None:
    with pytest.raises(CinemaError):
        await ActivityEnvironment().run(attempt(pool, work, "crash", tmp_path))
    entry = await only_entry(pool, job)
    assert (entry.outcome, entry.charged) == (Outcome.FAILED, False)
    assert entry.usage.cpu_s >= 3 * BURNT_SECONDS


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [("cancel_requested", Outcome.CANCELLED), ("worker_shutdown", Outcome.LOST), ("timed_out", Outcome.LOST)],
)
async def test_what_was_called_off_is_told_from_what_was_lost(
    pool: Pool, work: AnalysisWork, tmp_path: Path, reason: str, outcome: Outcome
) -> None:
    environment = ActivityEnvironment()
    running = asyncio.ensure_future(environment.run(attempt(pool, work, "hang", tmp_path)))
    await burnt(tmp_path)
    environment.cancel(activity.ActivityCancellationDetails(**{reason: True}))
    with pytest.raises(asyncio.CancelledError):
        await running
    (entry,) = await Ledger(pool).of_job(work.job_id)
    assert (entry.outcome, entry.charged) == (outcome, False)
    assert entry.usage.cpu_s >= 3 * BURNT_SECONDS - 0.1


async def test_a_killed_workers_attempt_is_there_with_what_was_last_known_of_it(
    pool: Pool, dsn: str, job: Job, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tests.activities.accounting_worker", dsn, str(job.id), str(tmp_path)]
    worker = subprocess.Popen(command, cwd=REPOSITORY)
    try:
        async with asyncio.timeout(120):
            while not await Ledger(pool).of_job(job.id) or (await only_entry(pool, job)).usage.cpu_s < BURNT_SECONDS:
                await asyncio.sleep(KEEP_UP_INTERVAL / 10)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    entry = await only_entry(pool, job)
    assert entry.outcome is Outcome.RUNNING
    assert entry.asset_id is not None
    await Ledger(pool).begin_analysis(AnalysisWork(job.id, entry.asset_id, entry.subject))
    lost, _ = await Ledger(pool).of_job(job.id)
    assert (lost.outcome, lost.charged, lost.usage) == (Outcome.LOST, False, entry.usage)


async def test_an_account_that_cannot_be_closed_hides_no_error_of_the_work(
    dsn: str, pool: Pool, job: Job, work: AnalysisWork
) -> None:
    async with await open_pool(dsn) as doomed:

        @activity.defn
        async def break_off() -> None:
            ledger = Ledger(doomed)
            async with accounted(ledger, await ledger.begin_analysis(work)):
                await doomed.close()
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await ActivityEnvironment().run(break_off)
    assert (await only_entry(pool, job)).outcome is Outcome.RUNNING


async def burnt(folder: Path) -> None:
    async with asyncio.timeout(120):
        while not (folder / "pid").exists():
            await asyncio.sleep(0.05)

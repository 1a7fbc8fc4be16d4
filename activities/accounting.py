"""One attempt's account: opened in the ledger when it begins, kept up while it runs, closed however it ends."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import structlog
from temporalio import activity

from activities.accelerators import GPU_QUEUES
from activities.child_process import ChildProcess, ProcessUsage
from activities.patience import patiently
from schemas.cost import Outcome, Usage
from schemas.errors import CinemaError
from stores import Ledger

#: Seconds between two notes of what an attempt has used: the most that is not known of a killed worker's.
KEEP_UP_INTERVAL = 2.0

log = structlog.get_logger(__name__)


class Account:
    """What an attempt has used so far. ``on_gpu`` says that its worker holds an accelerator for it.

    ``outcome`` is how the attempt ends if nothing goes wrong; ``media_us`` is how much it made, or made sense of, and
    ``pixel_rate`` how many pixels that took for each second.
    """

    def __init__(self, *, on_gpu: bool) -> None:
        self.outcome = Outcome.SUCCEEDED
        self.media_us: int | None = None
        self.pixel_rate: int | None = None
        self._on_gpu = on_gpu
        self._began = time.monotonic()
        self._children: list[ChildProcess] = []
        self._elsewhere = ProcessUsage()

    def watch(self, child: ChildProcess) -> None:
        """What this child uses belongs to the attempt."""
        self._children.append(child)

    def add(self, usage: ProcessUsage) -> None:
        """So much was used for the attempt by a process that works for others as well."""
        self._elsewhere = self._elsewhere.plus(usage)

    @property
    def usage(self) -> Usage:
        wall_s = time.monotonic() - self._began
        used = self._elsewhere
        for child in self._children:
            used = used.plus(child.usage)
        return Usage(
            wall_s=wall_s,
            cpu_s=used.cpu_s,
            gpu_s=wall_s if self._on_gpu else 0.0,
            bytes_read=used.bytes_read,
            bytes_written=used.bytes_written,
        )


@asynccontextmanager
async def accounted(ledger: Ledger, entry_id: int) -> AsyncIterator[Account]:
    """Keep the ledger's entry for the attempt that is the block, and close it with how the block ended.

    An entry that cannot be closed stays open and is settled with its job: the account never fails the work.
    """
    account = Account(on_gpu=activity.info().task_queue in GPU_QUEUES)
    keeping_up = asyncio.create_task(_keep_up(ledger, entry_id, account))
    try:
        yield account
    except asyncio.CancelledError:
        account.outcome = Outcome.CANCELLED if _called_off() else Outcome.LOST
        raise
    except BaseException:
        account.outcome = Outcome.FAILED
        raise
    finally:
        keeping_up.cancel()
        await _close(ledger, entry_id, account)


async def _keep_up(ledger: Ledger, entry_id: int, account: Account) -> None:
    while True:
        await asyncio.sleep(KEEP_UP_INTERVAL)
        # The next note makes up for one that could not be written.
        with suppress(CinemaError):
            await ledger.keep_up(entry_id, account.usage)


async def _close(ledger: Ledger, entry_id: int, account: Account) -> None:
    usage = account.usage
    end = partial(ledger.end, entry_id, account.outcome, usage, account.media_us, pixel_rate=account.pixel_rate)
    try:
        if account.outcome is Outcome.SUCCEEDED:
            await patiently(end)
        else:
            await end()
    except CinemaError as error:
        log.warning("what this attempt used could not be written down", error=error.message, **usage.model_dump())


def _called_off() -> bool:
    """Whether somebody called the work off, rather than its worker stopping or being given up."""
    details = activity.cancellation_details()
    return details is not None and details.cancel_requested

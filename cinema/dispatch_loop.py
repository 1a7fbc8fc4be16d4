"""Moving entries of an outbox to Temporal, through any outage of it or of the database."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, Protocol, TypeVar

import structlog

from cinema.start_failures import Outage
from schemas.errors import TransientError

#: Entries claimed at once, and how long nobody else gets them: far longer than starting them takes.
BATCH = 20
LEASE = timedelta(seconds=20)

#: Entries claimed while Temporal is away: one shows that it is back, and all others stay ready to be claimed.
PROBE = 1

#: Longest wait for one answer of Temporal.
START_TIMEOUT = timedelta(seconds=2)

#: Longest sleep without a look at the outbox, in case a notification was lost.
LONGEST_SLEEP = timedelta(seconds=5)

#: Wait before the database is tried again after it could not be reached.
DATABASE_PAUSE_SECONDS = 1.0

Entry = TypeVar("Entry")
Claimed_co = TypeVar("Claimed_co", covariant=True)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class TemporalAway:
    """An entry could not be started through no fault of its own."""

    error: Exception


class Claimable(Protocol[Claimed_co]):
    """An outbox as its dispatcher uses it."""

    async def claim(self, limit: int, lease: timedelta) -> Sequence[Claimed_co]: ...

    async def wait(self, longest: timedelta) -> bool: ...


class DispatchLoop(ABC, Generic[Entry]):
    """Starts what is due, at least once each; Temporal makes it exactly once. Any number may run."""

    def __init__(self, outbox: Claimable[Entry], lease: timedelta) -> None:
        self._claimable = outbox
        self._lease = lease
        self._outage = Outage()

    @abstractmethod
    async def _dispatch(self, entry: Entry) -> TemporalAway | None:
        """Start one entry. Whatever is wrong with it must not keep the others waiting; only an outage is told."""

    async def run(self) -> None:
        """Dispatch until cancelled."""
        while True:
            try:
                found = await self.dispatch_due()
                if self._outage.lasts:
                    await asyncio.sleep(self._outage.pause)
                elif not found:
                    await self._claimable.wait(LONGEST_SLEEP)
            except TransientError as error:
                log.warning("the outbox cannot be read", outbox=type(self._claimable).__name__, error=error.message)
                await asyncio.sleep(DATABASE_PAUSE_SECONDS)

    async def dispatch_due(self) -> int:
        """Start what is due, and return how many entries that were; one at most while Temporal is away.

        Raises:
            TransientError: the database cannot be reached; what was claimed comes back when its lease ends.
        """
        entries = await self._claimable.claim(PROBE if self._outage.lasts else BATCH, self._lease)
        # Every entry is tried before the first error is raised.
        answers = await asyncio.gather(*(self._dispatch(entry) for entry in entries), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        away = next((answer for answer in answers if isinstance(answer, TemporalAway)), None)
        if away is not None:
            self._outage.noticed(away.error)
        elif entries:
            self._outage.over()
        return len(entries)

"""Asking again, a bounded number of times, after pauses that grow and differ."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from schemas.errors import ErrorCode, TransientError

Result = TypeVar("Result")


class PassingTrouble(TransientError):
    """A store's moment of weakness: the same request, sent again, may well be answered.

    ``pause_s`` are the seconds that the store asked us to wait, if it did.
    """

    def __init__(self, message: str, *, pause_s: float | None = None) -> None:
        super().__init__(ErrorCode.STORE_UNAVAILABLE, message)
        self.pause_s = pause_s


@dataclass(frozen=True)
class Backoff:
    """How often something is tried in all, and the seconds of the first and the longest pause.

    A pause is drawn evenly from zero to a ceiling that doubles ("full jitter"), so that many who were cut off together
    do not come back together.
    """

    attempts: int = 6
    first_s: float = 0.25
    longest_s: float = 8.0

    def pause_s(self, failures: int) -> float:
        ceiling = min(self.longest_s, self.first_s * 2.0 ** (failures - 1))
        return random.uniform(0, ceiling)  # noqa: S311 (spreads load)


class Attempts:
    """Counts the failures of one piece of work since it last got anywhere."""

    def __init__(self, backoff: Backoff) -> None:
        self._backoff = backoff
        self._failures = 0

    def pause_after(self, trouble: PassingTrouble) -> float:
        """Seconds to wait before the next attempt.

        Raises:
            PassingTrouble: the given one, as there is no attempt left.
        """
        self._failures += 1
        if self._failures >= self._backoff.attempts:
            raise trouble
        asked = min(trouble.pause_s or 0.0, self._backoff.longest_s)
        return max(asked, self._backoff.pause_s(self._failures))

    def progressed(self) -> None:
        """The work got further than before: it may fail as often as at its start."""
        self._failures = 0


async def persistently(step: Callable[[], Awaitable[Result]], backoff: Backoff) -> Result:
    """The result of ``step``, taken again after each :class:`PassingTrouble` while there are attempts left."""
    attempts = Attempts(backoff)
    while True:
        try:
            return await step()
        except PassingTrouble as trouble:
            pause = attempts.pause_after(trouble)
        await asyncio.sleep(pause)

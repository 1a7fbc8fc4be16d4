"""Moving windows: so many requests within any stretch of so long, counted here or in a store that processes share."""

import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog
from limits import RateLimitItemPerSecond
from limits.aio.storage import Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError
from limits.storage import storage_from_string

#: Callers remembered in one process; beyond, those who were away longest are forgotten first.
MOST_CALLERS: Final = 50_000
#: Shared stores that are away are told of no oftener.
WARN_EVERY_S: Final = 60.0
NAMESPACE: Final = "cinema"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """``reset_s``: until the next request is granted where this was not, else until the window is whole again."""

    granted: bool
    remaining: int
    reset_s: float


class Windows(Protocol):
    """Where requests are counted."""

    async def take(self, key: str, limit: int, window_s: int) -> Taken:
        """Counts one request, if ``limit`` within ``window_s`` seconds is not used up yet."""


@dataclass(slots=True)
class _Window:
    ends_at: float = 0.0
    hits: deque[float] = field(default_factory=deque)


class LocalWindows:
    """In this process alone.

    Not the library's: on each request it looks through every caller's window, each in a thread.
    """

    def __init__(self) -> None:
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    async def take(self, key: str, limit: int, window_s: int) -> Taken:
        now = time.monotonic()
        self._forget(now)
        window = self._windows.setdefault(key, _Window())
        self._windows.move_to_end(key)
        hits = window.hits
        while hits and hits[0] <= now - window_s:
            hits.popleft()
        if len(hits) >= limit:
            return Taken(granted=False, remaining=0, reset_s=hits[0] + window_s - now)
        hits.append(now)
        window.ends_at = now + window_s
        return Taken(granted=True, remaining=limit - len(hits), reset_s=window_s)

    def _forget(self, now: float) -> None:
        """Two at most, so that no request pays for many and there are still fewer each time."""
        for _ in range(2):
            oldest = next(iter(self._windows), None)
            if oldest is None:
                return
            if self._windows[oldest].ends_at > now and len(self._windows) <= MOST_CALLERS:
                return
            del self._windows[oldest]


class SharedWindows:
    """In a store that several processes share; while it is away, each counts for itself."""

    def __init__(self, storage_uri: str) -> None:
        """``storage_uri``: ``redis://`` and its kin; raises ``limits.errors.ConfigurationError`` for no such store."""
        storage = storage_from_string(f"async+{storage_uri}", implementation="redispy", wrap_exceptions=True)
        assert isinstance(storage, Storage)
        self._limiter = MovingWindowRateLimiter(storage)
        self._meanwhile = LocalWindows()
        self._warned_at: float | None = None

    async def take(self, key: str, limit: int, window_s: int) -> Taken:
        item = RateLimitItemPerSecond(limit, window_s, NAMESPACE)
        try:
            granted = await self._limiter.hit(item, key)
            stats = await self._limiter.get_window_stats(item, key)
        except StorageError as error:
            self._warn(error)
            return await self._meanwhile.take(key, limit, window_s)
        return Taken(granted, max(0, stats.remaining), max(1.0, stats.reset_time - time.time()))

    def _warn(self, error: StorageError) -> None:
        now = time.monotonic()
        if self._warned_at is None or now - self._warned_at > WARN_EVERY_S:
            self._warned_at = now
            log.warning("rates are counted by each process, as their store is away", error=str(error))

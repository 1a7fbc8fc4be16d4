"""Progress of one render whose parts are made side by side, and the end of all parts when one of them fails."""

from collections.abc import Mapping
from threading import Event, Lock
from time import monotonic

from schemas.progress import ProgressCallback

_PROGRESS_STEP_S = 0.25


class Stopped(Exception):
    """Another part of the same render failed, so that this one is no longer wanted."""


class Steps:
    """Adds up what each part has done, and passes the whole on, rising, a few times a second.

    Parts may report from threads of their own; the callback is called by one of them at a time.
    """

    def __init__(self, callback: ProgressCallback, shares: Mapping[str, float]) -> None:
        self._callback = callback
        self._shares = shares
        self._done = dict.fromkeys(shares, 0.0)
        self._stopped = Event()
        self._lock = Lock()
        self._last = -1.0
        self._said_at = float("-inf")

    def part(self, name: str) -> ProgressCallback:
        """What one part reports to: from nothing to 1. It raises ``Stopped`` where the part should end."""

        def report(done: float, /) -> None:
            if self._stopped.is_set():
                raise Stopped
            with self._lock:
                self._done[name] = min(1.0, max(self._done[name], done))
                self._say(sum(self._shares[part] * share for part, share in self._done.items()))

        return report

    def stop(self) -> None:
        """Make every part end at its next report."""
        self._stopped.set()

    def say(self, done: float) -> None:
        with self._lock:
            self._say(done)

    def _say(self, done: float) -> None:
        now = monotonic()
        if done > self._last and (done >= 1 or now - self._said_at >= _PROGRESS_STEP_S):
            self._last, self._said_at = done, now
            self._callback(done)

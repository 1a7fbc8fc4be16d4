"""How long-running work says how far it is."""

from typing import Protocol


class ProgressCallback(Protocol):
    """Called with the share done, 0 to 1 and never falling, at most a few times a second."""

    def __call__(self, done: float, /) -> None: ...


def ignore_progress(done: float, /) -> None:
    """For callers that do not follow along."""

"""A word as a recogniser places it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TimedWord:
    """A word at ``[start, end)``, in frames of 10 ms."""

    start: int
    end: int
    text: str
    probability: float

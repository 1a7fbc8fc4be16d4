"""A child that goes no further than a test lets it, so that it is met in that place on however busy a machine."""

import time
from pathlib import Path

#: Seconds between two looks at whether it may go on.
LOOK_INTERVAL = 0.02


def hold(log: Path, steps: int) -> None:
    """Whoever writes to ``log`` waits once it has written more than so many lines of what it does."""
    _held(log).write_text(str(steps), encoding="utf-8")


def let_go(log: Path) -> None:
    _held(log).unlink()


def wait_for_leave(log: Path, steps: int) -> None:
    """For the child: until it may do what it wrote down as its step of this number, counted from 1."""
    while steps > _allowed(log, steps):
        time.sleep(LOOK_INTERVAL)


def _allowed(log: Path, otherwise: int) -> int:
    try:
        return int(_held(log).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return otherwise


def _held(log: Path) -> Path:
    return log.with_name(f"{log.name}.held")

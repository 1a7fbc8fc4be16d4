"""Faults that a test arms and a process of the stack meets: one small file each, taken by whoever meets it first.

A test and the stack's processes share nothing but the home folder, and a process may be killed by the very fault it
meets. So a fault is a file, and taking it is removing it, which only one process can do.
"""

import os
import signal
from enum import StrEnum
from pathlib import Path
from uuid import uuid4

from schemas.model import Model

FOLDER = "faults"


class Point(StrEnum):
    """Where a fault is met."""

    PUT = "put"
    GET = "get"
    RANGE = "range"
    DISPATCHER_BEFORE_START = "dispatcher_before_start"
    DISPATCHER_AFTER_START = "dispatcher_after_start"


class Kind(StrEnum):
    """What happens there. ``HALF`` breaks off in the midst, ``HALF_KEPT`` leaves half, ``HALF_ACCEPTED`` lies."""

    ERROR = "error"
    GONE = "gone"
    TIMEOUT = "timeout"
    HALF = "half"
    HALF_KEPT = "half_kept"
    HALF_ACCEPTED = "half_accepted"
    ANSWER_LOST = "answer_lost"
    DISK_FULL = "disk_full"
    SLOW = "slow"
    KILL = "kill"
    KILL_HALFWAY = "kill_halfway"
    KILL_AFTER = "kill_after"
    STOP_HALFWAY = "stop_halfway"


class Fault(Model):
    """``ending`` is that of the object's key, where the fault is the object store's."""

    point: Point
    kind: Kind
    ending: str = ""


class FaultPlan:
    """The faults armed in one home folder."""

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER

    def arm(self, point: Point, kind: Kind, ending: str = "", *, times: int = 1) -> None:
        self._folder.mkdir(exist_ok=True)
        fault = Fault(point=point, kind=kind, ending=ending)
        for _ in range(times):
            draft = self._folder / f".{uuid4().hex}"
            draft.write_text(fault.model_dump_json())
            draft.rename(self._folder / f"{uuid4().hex}.json")

    def take(self, point: Point, key: str = "") -> Kind | None:
        """What happens at this point now, if anything; it happens once."""
        for path in sorted(self._folder.glob("*.json")):
            try:
                fault = Fault.model_validate_json(path.read_bytes())
                if fault.point is point and key.endswith(fault.ending):
                    path.unlink()
                    return fault.kind
            except FileNotFoundError:
                continue
        return None

    @property
    def armed(self) -> int:
        """How many faults nobody has met yet."""
        return len(list(self._folder.glob("*.json")))


def die() -> None:
    """End this process as ``kill -9`` does."""
    os.kill(os.getpid(), signal.SIGKILL)

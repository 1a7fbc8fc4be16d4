"""What work used, attempt by attempt, and who pays for it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from annotated_types import Ge, Gt

from schemas.model import Model
from schemas.timebase import Microseconds

Seconds = Annotated[float, Ge(0)]
Bytes = Annotated[int, Ge(0)]


class WorkKind(StrEnum):
    ANALYSIS = "analysis"
    RENDER = "render"


class Outcome(StrEnum):
    """How an attempt ended. ``lost``: its worker died or gave it back; ``reused``: there was nothing left to make."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    REUSED = "reused"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


class Usage(Model):
    """What was used.

    ``cpu_s`` is user and system time of a child process and all its children; ``gpu_s`` is the time that a worker with
    an accelerator was held, and 0 elsewhere; bytes are those of system calls, whether or not they reached a disk.
    """

    wall_s: Seconds = 0.0
    cpu_s: Seconds = 0.0
    gpu_s: Seconds = 0.0
    bytes_read: Bytes = 0
    bytes_written: Bytes = 0

    def plus(self, other: Self) -> Self:
        names = type(self).model_fields
        return type(self)(**{name: getattr(self, name) + getattr(other, name) for name in names})


class LedgerEntry(Model):
    """One attempt. ``subject`` is an analyzer or a variant; ``media_us`` of source analysed or of video rendered.

    ``part`` is empty, or names the part of an output that is rendered in parts: ``sound``, ``segment N``, ``join``.

    ``charged`` says that the creator pays for it; what is not charged is ours.
    """

    job_id: UUID
    kind: WorkKind
    subject: str
    output_id: UUID | None
    asset_id: UUID | None
    part: str = ""
    attempt: Annotated[int, Gt(0)]
    outcome: Outcome
    charged: bool
    media_us: Microseconds | None
    usage: Usage
    started_at: datetime
    ended_at: datetime | None


class Share(Model):
    """One side's part of a bill."""

    attempts: Annotated[int, Ge(0)] = 0
    usage: Usage = Usage()


class Bill(Model):
    """What the creator is charged for, and what we carry: what failed, was lost, called off or reused."""

    creator: Share = Share()
    house: Share = Share()


class MeasuredWork(Model):
    """A successful attempt as a measure of speed; ``step`` is the kind of part it was at, if it was at one.

    ``pixel_rate`` is how many pixels it decoded and encoded for each second of media, where that is known.
    """

    kind: WorkKind
    subject: str
    step: str = ""
    media_us: Annotated[int, Gt(0)]
    pixel_rate: Annotated[int, Gt(0)] | None = None
    wall_s: Seconds
    cpu_s: Seconds

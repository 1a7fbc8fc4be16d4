"""The parts that a long output is rendered in, as they are kept."""

from typing import Annotated

from annotated_types import Gt

from schemas.delivery import Correction, StageTime
from schemas.hardware import RenderPath
from schemas.model import Model


class SegmentReport(Model):
    """What the render of a part had to say: ``notes`` are sentences for the creator (fallbacks taken)."""

    notes: tuple[str, ...] = ()
    stages: tuple[StageTime, ...] = ()
    corrections: tuple[Correction, ...] = ()
    path: RenderPath = RenderPath()


class StoredSegment(Model):
    """A part in bucket ``outputs``: the picture of a stretch of an edit, or the whole of its sound."""

    key: str
    object_key: str
    size_bytes: Annotated[int, Gt(0)]
    sha256: str
    report: SegmentReport

"""What was measured on a finished file, against which limit."""

from collections.abc import Iterable
from typing import Annotated, Self

from annotated_types import Ge, Gt

from schemas.hardware import RenderPath
from schemas.model import Model


class DeliveryCheck(Model):
    """One property of the delivered file. A ``hard`` check that did not pass keeps the output from being published.

    ``measured`` and ``limit`` are for people; ``unit`` is theirs ("" where there is none).
    """

    name: str
    measured: str
    limit: str
    unit: str = ""
    passed: bool
    hard: bool = True


class StageTime(Model):
    stage: str
    seconds: Annotated[float, Ge(0)]


class Correction(Model):
    """What missed a limit when it was first measured and was put right; ``before`` and ``after`` are for people."""

    name: str
    before: str
    after: str


class RenderMetrics(Model):
    """The creator's dashboard numbers of one output (EDITING: "metrics stored with each output")."""

    duration_s: Annotated[float, Gt(0)]
    cuts_per_minute: Annotated[float, Ge(0)]
    mean_shot_s: Annotated[float, Ge(0)]
    b_roll_share: Annotated[float, Ge(0)]
    words_per_minute: Annotated[float, Ge(0)]
    removed_s: Annotated[float, Ge(0)]
    integrated_lufs: float | None
    true_peak_dbtp: float | None
    stages: tuple[StageTime, ...] = ()


class PictureOrigin(Model):
    """How the pictures got into the file: frames copied from the source packet by packet, and frames encoded.

    ``why_encoded`` says why none was copied, as the end of a sentence; it is empty where some were.
    """

    copied_frames: Annotated[int, Ge(0)]
    encoded_frames: Annotated[int, Ge(0)]
    why_encoded: str = ""


class DeliveryReport(Model):
    """Every check made by decoding the finished file again, what was done to get there, and the metrics.

    ``frames`` and ``samples`` were counted by decoding; ``notes`` are sentences for the creator (fallbacks taken).
    ``reused`` says that the video was there: it was rendered, and took the times of ``metrics``, for another output of
    which picture and sound are the same.
    """

    engine: str
    frames: Annotated[int, Gt(0)]
    samples: Annotated[int, Ge(0)]
    checks: tuple[DeliveryCheck, ...]
    metrics: RenderMetrics
    corrections: tuple[Correction, ...] = ()
    path: RenderPath = RenderPath()
    picture: PictureOrigin | None = None
    notes: tuple[str, ...] = ()
    reused: bool = False

    def with_review(self, review: Iterable[DeliveryCheck]) -> Self:
        """The same report, also saying how the edit itself was found to be; what it said of that before is replaced."""
        rows = tuple(review)
        named = {row.name for row in rows}
        kept = tuple(check for check in self.checks if check.name not in named)
        return self.model_copy(update={"checks": (*kept, *rows)})

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks if check.hard)

"""Which of the faces in the picture is the one that speaks: the one whose mouth moves while there is voice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from analysis.detectors import Box
from schemas.facts import Span

#: The mouth in shares of a face's box: left, top, right, bottom.
MOUTH = (0.22, 0.62, 0.78, 0.98)
#: How long before and after a moment a mouth is watched: syllables come some four a second, turns change within one.
REACH_US = 750_000
#: A mouth that speaks moves by this much at least, in code values a frame; a frozen picture does not.
MIN_MOTION = 0.25
#: Faces are compared by how much more their mouths move than at rest: in this share of the time they are thought to be
#: at rest, and moving by this much at least, which is noise.
REST_PERCENTILE = 20
MIN_REST = 0.5
#: Breaks in speaking up to this long are part of it; what is shorter than the second is none.
MAX_BREAK_US = 500_000
MIN_SPEAKING_US = 500_000

Plane = NDArray[np.uint8]


@dataclass(frozen=True)
class Mouth:
    """How a mouth moved in the step that begins at ``at_us``, in code values a frame."""

    at_us: int
    motion: float


def mouth_motion(before: Plane, after: Plane, face: Box) -> float:
    """How much the mouth changed from one luma plane to the next, in code values."""
    height, width = before.shape
    columns = slice(*(int((face.left + share * face.width) * width) for share in MOUTH[::2]))
    rows = slice(*(int((face.top + share * face.height) * height) for share in MOUTH[1::2]))
    mouth = before[rows, columns]
    return float(cv2.norm(mouth, after[rows, columns], cv2.NORM_L1)) / mouth.size if mouth.size else 0.0


def who_speaks(faces: Sequence[Sequence[Mouth]], speech: Sequence[Span], step_us: int) -> list[tuple[Span, ...]]:
    """When each face speaks: while there is speech, at most one at a time, the one whose mouth moves most.

    Args:
        faces: the mouths of each track, in order of time.
        speech: where there is voice.
        step_us: the usual time from one sample of a mouth to the next.
    """
    at_once: dict[int, list[tuple[float, float, int]]] = {}
    for number, mouths in enumerate(faces):
        smooth = _smoothed(mouths)
        rest = max(MIN_REST, float(np.percentile(smooth, REST_PERCENTILE))) if smooth else MIN_REST
        for mouth, motion in zip(mouths, smooth, strict=True):
            at_once.setdefault(mouth.at_us, []).append((motion / rest, motion, number))
    spoken: list[list[Span]] = [[] for _ in faces]
    for at_us, seen in sorted(at_once.items()):
        _, motion, number = max(seen)
        if motion >= MIN_MOTION:
            spoken[number] += _within(speech, at_us, at_us + step_us)
    return [tuple(_joined(spans)) for spans in spoken]


def _smoothed(mouths: Sequence[Mouth]) -> list[float]:
    times = np.array([mouth.at_us for mouth in mouths], np.int64)
    sums = np.concatenate(([0.0], np.cumsum([mouth.motion for mouth in mouths])))
    first, last = np.searchsorted(times, times - REACH_US), np.searchsorted(times, times + REACH_US, "right")
    return [float(value) for value in (sums[last] - sums[first]) / (last - first)]


def _within(speech: Sequence[Span], start_us: int, end_us: int) -> Iterable[Span]:
    for span in speech:
        start, end = max(start_us, span.start_us), min(end_us, span.end_us)
        if start < end:
            yield Span(start_us=start, end_us=end)


def _joined(spans: Sequence[Span]) -> Iterable[Span]:
    runs: list[Span] = []
    for span in spans:
        if runs and span.start_us - runs[-1].end_us <= MAX_BREAK_US:
            runs[-1] = Span(start_us=runs[-1].start_us, end_us=span.end_us)
        else:
            runs.append(span)
    return (run for run in runs if run.duration_us >= MIN_SPEAKING_US)

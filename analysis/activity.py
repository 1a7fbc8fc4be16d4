"""What happens on a screen recording: which parts change, and where the pointer goes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from analysis.observing import Observed, joined, rows_in, table
from analysis.parts import Parts
from analysis.planes import Plane
from analysis.viewing import View
from schemas.facts import Activity, ChangedRegion, PointerSample, Region, Shots, Span
from schemas.model import Model

STEP_US = 500_000
#: A pixel of the fine view has changed when its luma moved by more than this: above what compression does to text.
CHANGED = 14
#: Changes this near to each other, in pixels of the fine view, are one region.
NEAR = 9
#: Smallest changed area that is told, and how many regions at most of one step: the largest.
MIN_PIXELS = 6
MOST_REGIONS = 4
#: The pointer at its largest, in shares of the picture's sides; it moves at least and at most this far between frames.
POINTER_SIZE = 0.06
POINTER_MOVES = (0.004, 0.25)

Mask = NDArray[np.uint8]


class ActivityParameters(Model):
    """Nothing to choose."""


@dataclass(frozen=True)
class _Blob:
    """A connected changed area, in shares of the picture; ``pixels`` that changed in it."""

    left: float
    top: float
    width: float
    height: float
    x: float
    y: float
    pixels: int


class ActivityAnalysis:
    """Compares each frame with the one before, and gathers what changed in each step."""

    def __init__(self, parts: Parts | None = None) -> None:
        self.parts = parts or Parts()

    def begin(self) -> "_Watch":
        return _Watch()

    def finish(self, observed: Sequence[Observed], _: Shots) -> Activity:
        changes = (
            ChangedRegion(
                start_us=int(at_us),
                end_us=int(at_us) + STEP_US,
                region=Region(left=left, top=top, width=width, height=height),
                share=share,
            )
            for at_us, left, top, width, height, share in joined(observed, "changes").tolist()
        )
        pointer = [PointerSample(at_us=int(at_us), x=x, y=y) for at_us, x, y in joined(observed, "pointer").tolist()]
        return Activity(step_us=STEP_US, changes=tuple(changes), pointer=tuple(_moving(pointer)))


class _Watch:
    def __init__(self) -> None:
        self._before: Plane | None = None
        self._before_us = 0
        self._last_change: Mask | None = None
        self._gathered: Mask | None = None
        self._step = 0
        self._changes: list[tuple[float, ...]] = []
        self._pointer: list[tuple[float, ...]] = []

    def process_frame(self, view: View) -> None:
        if self._before is not None:
            if view.at_us // STEP_US != self._step:
                self._settle(view.at_us // STEP_US)
            changed = np.asarray(cv2.absdiff(view.fine, self._before) > CHANGED, np.uint8)
            if self._last_change is not None:
                self._follow_pointer(changed & self._last_change)
            self._gathered = changed if self._gathered is None else self._gathered | changed
            self._last_change = changed
        self._before, self._before_us = view.fine, view.at_us

    def observed(self, stretch: Span) -> Observed:
        self._settle(self._step + 1)
        tables = {"changes": table(self._changes, 6), "pointer": table(self._pointer, 3)}
        return Observed(stretch=stretch, tables={name: rows_in(rows, stretch) for name, rows in tables.items()})

    def _settle(self, next_step: int) -> None:
        if self._gathered is not None and self._gathered.any():
            blobs = sorted(_blobs(self._gathered, near=NEAR), key=lambda blob: -blob.pixels)[:MOST_REGIONS]
            for blob in blobs:
                share = round(blob.pixels / self._gathered.size, 6)
                self._changes.append((self._step * STEP_US, blob.left, blob.top, blob.width, blob.height, share))
        self._gathered, self._step = None, next_step

    def _follow_pointer(self, both: Mask) -> None:
        """What changed both before and after the frame before was there in that frame alone: it moved through."""
        blobs = [blob for blob in _blobs(both, near=1) if max(blob.width, blob.height) <= POINTER_SIZE]
        if len(blobs) == 1:
            self._pointer.append((self._before_us, blobs[0].x, blobs[0].y))


def _blobs(mask: Mask, *, near: int) -> Iterator[_Blob]:
    """The connected areas of a mask once what lies ``near`` is joined; the smallest are left out."""
    height, width = mask.shape
    joined = cv2.dilate(mask, np.ones((near, near), np.uint8)) if near > 1 else mask
    count, labels = cv2.connectedComponents(joined)
    for label in range(1, min(count, 256)):
        rows, columns = np.nonzero((labels == label) & (mask > 0))
        if len(rows) < MIN_PIXELS:
            continue
        left, top = int(columns.min()), int(rows.min())
        right, bottom = int(columns.max()) + 1, int(rows.max()) + 1
        yield _Blob(
            left=left / width,
            top=top / height,
            width=(right - left) / width,
            height=(bottom - top) / height,
            x=round((float(columns.mean()) + 0.5) / width, 5),
            y=round((float(rows.mean()) + 0.5) / height, 5),
            pixels=len(rows),
        )


def _moving(samples: list[PointerSample]) -> Iterator[PointerSample]:
    """Samples that are a move away from the one before or after: a caret blinks in its place."""
    for position, sample in enumerate(samples):
        neighbours = samples[max(0, position - 1) : position] + samples[position + 1 : position + 2]
        near_in_time = [one for one in neighbours if abs(one.at_us - sample.at_us) <= STEP_US]
        moves = [float(np.hypot(one.x - sample.x, one.y - sample.y)) for one in near_in_time]
        if any(POINTER_MOVES[0] <= move <= POINTER_MOVES[1] for move in moves):
            yield sample

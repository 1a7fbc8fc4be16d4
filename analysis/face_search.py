"""The search of sampled frames for faces, by far the dearest step of following them, so that none is searched twice."""

from collections.abc import Callable, Sequence

from analysis.detectors import Box, Detector
from analysis.parts import Parts
from analysis.planes import Picture
from analysis.viewing import View
from schemas.model import Model

#: Frames searched and faces found in them, together, that make a part: some ten minutes of one speaker.
SIGHTINGS_IN_PART = 2000


class SearchedFrame(Model):
    """The faces of one frame."""

    at_us: int
    boxes: tuple[Box, ...]


class SearchedPart(Model):
    """Frames searched one after the other."""

    frames: tuple[SearchedFrame, ...]


class FaceSearch:
    """Searches frames for faces, those of the parts that are kept already excepted."""

    def __init__(self, detector: Detector, parts: Parts) -> None:
        self._detector = detector
        self._parts = parts
        self._known = {frame.at_us: frame.boxes for part in parts.found(SearchedPart) for frame in part.frames}
        self._new: list[SearchedFrame] = []
        self._sightings = 0

    def boxes(self, view: View, enough: Callable[[Sequence[Box]], bool]) -> tuple[Box, ...]:
        """The faces in a frame, found now or by an earlier attempt.

        The small picture is searched first; the large one, which costs four times as much, only where what was found
        is not enough.
        """
        known = self._known.pop(view.at_us, None)
        return self._searched(view, enough) if known is None else known

    def _searched(self, view: View, enough: Callable[[Sequence[Box]], bool]) -> tuple[Box, ...]:
        boxes = self._in(view.small)
        if not enough(boxes):
            boxes = self._in(view.large)
        self._new.append(SearchedFrame(at_us=view.at_us, boxes=boxes))
        self._sightings += 1 + len(boxes)
        if self._sightings >= SIGHTINGS_IN_PART:
            self._parts.keep(SearchedPart(frames=tuple(self._new)))
            self._new, self._sightings = [], 0
        return boxes

    def _in(self, picture: Picture) -> tuple[Box, ...]:
        return tuple(self._detector.detect(picture))

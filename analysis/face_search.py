"""The search of sampled frames for faces, by far the dearest step of following them, so that none is searched twice."""

from analysis.detectors import Box, Detector
from analysis.parts import Parts
from analysis.viewing import View
from schemas.model import Model

#: Frames searched and faces found in them, together, that make a part: some four minutes of one speaker.
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

    def boxes(self, view: View) -> tuple[Box, ...]:
        """The faces in a frame, found now or by an earlier attempt."""
        known = self._known.pop(view.at_us, None)
        return self._searched(view) if known is None else known

    def _searched(self, view: View) -> tuple[Box, ...]:
        boxes = tuple(self._detector.detect(view.large))
        self._new.append(SearchedFrame(at_us=view.at_us, boxes=boxes))
        self._sightings += 1 + len(boxes)
        if self._sightings >= SIGHTINGS_IN_PART:
            self._parts.keep(SearchedPart(frames=tuple(self._new)))
            self._new, self._sightings = [], 0
        return boxes

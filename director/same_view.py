"""Whether a cut goes to a shot that is framed as the one before was, as between two takes in front of one camera."""

from bisect import bisect_left

from director.material import Footage
from director.scenes import look_alike, look_of
from director.script import Stretch
from director.style import SCENE_OPENING_US, VISIBLE_RESIZE
from schemas.facts import FaceSample


def same_view(before: Stretch, after: Stretch) -> bool:
    """Whether two shots have the same shape, light and colour, and a face of the same size in the same place.

    A viewer takes a cut between them for a jump, whether one recording or two.
    """
    if _shape(before.footage) != _shape(after.footage):
        return False
    looks = look_of(before.footage, before.end - 1), look_of(after.footage, after.start)
    if not look_alike(*looks):
        return False
    last, first = _last_face(before), _first_face(after)
    return last is not None and first is not None and _in_one_place(last, first)


def _shape(footage: Footage) -> float | None:
    video = footage.source.video
    return video.display_width / video.display_height if video else None


def _last_face(stretch: Stretch) -> FaceSample | None:
    """Of the last sample near the end of a stretch, the face that is seen largest and longest."""
    footage = stretch.footage
    at = bisect_left(footage.faces, stretch.end, key=lambda seen: seen.frame) - 1
    begin = max(stretch.start, stretch.end - footage.clock.length(SCENE_OPENING_US))
    return _face_at(footage, footage.faces[at].frame) if at >= 0 and footage.faces[at].frame >= begin else None


def _first_face(stretch: Stretch) -> FaceSample | None:
    """Likewise of the first sample near its start."""
    footage = stretch.footage
    at = bisect_left(footage.faces, stretch.start, key=lambda seen: seen.frame)
    end = min(stretch.end, stretch.start + footage.clock.length(SCENE_OPENING_US))
    found = at < len(footage.faces) and footage.faces[at].frame < end
    return _face_at(footage, footage.faces[at].frame) if found else None


def _face_at(footage: Footage, frame: int) -> FaceSample:
    start = bisect_left(footage.faces, frame, key=lambda seen: seen.frame)
    stop = bisect_left(footage.faces, frame + 1, key=lambda seen: seen.frame)
    return max(footage.faces[start:stop], key=lambda seen: seen.prominence).face


def _in_one_place(one: FaceSample, other: FaceSample) -> bool:
    """Whether two faces touch, as far as anybody leans, and differ in size by less than is seen."""
    if max(one.width, other.width) >= (1 + VISIBLE_RESIZE) * min(one.width, other.width):
        return False
    across = abs(one.left + one.width / 2 - other.left - other.width / 2)
    down = abs(one.top + one.height / 2 - other.top - other.height / 2)
    return across < max(one.width, other.width) and down < max(one.height, other.height)

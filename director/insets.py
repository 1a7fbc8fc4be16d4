"""A calm screen as a picture in the picture, beside the speaker's face; one with much to see fills the canvas."""

from collections.abc import Iterable
from dataclasses import replace

from director.covering import Cover, Purpose
from director.material import Footage
from director.style import (
    BUSY_SCREEN_SHARE,
    INSET_MARGIN,
    INSET_WIDTHS,
)
from schemas.edl import Canvas, Place
from schemas.media import AssetKind
from schemas.timeline import Area

#: What a cover adds and costs by what it hides, of which there is nothing beside a speaker.
_OF_HIDING = frozenset({Purpose.JUMP_CUT.part, "speaker_hidden"})


def may_be_inset(one: Cover, canvas: Canvas) -> bool:
    """Whether it is a calm screen that the talk is about, on a canvas that has room beside a speaker."""
    asked = one.purpose is Purpose.ASKED and one.footage.facts.kind is AssetKind.SCREEN
    return asked and canvas.width > canvas.height and not _is_busy(one)


def inset(one: Cover, faces: Iterable[Area], canvas: Canvas) -> Cover:
    """The cover with a place beside all ``faces`` that are seen under it, in canvas pixels, where there is room."""
    free = _free_sides(faces, canvas)
    if free is None:
        return one
    width_share = min(INSET_WIDTHS[1], max(free) - 2 * INSET_MARGIN)
    if width_share < INSET_WIDTHS[0]:
        return one
    worth = tuple((part, value) for part, value in one.worth if part not in _OF_HIDING)
    place = _place(one.footage, canvas, width_share, on_left=free[0] > free[1])
    return replace(one, worth=worth, place=place)


def _is_busy(one: Cover) -> bool:
    """Whether so much happens on the screen that it must be seen large; so it is too where nothing was measured."""
    activity, clock = one.footage.facts.activity, one.footage.clock
    if activity is None:
        return True
    start, end = clock.us(one.source_start), clock.us(one.source_start + one.end - one.start)
    changing = sum(max(0, min(end, c.end_us) - max(start, c.start_us)) for c in activity.changes)
    return changing > BUSY_SCREEN_SHARE * (end - start)


def _free_sides(faces: Iterable[Area], canvas: Canvas) -> tuple[float, float] | None:
    """Shares of the width left and right of all faces; ``None`` where there are none."""
    left, right = 1.0, 0.0
    for face in faces:
        left, right = min(left, face.x / canvas.width), max(right, (face.x + face.width) / canvas.width)
    return (left, 1 - right) if left < right else None


def _place(footage: Footage, canvas: Canvas, width_share: float, *, on_left: bool) -> Place:
    video = footage.source.video
    shape = video.display_height / video.display_width if video else canvas.height / canvas.width
    width = _even(width_share * canvas.width)
    height = min(_even(width * shape), _even((1 - 2 * INSET_MARGIN) * canvas.height))
    margin = _even(INSET_MARGIN * canvas.width)
    x = margin if on_left else canvas.width - margin - width
    return Place(x=x, y=_even((canvas.height - height) / 2), width=width, height=height)


def _even(length: float) -> int:
    return max(2, int(length) // 2 * 2)

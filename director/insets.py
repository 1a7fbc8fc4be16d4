"""A calm screen as a picture in the picture, beside the speaker's face; one with much to see fills the canvas."""

from collections.abc import Sequence
from dataclasses import replace

from director.covering import Cover, Purpose
from director.framing import everyone_within
from director.material import Footage
from director.placing import Placed
from director.style import (
    BUSY_SCREEN_SHARE,
    INSET_MARGIN,
    INSET_WIDTHS,
)
from schemas.edl import Canvas, Place
from schemas.media import AssetKind


def inset(one: Cover, placed: Sequence[Placed], canvas: Canvas) -> Cover:
    """The cover with a place beside the speaker, where it is a calm screen that the talk is about and there is room."""
    footage = one.footage
    fits = canvas.width > canvas.height and one.purpose is Purpose.ASKED and footage.facts.kind is AssetKind.SCREEN
    if not fits or _is_busy(one):
        return one
    free = _free_sides(one, placed, canvas)
    if free is None:
        return one
    width_share = min(INSET_WIDTHS[1], max(free) - 2 * INSET_MARGIN)
    if width_share < INSET_WIDTHS[0]:
        return one
    return replace(one, place=_place(footage, canvas, width_share, on_left=free[0] > free[1]))


def _is_busy(one: Cover) -> bool:
    """Whether so much happens on the screen that it must be seen large; so it is too where nothing was measured."""
    activity, clock = one.footage.facts.activity, one.footage.clock
    if activity is None:
        return True
    start, end = clock.us(one.source_start), clock.us(one.source_start + one.end - one.start)
    changing = sum(max(0, min(end, c.end_us) - max(start, c.start_us)) for c in activity.changes)
    return changing > BUSY_SCREEN_SHARE * (end - start)


def _free_sides(one: Cover, placed: Sequence[Placed], canvas: Canvas) -> tuple[float, float] | None:
    """Shares of the width left and right of all faces under the cover; ``None`` where that is not known."""
    left, right = 1.0, 0.0
    for base in placed:
        first, end = max(base.start, one.start), min(base.end, one.end)
        if first >= end:
            continue
        footage, video = base.stretch.footage, base.stretch.footage.source.video
        if video is None or video.display_width * canvas.height != video.display_height * canvas.width:
            return None
        shift = base.stretch.start - base.start
        for seen in everyone_within(footage, first + shift, end + shift):
            left, right = min(left, seen.left / video.display_width), max(right, seen.right / video.display_width)
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

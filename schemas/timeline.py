"""What is seen when on an EDL's timeline: exact arithmetic on the edit, no media."""

from dataclasses import dataclass
from itertools import pairwise

from schemas.edl import EDL, CropKey, VideoClip


@dataclass(frozen=True)
class Stretch:
    """Timeline frames ``[first, end)`` on which ``clip`` is what the viewer sees."""

    clip: VideoClip
    overlay: bool
    first: int
    end: int


@dataclass(frozen=True)
class Area:
    """A rectangle in pixels; fractions of pixels are meant."""

    x: float
    y: float
    width: float
    height: float


def visible_stretches(edl: EDL) -> list[Stretch]:
    """What is seen, in order and without gaps: overlays hide the base, which then needs no decoding."""
    stretches: list[Stretch] = []
    overlays = edl.overlays
    for clip in edl.video:
        position = clip.start
        for overlay in overlays:
            if overlay.end <= position or overlay.start >= clip.end:
                continue
            if overlay.start > position:
                stretches.append(Stretch(clip, overlay=False, first=position, end=overlay.start))
            if overlay.start >= clip.start:
                stretches.append(Stretch(overlay, overlay=True, first=overlay.start, end=overlay.end))
            position = overlay.end
        if position < clip.end:
            stretches.append(Stretch(clip, overlay=False, first=position, end=clip.end))
    return stretches


def crop_at(keys: tuple[CropKey, ...], frame: int) -> Area:
    """The crop at a clip-relative frame, interpolated between keys."""
    later = next((key for key in keys if key.frame >= frame), None)
    earlier = next((key for key in reversed(keys) if key.frame <= frame), None)
    if later is None or earlier is None or later is earlier:
        key = earlier or later or keys[0]
        return Area(key.x, key.y, key.width, key.height)
    share = (frame - earlier.frame) / (later.frame - earlier.frame)

    def between(start: int, end: int) -> float:
        return start + (end - start) * share

    return Area(
        between(earlier.x, later.x),
        between(earlier.y, later.y),
        between(earlier.width, later.width),
        between(earlier.height, later.height),
    )


def crop_moves(keys: tuple[CropKey, ...]) -> bool:
    return any((a.x, a.y, a.width, a.height) != (b.x, b.y, b.width, b.height) for a, b in pairwise(keys))

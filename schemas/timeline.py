"""What is seen when on an EDL's timeline: exact arithmetic on the edit, no media."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import attrgetter

from schemas.edl import EDL, CropKey, Motion, VideoClip


@dataclass(frozen=True)
class Stretch:
    """Timeline frames ``[first, end)`` on which ``clip`` fills the canvas.

    ``outgoing`` is the base clip that it dissolves from; ``inset`` is an overlay shown over a part of it.
    """

    clip: VideoClip
    overlay: bool
    first: int
    end: int
    outgoing: VideoClip | None = None
    inset: VideoClip | None = None


@dataclass(frozen=True)
class Area:
    """A rectangle in pixels; fractions of pixels are meant."""

    x: float
    y: float
    width: float
    height: float


def visible_stretches(edl: EDL) -> list[Stretch]:
    """What is seen, in order and without gaps. Overlays without a place hide the base, which then needs no decoding."""
    points = {edl.duration}
    for clip in edl.video:
        points |= {clip.start, clip.start + clip.dissolve_in}
    for overlay in edl.overlays:
        points |= {overlay.start, overlay.end}
    base, overlays = _Track(edl.video), _Track(edl.overlays)
    stretches = [
        _stretch(first, end, base.reaching(first), overlays.at(first)) for first, end in pairwise(sorted(points | {0}))
    ]
    return _joined(stretches)


class _Track:
    """Clips of one track, asked for in time order."""

    def __init__(self, clips: Sequence[VideoClip]) -> None:
        self._clips = clips
        self._position = 0

    def at(self, frame: int) -> VideoClip | None:
        while self._position < len(self._clips) and self._clips[self._position].end <= frame:
            self._position += 1
        clip = self._clips[self._position] if self._position < len(self._clips) else None
        return clip if clip is not None and clip.start <= frame else None

    def reaching(self, frame: int) -> tuple[VideoClip, VideoClip | None]:
        """The clip at ``frame`` of a gapless track, and the one that it is dissolving from there."""
        clip = self.at(frame)
        if clip is None:
            raise LookupError(f"no clip at frame {frame} of a gapless track")
        dissolving = frame < clip.start + clip.dissolve_in
        return clip, self._clips[self._position - 1] if dissolving else None


def _stretch(first: int, end: int, base: tuple[VideoClip, VideoClip | None], over: VideoClip | None) -> Stretch:
    if over is not None and over.place is None:
        return Stretch(over, overlay=True, first=first, end=end)
    clip, outgoing = base
    return Stretch(clip, overlay=False, first=first, end=end, outgoing=outgoing, inset=over)


def _joined(stretches: Sequence[Stretch]) -> list[Stretch]:
    """Neighbours that show the same, cut apart only by an edge that is hidden, as one."""
    joined: list[Stretch] = []
    for stretch in stretches:
        if joined and replace(joined[-1], first=stretch.first, end=stretch.end) == stretch:
            joined[-1] = replace(joined[-1], end=stretch.end)
        else:
            joined.append(stretch)
    return joined


def crop_at(keys: tuple[CropKey, ...], frame: int, motion: Motion) -> Area:
    """The crop at a clip-relative frame, interpolated between keys."""
    reached = bisect_right(keys, frame, key=attrgetter("frame"))
    if reached in {0, len(keys)}:
        key = keys[max(0, reached - 1)]
        return Area(key.x, key.y, key.width, key.height)
    earlier, later = keys[reached - 1], keys[reached]
    share = (frame - earlier.frame) / (later.frame - earlier.frame)
    if motion is Motion.SMOOTH:
        share = share * share * (3 - 2 * share)

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

"""Where on the timeline which clip is seen and heard: exact arithmetic on the EDL, no media."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import floor

from schemas.edl import EDL, SAMPLE_RATE, AudioClip, CropKey, Source, SourceVideo, VideoClip
from schemas.timebase import frame_to_sample


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


@dataclass(frozen=True)
class Heard:
    """Where an audio clip sounds, in timeline samples: ``[begin, end)``, with the ramps that lie inside.

    Timeline sample ``t`` takes source sample ``source_in + t - start``. The fade-in covers ``[begin, begin + fade_in)``
    and the fade-out the last ``fade_out`` samples.
    """

    start: int
    begin: int
    end: int
    fade_in: int
    fade_out: int


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


def source_tick(clip: VideoClip, video: SourceVideo, rate: Fraction, frame: int) -> int:
    """The source tick that clip-relative ``frame`` shows: the frame's middle, kept inside the clip's range."""
    middle = clip.source_in + (2 * frame + 1) / (2 * rate * video.time_base)
    return min(floor(middle), clip.source_out - 1)


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


def heard(clip: AudioClip, rate: Fraction) -> Heard:
    """Place a clip's sound. A fade-in reaches back before the clip as far as timeline and source have handles."""
    start = frame_to_sample(clip.start, rate, SAMPLE_RATE)
    end = frame_to_sample(clip.end, rate, SAMPLE_RATE)
    begin = start - min(clip.fade_in, start, clip.source_in)
    return Heard(start, begin, end, clip.fade_in, clip.fade_out)


def total_samples(edl: EDL) -> int:
    return frame_to_sample(edl.duration, edl.rate, SAMPLE_RATE)


def find_source(sources: Iterable[Source], wanted: str) -> Source:
    return next(source for source in sources if source.id == wanted)

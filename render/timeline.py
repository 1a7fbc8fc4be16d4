"""Where in a source a clip is seen and heard: exact arithmetic on the EDL, no media."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby, pairwise

from schemas.edl import EDL, SAMPLE_RATE, AudioClip, CropKey, Source, SourceVideo, VideoClip
from schemas.timebase import frame_to_sample


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


@dataclass(frozen=True)
class CropSpan:
    """Clip-relative frames from ``first`` on which a crop stands, or moves through ``keys`` without a rest."""

    first: int
    keys: tuple[CropKey, ...]
    moves: bool


def crop_spans(keys: tuple[CropKey, ...]) -> tuple[CropSpan, ...]:
    """A crop path taken apart into rests and moves, in order; one rest where there is no crop."""
    spans: list[CropSpan] = []
    for moves, part in groupby(pairwise(keys), key=lambda pair: _area(pair[0]) != _area(pair[1])):
        begun, *others = part
        reached = tuple(after for _, after in (begun, *others)) if moves else ()
        spans.append(CropSpan(begun[0].frame, (begun[0], *reached), moves=moves))
    if not spans or spans[0].moves:
        spans.insert(0, CropSpan(0, keys[:1], moves=False))
    if spans[-1].moves:
        spans.append(CropSpan(keys[-1].frame, keys[-1:], moves=False))
    return (replace(spans[0], first=0), *spans[1:])


def span_at(spans: Sequence[CropSpan], frame: int) -> CropSpan:
    return spans[bisect_right(spans, frame, key=lambda span: span.first) - 1]


def _area(key: CropKey) -> tuple[int, int, int, int]:
    return key.x, key.y, key.width, key.height


def source_tick(clip: VideoClip, video: SourceVideo, rate: Fraction, frame: int) -> int:
    """The source tick that clip-relative ``frame`` shows: the frame's middle, kept inside the clip's range.

    Frames past the clip's end, which a dissolve shows, come out of the source's handles.
    """
    ticks = 2 * rate * video.time_base
    middle = clip.source_in + (2 * frame + 1) * ticks.denominator // ticks.numerator
    end = clip.source_out if frame < clip.duration else video.end_pts
    return min(middle, end - 1)


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

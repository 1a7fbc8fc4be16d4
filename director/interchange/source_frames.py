"""Where in its source a clip begins and how long that source is, in frames of the edit, as other programs count."""

from fractions import Fraction
from math import floor

from schemas.edl import SAMPLE_RATE, AudioClip, Source, VideoClip
from schemas.timebase import round_half_up


def first_frame(clip: VideoClip | AudioClip, source: Source, rate: Fraction) -> int:
    """The clip's in point, in frames from the source's first picture or, for sound, from its media clock's zero."""
    if isinstance(clip, AudioClip):
        return round_half_up(Fraction(clip.source_in, SAMPLE_RATE) * rate)
    if source.video is None:
        return 0
    return round_half_up((clip.source_in - source.video.start_pts) * source.video.time_base * rate)


def frames_of(clip: VideoClip | AudioClip, source: Source, rate: Fraction) -> int:
    """How many whole frames there are of what the clip takes from its source."""
    if isinstance(clip, AudioClip):
        return floor(source.audio.samples * rate / SAMPLE_RATE) if source.audio else 0
    video = source.video
    return round_half_up((video.end_pts - video.start_pts) * video.time_base * rate) if video else 0

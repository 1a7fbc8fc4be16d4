"""Pixels and sound: an EDL in, a finished and checked file out.

Everything runs in this process on FFmpeg's libraries; run it in a child process with limits, since sources are hostile.
"""

from render.copying import MOST_BITS_PER_PIXEL, untouched_frames
from render.delivery import check_delivery, require_passed, restated
from render.engine import render
from render.parts import join, render_segment, render_sound
from render.picture_track import GAVE_OUT
from render.segment_key import segment_key, sound_key, video_key
from render.segments import Segment, segments_of, sources_heard, sources_shown
from render.storyboard import storyboard_vtt
from render.subtitles import to_srt, to_vtt
from render.version import ENGINE_VERSION

__all__ = [
    "ENGINE_VERSION",
    "GAVE_OUT",
    "MOST_BITS_PER_PIXEL",
    "Segment",
    "check_delivery",
    "join",
    "render",
    "render_segment",
    "render_sound",
    "require_passed",
    "restated",
    "segment_key",
    "segments_of",
    "sound_key",
    "sources_heard",
    "sources_shown",
    "storyboard_vtt",
    "to_srt",
    "to_vtt",
    "untouched_frames",
    "video_key",
]

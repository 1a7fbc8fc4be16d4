"""Pixels and sound: an EDL in, a finished and checked file out.

Everything runs in this process on FFmpeg's libraries; run it in a child process with limits, since sources are hostile.
"""

from render.delivery import check_delivery, require_passed
from render.engine import render
from render.subtitles import to_srt, to_vtt
from render.version import ENGINE_VERSION

__all__ = ["ENGINE_VERSION", "check_delivery", "render", "require_passed", "to_srt", "to_vtt"]

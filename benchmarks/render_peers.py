"""The FFmpeg program, with the encoder settings that ours uses."""

from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg

from benchmarks.render_ours import ENCODER
from schemas.edl import SAMPLE_RATE

_GOP_S, _B_FRAMES = 2, 2

Command = list[str | Path]


def ffmpeg() -> Command:
    return [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-y", "-loglevel", "error"]


def encoded_alike(rate: Fraction) -> Command:
    """FFmpeg's options for what our encoder is told."""
    gop = str(int(_GOP_S * rate))
    return [
        *("-c:v", "libx264", "-profile:v", "high", "-preset", ENCODER.preset, "-crf", str(ENCODER.crf)),
        *("-g", gop, "-bf", str(_B_FRAMES), "-threads", str(ENCODER.threads), "-pix_fmt", "yuv420p"),
        *("-c:a", "aac", "-b:a", str(ENCODER.audio_bitrate), "-ar", str(SAMPLE_RATE), "-ac", "2"),
        *("-movflags", "+faststart"),
    ]

"""What a render is asked for and what it leaves on disk."""

from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Gt, Le

from schemas.delivery import DeliveryReport
from schemas.edl import EDL
from schemas.model import Model


class EncoderSettings(Model):
    """H.264 through x264 and AAC-LC; ``crf`` and ``preset`` are x264's own."""

    crf: Annotated[int, Ge(0), Le(51)] = 20
    preset: str = "veryfast"
    threads: Annotated[int, Ge(0)] = 0
    audio_bitrate: Annotated[int, Gt(0)] = 192_000


class SegmentLengths(Model):
    """How long outputs are taken apart: ``usual_s`` seconds of video in a segment, 0 to render all in one piece."""

    usual_s: Annotated[int, Ge(0)] = 40


class RenderRequest(Model):
    """An edit, where each of its sources lies on this machine, and the empty folder to work and deliver in."""

    edl: EDL
    sources: dict[str, Path]
    folder: Path
    encoder: EncoderSettings = EncoderSettings()


class RenderResult(Model):
    """The files a render left in its folder, checked."""

    video: Path
    thumbnail: Path
    srt: Path
    vtt: Path
    report: DeliveryReport

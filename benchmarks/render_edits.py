"""Edits of one source file, for measuring their rendering."""

import hashlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks.facts import measure_probe
from benchmarks.frame import BenchmarkError
from schemas.edl import (
    EDL,
    SAMPLE_RATE,
    AudioClip,
    AudioRole,
    AudioTrack,
    Canvas,
    CropKey,
    Decision,
    Source,
    SourceAudio,
    SourceVideo,
    Variant,
    VideoClip,
)
from schemas.media import AssetKind
from schemas.timebase import frame_to_sample, us_to_sample

#: Fade over each cut of the sound, in samples: 4 ms.
_CUT_FADE = 192

#: Source frames ``[first, end)``.
Piece = tuple[int, int]


class Footage:
    """One file of constant frame rate, as an edit knows it."""

    def __init__(self, path: Path) -> None:
        """Probe ``path``.

        Raises:
            BenchmarkError: It has no picture or no sound.
        """
        probe = measure_probe(path, AssetKind.A_ROLL)
        if probe.video is None or probe.dialogue is None:
            raise BenchmarkError(f"{path.name} has no picture or no sound.")
        self.path = path
        self.rate: Fraction = probe.video.frame_rate
        self.video = SourceVideo(
            stream_index=probe.video.index,
            time_base=probe.video.time_base,
            start_pts=probe.video.start_pts,
            end_pts=probe.video.end_pts,
            frame_rate=self.rate,
            display_width=probe.video.display_width,
            display_height=probe.video.display_height,
        )
        samples = us_to_sample(probe.dialogue.end_us, SAMPLE_RATE)
        self.source = Source(
            id="footage",
            name=path.name,
            kind=AssetKind.A_ROLL,
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            origin=probe.origin,
            video=self.video,
            audio=SourceAudio(stream_index=probe.dialogue.index, samples=samples),
        )

    @property
    def frames(self) -> int:
        return int((self.video.end_pts - self.video.start_pts) * self.video.time_base * self.rate)

    def tick(self, frame: int) -> int:
        return self.video.start_pts + round(frame / self.rate / self.video.time_base)


def edit_of(
    footage: Footage, pieces: Sequence[Piece], canvas: Canvas, crop: tuple[CropKey, ...] = (), **more: Any
) -> EDL:
    """The pieces one after another, each with its sound, 4 ms faded at the cuts."""
    picture: list[VideoClip] = []
    sound: list[AudioClip] = []
    start = 0
    for number, (first, end) in enumerate(pieces):
        clip = {"source": "footage", "start": start, "duration": end - first, "reason": "benchmark"}
        ticks = {"source_in": footage.tick(first), "source_out": footage.tick(end)}
        picture.append(VideoClip.model_validate({"id": f"picture{number}", "crop": crop, **ticks, **clip}))
        heard = {"source_in": frame_to_sample(first, footage.rate, SAMPLE_RATE)}
        fades = {"fade_in": _CUT_FADE, "fade_out": _CUT_FADE} if len(pieces) > 1 else {}
        sound.append(AudioClip.model_validate({"id": f"sound{number}", **heard, **fades, **clip}))
        start += end - first
    fields = {
        "director_version": "benchmark",
        "variant": Variant.CINEMATIC_FULL,
        "title": "Benchmark",
        "rate": footage.rate,
        "canvas": canvas,
        "duration": start,
        "sources": (footage.source,),
        "video": tuple(picture),
        "audio": (AudioTrack(role=AudioRole.DIALOGUE, clips=tuple(sound)),),
        "decisions": (Decision(id="benchmark", kind="benchmark", sentence="What is measured."),),
    }
    return EDL.model_validate(fields | more)

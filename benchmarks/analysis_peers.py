"""The analyzers against what others need for the same: decoding alone, plain faster-whisper."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import av
from av.video.reformatter import Interpolation, VideoReformatter
from faster_whisper import WhisperModel

from analysis.demuxing import decode_video, open_media
from analysis.faces import FacesParameters, begin_faces
from analysis.models import find_whisper
from analysis.picture import LookAnalysis
from analysis.probe import probe
from analysis.recording import record
from analysis.shots import ShotAnalysis
from analysis.thumbnails import FINE_HEIGHT, FINE_WIDTH
from analysis.transcript import TranscriptParameters, transcribe
from analysis.watching import PictureAnalysis, watch
from benchmarks.frame import BenchmarkError, Figures
from benchmarks.timing import costing, interleaved, median_ratio

ROUNDS = 3


def picture_figures(path: Path, models: Path) -> Figures:
    """How many times as fast decoding and scaling down alone is passed: 1 would be analysis for nothing."""
    known = probe(path)

    def looking() -> list[PictureAnalysis]:
        return [ShotAnalysis(known), LookAnalysis()]

    def with_faces() -> list[PictureAnalysis]:
        return [*looking(), begin_faces(path, known, FacesParameters(), models)]

    alone = costing(lambda: _decode_and_downscale(path))
    figures: Figures = {}
    for name, analyses in (("visual_vs_decode", looking), ("visual_vs_decode.with_faces", with_faces)):
        pairs = interleaved(alone, costing(partial(_watch, path, analyses)), ROUNDS)
        figures[name] = median_ratio([(bare.wall_s, ours.wall_s) for bare, ours in pairs])
        figures[f"{name}_cpu"] = median_ratio([(bare.cpu_s, ours.cpu_s) for bare, ours in pairs])
    return figures


def transcript_figures(path: Path, models: Path) -> Figures:
    """How long the words take, their refinement included, against faster-whisper alone with the same model.

    Raises:
        BenchmarkError: There is no speech model here.
    """
    files = find_whisper(None, models)
    if files is None:
        raise BenchmarkError("There is no speech model here.")

    def plain() -> int:
        model = WhisperModel(str(files.folder), device="auto", compute_type="int8", local_files_only=True)
        language = "en" if files.english_only else None
        segments, _ = model.transcribe(str(path), language=language, beam_size=5, word_timestamps=True)
        return sum(len(segment.words or ()) for segment in segments)

    ours = costing(lambda: transcribe(record(path, probe(path)), TranscriptParameters(), models))
    pairs = interleaved(ours, costing(plain), ROUNDS)
    return {
        "transcribe.vs_plain_faster_whisper": median_ratio([(a.wall_s, b.wall_s) for a, b in pairs]),
        "transcribe.vs_plain_faster_whisper_cpu": median_ratio([(a.cpu_s, b.cpu_s) for a, b in pairs]),
    }


def _decode_and_downscale(path: Path) -> None:
    scaler = VideoReformatter()
    with open_media(path) as container:
        stream = container.streams.video[0]
        assert isinstance(stream, av.VideoStream)
        stream.thread_type = "AUTO"
        for frame in decode_video(container, stream):
            scaler.reformat(
                frame, width=FINE_WIDTH, height=FINE_HEIGHT, format="yuv420p", interpolation=Interpolation.AREA
            )


def _watch(path: Path, analyses: Callable[[], list[PictureAnalysis]]) -> None:
    watch(path, probe(path), analyses())

"""A sandboxed child that measures and renders one file after another, and writes down what became of each.

What it was at when it ended is known from its notes, so that a crash or a hang costs that one file.
"""

import gc
import os
import shutil
import signal
import sys
import threading
from fractions import Fraction
from pathlib import Path

from pydantic import BaseModel

import render
from activities.child import serve
from activities.file_needs import FileNeeds
from analysis import run_analyzer
from schemas.analysing import AnalysisRequest
from schemas.edl import (
    EDL,
    SAMPLE_RATE,
    AudioClip,
    AudioRole,
    AudioTrack,
    Canvas,
    Decision,
    Source,
    SourceAudio,
    SourceVideo,
    Variant,
    VideoClip,
)
from schemas.errors import CinemaError
from schemas.media import AssetKind, MediaProbe, VideoStream
from schemas.model import Model
from schemas.progress import ProgressCallback, ignore_progress
from schemas.rendering import EncoderSettings, RenderRequest
from schemas.timebase import us_to_sample

RATE = Fraction(25)
LONGEST = 5
CANVAS = Canvas(width=64, height=36)
ENCODER = EncoderSettings(crf=40, preset="ultrafast", threads=1)


class Batch(Model):
    """Files by name in ``folder``; ``seconds`` is what each of them may take."""

    folder: Path
    files: tuple[str, ...]
    notes: Path
    seconds: int


class Verdict(Model):
    """What became of a file: ``code`` is the refusal's; ``retryable`` and ``defect`` are faults of ours."""

    file: str
    code: str = ""
    sentence: str = ""
    retryable: bool = False
    defect: str = ""


class Done(Model):
    """What the child holds behind the last file that it did not hold before the first."""

    descriptors: tuple[str, ...]
    threads: tuple[int, int]
    left: tuple[str, ...]


def work_through(batch: Batch, _: ProgressCallback) -> BaseModel:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    scratch = batch.folder / f"scratch-{os.getpid()}"
    before, threads = _open(), threading.active_count()
    with batch.notes.open("a", encoding="utf-8") as notes:
        for name in batch.files:
            notes.write(f"{name}\n")
            notes.flush()
            signal.alarm(batch.seconds)
            verdict = _judge(batch.folder / name, scratch)
            signal.alarm(0)
            notes.write(verdict.model_dump_json() + "\n")
            notes.flush()
    gc.collect()
    left = tuple(path.name for path in scratch.iterdir()) if scratch.exists() else ()
    return Done(descriptors=tuple(sorted(_open() - before)), threads=(threads, threading.active_count()), left=left)


def _open() -> set[str]:
    """What this process's descriptors lead to, besides what lasts as long as it does: devices, and itself."""
    held = (str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
    return {name for name in held if not name.startswith(("/dev/", "/proc/"))}


def _judge(path: Path, scratch: Path) -> Verdict:
    scratch.mkdir(exist_ok=True)
    try:
        _measure_and_render(path, scratch)
    except CinemaError as error:
        return Verdict(file=path.name, code=error.code, sentence=error.message, retryable=error.retryable)
    except Exception as error:  # noqa: BLE001 (what nobody foresaw is what this is for)
        return Verdict(file=path.name, defect=f"{type(error).__name__}: {error} at {_place(error)}")
    finally:
        shutil.rmtree(scratch)
    return Verdict(file=path.name)


def _place(error: BaseException) -> str:
    frames = []
    step = error.__traceback__
    while step is not None:
        frames.append(f"{Path(step.tb_frame.f_code.co_filename).name}:{step.tb_lineno}")
        step = step.tb_next
    return " ".join(frames[-4:])


def _measure_and_render(path: Path, scratch: Path) -> None:
    probe = _analyse(path, "probe", None)
    assert isinstance(probe, MediaProbe)
    for analyzer in ("sound", "shots"):
        _analyse(path, analyzer, probe)
    edl = edit(probe)
    if edl is not None:
        request = RenderRequest(edl=edl, sources={"a": path}, folder=scratch, encoder=ENCODER)
        render.render(request, ignore_progress)


def _analyse(path: Path, analyzer: str, probe: MediaProbe | None) -> BaseModel:
    request = AnalysisRequest(analyzer=analyzer, path=path, kind=AssetKind.A_ROLL, probe=probe)
    return run_analyzer(request, ignore_progress, path.parent)


def edit(probe: MediaProbe) -> EDL | None:
    """The last frames of the file, then the first ones, with their sound; nothing without a picture."""
    video, sound = probe.video, probe.dialogue
    if video is None:
        return None
    step = 1 / (RATE * video.time_base)
    length = min(LONGEST, int((video.end_pts - video.start_pts) / step))
    if length < 1:
        return None
    clips = []
    for number, first in enumerate((max(video.start_pts, int(video.end_pts - length * step)), video.start_pts)):
        end = min(video.end_pts, round(first + length * step))
        if end <= first:
            return None
        fields = {"id": f"v{number}", "source": "a", "start": number * length, "duration": length, "reason": "d"}
        clips.append(VideoClip(**fields, source_in=first, source_out=end))
    samples = 0 if sound is None else us_to_sample(sound.end_us, SAMPLE_RATE)
    heard = (AudioClip(id="s", source="a", start=0, duration=length, source_in=0, fade_out=200, reason="d"),)
    return EDL(
        director_version="fuzz",
        variant=Variant.HOOK_CUT,
        title="Fuzz",
        rate=RATE,
        canvas=_canvas(video),
        duration=2 * length,
        sources=(_source(probe, samples),),
        video=tuple(clips),
        audio=(AudioTrack(role=AudioRole.DIALOGUE, clips=heard),) if samples >= length * 1920 else (),
        decisions=(Decision(id="d", kind="fuzz", sentence="A fuzzed file."),),
    )


def _canvas(video: VideoStream) -> Canvas:
    """As large as the source, where it is small, so that its packets may be copied."""
    width, height = video.display_width, video.display_height
    small = width % 2 == 0 and height % 2 == 0 and max(width, height) <= 128
    return Canvas(width=width, height=height) if small else CANVAS


def _source(probe: MediaProbe, samples: int) -> Source:
    video, sound = probe.video, probe.dialogue
    assert video is not None
    return Source(
        id="a",
        name="fuzzed",
        kind=AssetKind.A_ROLL,
        sha256="0" * 64,
        origin=probe.origin,
        video=SourceVideo(
            stream_index=video.index,
            time_base=video.time_base,
            start_pts=video.start_pts,
            end_pts=video.end_pts,
            frame_rate=video.frame_rate,
            display_width=video.display_width,
            display_height=video.display_height,
        ),
        audio=SourceAudio(stream_index=sound.index, samples=samples) if sound and samples else None,
    )


def needs(batch: Batch) -> FileNeeds:
    """Its notes, what it works through, and what it holds open."""
    return FileNeeds((batch.folder, Path("/proc/self")), batch.notes.parent)


if __name__ == "__main__":
    print("fuzzing", file=sys.stderr)
    serve(work_through, Batch, needs)

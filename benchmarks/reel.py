"""Our render of a vertical reel against the FFmpeg program: same crop, same size, same encoder settings.

Ours does more: it levels the sound, decodes the finished file again to check it, and draws a thumbnail. What each part
took is among the figures.
"""

import hashlib
import json
import sys
from fractions import Fraction
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import imageio_ffmpeg

from benchmarks.facts import measure_probe
from benchmarks.footage import demo_footage
from benchmarks.frame import BenchmarkError, Figures
from benchmarks.timing import Cost, cost_of, interleaved, median_ratio
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
from schemas.media import AssetKind, MediaProbe
from schemas.rendering import EncoderSettings, RenderRequest
from schemas.timebase import us_to_pts, us_to_sample

NAME = "render"

SECONDS = 20
ROUNDS = 3
CANVAS = Canvas(width=1080, height=1920)
CROP = CropKey(frame=0, x=336, y=0, width=608, height=1080)
ENCODER = EncoderSettings()
GOP_S, B_FRAMES = 2, 2


def run() -> Figures:
    talk = demo_footage().talk
    probe = measure_probe(talk, AssetKind.A_ROLL)
    with TemporaryDirectory(prefix="cinema-reel-") as name:
        folder = Path(name)
        theirs = _ffmpeg_command(talk, probe, folder / "theirs.mp4")
        pairs = interleaved(lambda: _our_cost(talk, probe, folder), lambda: cost_of(theirs), ROUNDS)
        stages = json.loads((folder / "stages.json").read_text())
    figures = {
        "reel.wall_vs_ffmpeg": median_ratio([(ours.wall_s, other.wall_s) for ours, other in pairs]),
        "reel.cpu_vs_ffmpeg": median_ratio([(ours.cpu_s, other.cpu_s) for ours, other in pairs]),
        "reel.times_real_time": SECONDS / median(ours.wall_s for ours, _ in pairs),
    }
    return figures | {f"reel.{stage.replace(' ', '_')}_s": seconds for stage, seconds in stages.items()}


def _our_cost(talk: Path, probe: MediaProbe, folder: Path) -> Cost:
    with TemporaryDirectory(dir=folder) as work:
        request = RenderRequest(edl=reel_edit(talk, probe), sources={"talk": talk}, folder=Path(work), encoder=ENCODER)
        asked = folder / "request.json"
        asked.write_text(request.model_dump_json())
        return cost_of([sys.executable, "-m", "benchmarks.reel_child", asked, folder / "stages.json"])


def reel_edit(talk: Path, probe: MediaProbe) -> EDL:
    """The first ``SECONDS`` of a landscape talk, cropped to a standing 9:16 window.

    Raises:
        BenchmarkError: The talk has no picture or no sound, or is too short.
    """
    video, audio = probe.video, probe.dialogue
    if video is None or audio is None or probe.duration_us < SECONDS * 1_000_000:
        raise BenchmarkError(f"A reel needs {SECONDS} s of picture and sound; {talk.name} has less.")
    rate = video.frame_rate
    frames = round(SECONDS * rate)
    end_us = round(Fraction(frames, 1) / rate * 1_000_000)
    source = Source(
        id="talk",
        name=talk.name,
        kind=AssetKind.A_ROLL,
        sha256=hashlib.sha256(talk.read_bytes()).hexdigest(),
        origin=probe.origin,
        video=SourceVideo(
            stream_index=video.index,
            time_base=video.time_base,
            start_pts=video.start_pts,
            end_pts=video.end_pts,
            frame_rate=rate,
            display_width=video.display_width,
            display_height=video.display_height,
        ),
        audio=SourceAudio(stream_index=audio.index, samples=us_to_sample(audio.end_us, SAMPLE_RATE)),
    )
    picture = VideoClip(
        id="picture",
        source="talk",
        start=0,
        duration=frames,
        source_in=us_to_pts(0, video.time_base, probe.origin),
        source_out=us_to_pts(end_us, video.time_base, probe.origin),
        crop=(CROP,),
        reason="reel",
    )
    sound = AudioClip(id="sound", source="talk", start=0, duration=frames, source_in=0, reason="reel")
    return EDL(
        director_version="benchmark",
        variant=Variant.VERTICAL_REEL,
        title="Reel",
        rate=rate,
        canvas=CANVAS,
        duration=frames,
        sources=(source,),
        video=(picture,),
        audio=(AudioTrack(role=AudioRole.DIALOGUE, clips=(sound,)),),
        decisions=(Decision(id="reel", kind="benchmark", sentence="A standing crop of the first seconds."),),
    )


def _ffmpeg_command(talk: Path, probe: MediaProbe, out: Path) -> list[str | Path]:
    if probe.video is None:
        raise BenchmarkError(f"{talk.name} has no picture.")
    crop = f"crop={CROP.width}:{CROP.height}:{CROP.x}:{CROP.y},scale={CANVAS.width}:{CANVAS.height}"
    gop = str(round(GOP_S * probe.video.frame_rate))
    return [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", "-i", talk, "-t", str(SECONDS)),
        *("-vf", crop, "-c:v", "libx264", "-preset", ENCODER.preset, "-crf", str(ENCODER.crf)),
        *("-g", gop, "-bf", str(B_FRAMES), "-threads", str(ENCODER.threads), "-pix_fmt", "yuv420p"),
        *("-c:a", "aac", "-b:a", str(ENCODER.audio_bitrate), "-ar", str(SAMPLE_RATE), "-ac", "2"),
        *("-movflags", "+faststart", out),
    ]

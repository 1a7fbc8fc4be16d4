"""Peak memory: against the FFmpeg program at 4K, and how it grows with the length of the output."""

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.footage import demo_footage
from benchmarks.frame import Figures
from benchmarks.render_cuts import looped
from benchmarks.render_edits import Footage, edit_of
from benchmarks.render_ours import our_cost
from benchmarks.render_peers import Command, encoded_alike, ffmpeg
from benchmarks.timing import cost_of
from schemas.edl import Canvas, CropKey

#: Memory is at its peak once every queue and the encoder's look-ahead are full.
FRAMES_4K = 120
UPRIGHT_4K = Canvas(width=2160, height=3840)
CROP_4K = CropKey(frame=0, x=672, y=0, width=1216, height=2160)

#: A small picture, so that what grows with the length is not hidden behind what every frame takes.
SMALL = Canvas(width=640, height=360)
LENGTHS_S = (10, 60, 600)


def measure() -> Figures:
    with TemporaryDirectory(prefix="cinema-memory-") as name:
        folder = Path(name)
        return _at_4k(folder) | _by_length(folder)


def _at_4k(folder: Path) -> Figures:
    footage = Footage(_scaled(demo_footage().talk, "3840:2160", FRAMES_4K, folder / "4k.mp4"))
    edl = edit_of(footage, [(0, FRAMES_4K)], UPRIGHT_4K, (CROP_4K,))
    ours = our_cost(edl, footage, folder).whole
    crop = f"crop={CROP_4K.width}:{CROP_4K.height}:{CROP_4K.x}:{CROP_4K.y}"
    scale = f"scale={UPRIGHT_4K.width}:{UPRIGHT_4K.height}"
    peer = cost_of([
        *(*ffmpeg(), "-i", footage.path, "-vf", f"{crop},{scale}"),
        *(*encoded_alike(footage.rate), folder / "ffmpeg.mp4"),
    ])  # fmt: skip
    return {
        "reel_2160p.rss_vs_ffmpeg": ours.peak_mib / peer.peak_mib,
        "reel_2160p.our_peak_mib": ours.peak_mib,
        "reel_2160p.wall_vs_ffmpeg_proven": ours.wall_s / peer.wall_s,
    }


def _by_length(folder: Path) -> Figures:
    """A crop keeps the engine from copying packets, so that every frame goes through all of it."""
    small = _scaled(demo_footage().talk, "640:360", None, folder / "small.mp4")
    footage = Footage(looped(small, max(LENGTHS_S), folder / "long.mp4"))
    crop = (CropKey(frame=0, x=16, y=9, width=608, height=342),)
    peaks: dict[int, float] = {}
    for seconds in LENGTHS_S:
        frames = min(footage.frames, round(seconds * footage.rate))
        peaks[seconds] = our_cost(edit_of(footage, [(0, frames)], SMALL, crop), footage, folder).whole.peak_mib
    return {
        "rss_60s_vs_10s": peaks[60] / peaks[10],
        "rss_600s_vs_10s": peaks[600] / peaks[10],
        "rss_600s_mib": peaks[600],
    }


def _scaled(path: Path, size: str, frames: int | None, target: Path) -> Path:
    length: Command = [] if frames is None else ["-t", f"{frames / 30:.3f}"]
    cost_of([
        *(*ffmpeg(), "-i", path, *length, "-vf", f"scale={size}"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-crf", "23", "-c:a", "copy", target),
    ])  # fmt: skip
    return target

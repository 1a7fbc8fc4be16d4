"""Ten minutes of 1080p cut into 134 pieces, against the FFmpeg program with one trim/concat graph and auto-editor.

All three are given the same cuts and encoder settings. Ours also levels the sound, checks the file by decoding it, and
picks a thumbnail; the figures that end in ``_proven`` count the check too.
"""

import random
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.footage import demo_footage
from benchmarks.frame import Figures
from benchmarks.render_edits import Footage, Piece, edit_of
from benchmarks.render_ours import ENCODER, our_cost
from benchmarks.render_peers import Command, encoded_alike, ffmpeg
from benchmarks.timing import cost_of
from schemas.edl import Canvas

SECONDS = 600
PIECES = 134
#: Of the footage, what is kept; both kept and cut pieces are as long as this varies them.
KEPT = 0.6
SHORTEST, LONGEST = 0.4, 1.6
SEED = 20
CANVAS = Canvas(width=1920, height=1080)


def measure() -> Figures:
    with TemporaryDirectory(prefix="cinema-cuts-") as name:
        folder = Path(name)
        footage = Footage(looped(demo_footage().talk, SECONDS, folder / "footage.mp4"))
        pieces = cut_list(footage.frames)
        ours = our_cost(edit_of(footage, pieces, CANVAS), footage, folder)
        peer = cost_of([*_ffmpeg_command(footage, pieces), folder / "ffmpeg.mp4"])
        figures = {
            "cuts_1080p.wall_vs_ffmpeg": ours.made.wall_s / peer.wall_s,
            "cuts_1080p.cpu_vs_ffmpeg": ours.made.cpu_s / peer.cpu_s,
            "cuts_1080p.wall_vs_ffmpeg_proven": ours.whole.wall_s / peer.wall_s,
            "cuts_1080p.rss_vs_ffmpeg": ours.whole.peak_mib / peer.peak_mib,
            **{f"cuts_1080p.our_{stage}_s": seconds for stage, seconds in ours.stages.items()},
        }
        editor = shutil.which("auto-editor")
        if editor is None:
            print("auto-editor is not installed here (Debian: apt install auto-editor), so it was not compared with.")
            return figures
        other = cost_of(_auto_editor_command(editor, footage, pieces, folder))
        return figures | {
            "cuts_1080p.wall_vs_auto_editor": ours.made.wall_s / other.wall_s,
            "cuts_1080p.wall_vs_auto_editor_proven": ours.whole.wall_s / other.wall_s,
        }


def looped(path: Path, seconds: int, target: Path) -> Path:
    """The same footage over and over, its packets copied."""
    cost_of([*ffmpeg(), "-stream_loop", "-1", "-i", path, "-t", str(seconds), "-c", "copy", target])
    return target


def cut_list(frames: int) -> list[Piece]:
    """The pieces kept, the same on every run."""
    chosen = random.Random(SEED)
    mean = frames / PIECES
    pieces: list[Piece] = []
    position = 0.0
    for _ in range(PIECES):
        kept = mean * KEPT * chosen.uniform(SHORTEST, LONGEST)
        pieces.append((int(position), int(position + kept)))
        position += kept + mean * (1 - KEPT) * chosen.uniform(SHORTEST, LONGEST)
    return [(first, end) for first, end in pieces if end <= frames]


def _ffmpeg_command(footage: Footage, pieces: list[Piece]) -> Command:
    parts, pads = [], []
    for number, (first, end) in enumerate(pieces):
        # Half a frame early, so that rounding takes no frame and adds none.
        picture = f"start={float((first - 0.5) / footage.rate):.6f}:end={float((end - 0.5) / footage.rate):.6f}"
        sound = f"start={float(first / footage.rate):.6f}:end={float(end / footage.rate):.6f}"
        parts.append(f"[0:v]trim={picture},setpts=PTS-STARTPTS[v{number}]")
        parts.append(f"[0:a]atrim={sound},asetpts=PTS-STARTPTS[a{number}]")
        pads.append(f"[v{number}][a{number}]")
    graph = ";".join([*parts, f"{''.join(pads)}concat=n={len(pieces)}:v=1:a=1[v][a]"])
    return [
        *(*ffmpeg(), "-i", footage.path, "-filter_complex", graph, "-map", "[v]", "-map", "[a]"),
        *encoded_alike(footage.rate),
    ]


def _auto_editor_command(editor: str, footage: Footage, pieces: list[Piece], folder: Path) -> Command:
    """auto-editor counts in frames of the source; what lies between the pieces is cut out."""
    edges = [0, *(edge for piece in pieces for edge in piece), footage.frames]
    gaps = [(begin, end) for begin, end in zip(edges[::2], edges[1::2], strict=True) if begin < end]
    return [
        *(editor, footage.path, "--edit", "none", "--cut-out"),
        *[f"{begin},{end}" for begin, end in gaps],
        *("--video-codec", "libx264", "--audio-codec", "aac", "--audio-bitrate", f"{ENCODER.audio_bitrate // 1000}k"),
        *("--extras", f"-preset {ENCODER.preset} -crf {ENCODER.crf}", "--no-open", "--quiet"),
        *("--temp-dir", folder / "auto-editor", "--output", folder / "auto-editor.mp4"),
    ]

"""A vertical reel from 1080p against the FFmpeg program and MoviePy: same crop path, size, captions and encoder.

FFmpeg and MoviePy lay one picture of the caption box over the film, made before the clock starts; ours draws the
caption itself. Ours does more: it levels the sound, decodes the finished file again to check it, and picks a thumbnail.
Figures named after a peer compare until the video is made; those that end in ``_proven`` count check and thumbnail too.
"""

import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from PIL import Image, ImageDraw, ImageFont

from benchmarks.footage import demo_footage
from benchmarks.frame import Figures
from benchmarks.render_edits import Footage, edit_of
from benchmarks.render_ours import OurCost, our_cost
from benchmarks.render_peers import Command, encoded_alike, ffmpeg
from benchmarks.timing import Cost, cost_of, median_ratio
from schemas.edl import EDL, Canvas, Caption, CaptionStyle, CropKey

SECONDS = 20
ROUNDS = 3
CANVAS = Canvas(width=1080, height=1920)
CROP_WIDTH, CROP_HEIGHT = 608, 1080
#: The crop stands, moves by 5 pixels a frame, and stands again.
MOVE_FROM, MOVE_TO, LEFT, STEP = 240, 300, 336, 5
TEXT = ("What nobody tells you", "about the first minute")
BOX_X, BOX_Y, BOX_WIDTH, BOX_HEIGHT, FONT_SIZE = 120, 1320, 840, 200, 64


def measure() -> Figures:
    footage = Footage(demo_footage().talk)
    edl = reel_edit(footage)
    with TemporaryDirectory(prefix="cinema-reel-") as name:
        folder = Path(name)
        box = _caption_box(folder / "box.png")
        peer = [*_ffmpeg_command(footage, box), folder / "ffmpeg.mp4"]
        rounds = [(our_cost(edl, footage, folder), cost_of(peer)) for _ in range(ROUNDS)]
        moviepy = cost_of(_moviepy_command(footage, box, folder / "moviepy.mp4"))
        ours = [our for our, _ in rounds]
        figures = {
            **_against_ffmpeg(rounds),
            **{f"our_{stage}_s": median(our.stages[stage] for our in ours) for stage in ours[0].stages},
            **_ceilings(footage, box, median(other.cpu_s for _, other in rounds)),
            "wall_vs_moviepy": median(our.made.wall_s for our in ours) / moviepy.wall_s,
            "wall_vs_moviepy_proven": median(our.whole.wall_s for our in ours) / moviepy.wall_s,
        }
    return {f"reel_1080p.{name}": figure for name, figure in figures.items()}


def _against_ffmpeg(rounds: list[tuple[OurCost, Cost]]) -> Figures:
    return {
        "wall_vs_ffmpeg": median_ratio([(ours.made.wall_s, peer.wall_s) for ours, peer in rounds]),
        "cpu_vs_ffmpeg": median_ratio([(ours.made.cpu_s, peer.cpu_s) for ours, peer in rounds]),
        "wall_vs_ffmpeg_proven": median_ratio([(ours.whole.wall_s, peer.wall_s) for ours, peer in rounds]),
        "cpu_vs_ffmpeg_proven": median_ratio([(ours.whole.cpu_s, peer.cpu_s) for ours, peer in rounds]),
        "rss_vs_ffmpeg": median_ratio([(ours.whole.peak_mib, peer.peak_mib) for ours, peer in rounds]),
        "our_peak_mib": median(ours.whole.peak_mib for ours, _ in rounds),
        "our_cpu_s": median(ours.whole.cpu_s for ours, _ in rounds),
        "times_real_time": SECONDS / median(ours.whole.wall_s for ours, _ in rounds),
    }


def _ceilings(footage: Footage, box: Path, whole_cpu_s: float) -> Figures:
    """Where FFmpeg's processor time goes: what a render with no work of its own would still have to spend."""
    read = [*ffmpeg(), "-i", footage.path, "-t", str(SECONDS), "-map", "0:v", "-f", "null", "-"]
    decoded = cost_of(read).cpu_s
    filtered = cost_of([*_filtering(footage, box), "-t", str(SECONDS), "-f", "null", "-"]).cpu_s
    return {
        "ffmpeg_decode_cpu_s": decoded,
        "ffmpeg_filter_cpu_s": filtered - decoded,
        "ffmpeg_encode_cpu_s": whole_cpu_s - filtered,
    }


def reel_edit(footage: Footage) -> EDL:
    frames = round(SECONDS * footage.rate)
    area = {"y": 0, "width": CROP_WIDTH, "height": CROP_HEIGHT}
    right = LEFT + (MOVE_TO - MOVE_FROM) * STEP
    crop = (
        CropKey(frame=0, x=LEFT, **area),
        CropKey(frame=MOVE_FROM, x=LEFT, **area),
        CropKey(frame=MOVE_TO, x=right, **area),
    )
    style = CaptionStyle(
        burn_in=True,
        left=BOX_X,
        top=BOX_Y,
        right=BOX_X + BOX_WIDTH,
        bottom=BOX_Y + BOX_HEIGHT,
        font_size=FONT_SIZE,
    )
    caption = Caption(start=0, end=frames, lines=TEXT)
    return edit_of(footage, [(0, frames)], CANVAS, crop, captions=(caption,), caption_style=style)


def crop_left(frame: int) -> int:
    """The left edge of the crop at ``frame``."""
    return LEFT + STEP * (min(max(frame, MOVE_FROM), MOVE_TO) - MOVE_FROM)


def _caption_box(path: Path) -> Path:
    """A picture of the caption as an editor would prepare it."""
    image = Image.new("RGBA", (BOX_WIDTH, BOX_HEIGHT))
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((0, 0, BOX_WIDTH - 1, BOX_HEIGHT - 1), radius=FONT_SIZE // 3, fill=(0, 0, 0, 150))
    font = ImageFont.load_default(FONT_SIZE)
    pen.multiline_text((BOX_WIDTH / 2, BOX_HEIGHT / 2), "\n".join(TEXT), font=font, anchor="mm", align="center")
    image.save(path)
    return path


def _ffmpeg_command(footage: Footage, box: Path) -> Command:
    return [*_filtering(footage, box), "-map", "0:a", "-t", str(SECONDS), *encoded_alike(footage.rate)]


def _filtering(footage: Footage, box: Path) -> Command:
    left = f"{LEFT}+{STEP}*(clip(n,{MOVE_FROM},{MOVE_TO})-{MOVE_FROM})"
    graph = (
        f"[0:v]crop={CROP_WIDTH}:{CROP_HEIGHT}:'{left}':0,scale={CANVAS.width}:{CANVAS.height}[film];"
        f"[film][1:v]overlay={BOX_X}:{BOX_Y}[out]"
    )
    return [*ffmpeg(), "-i", footage.path, "-i", box, "-filter_complex", graph, "-map", "[out]"]


def _moviepy_command(footage: Footage, box: Path, out: Path) -> Command:
    return [sys.executable, "-m", "benchmarks.render_moviepy", footage.path, box, out]

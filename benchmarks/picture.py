"""What is drawn into a 1080p frame, in milliseconds of processor time, and against the usual FFmpeg filters for it."""

from collections.abc import Callable
from fractions import Fraction
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time

import cv2
import numpy as np
from av import VideoFrame
from av.filter import Graph
from av.filter.context import FilterContext

from benchmarks.frame import Figures
from benchmarks.timing import median_ratio
from render.captions import CaptionBurner
from render.chain import FilterChain
from render.grading import Grading
from render.insets import Inset
from render.layers import mixed
from schemas.edl import Canvas, Caption, CaptionLook, CaptionStyle, CaptionWord, Grade, Look, Place

NAME = "picture"

_CANVAS = Canvas(width=1920, height=1080)
_PLACE = Place(x=1200, y=600, width=640, height=360)
_GRADE = Grade(exposure_millistops=200, warmth=10, look=Look.CINEMA)
_ROUNDS, _FRAMES = 7, 20
_TABLE_POINTS = 17
_LINES = ("What a viewer reads while", "it is being said")

Act = Callable[[], object]


def run() -> Figures:
    with TemporaryDirectory(prefix="cinema-picture-") as name:
        folder = Path(name)
        graded, usual_grade = _grading(folder), _rgb_table(folder)
        burned, usual_captions = _captions(), _Overlay().apply
        frame, inset = _picture(_CANVAS.width, _CANVAS.height), _picture(_PLACE.width, _PLACE.height)
        masks = Inset(_PLACE, _CANVAS)
        grades = [(_cost_ms(graded), _cost_ms(usual_grade)) for _ in range(_ROUNDS)]
        captions = [(_cost_ms(burned), _cost_ms(usual_captions)) for _ in range(_ROUNDS)]
        return {
            "grade.cpu_ms_per_frame": median(ours for ours, _ in grades),
            "grade.cpu_vs_rgb_lut3d": median_ratio(grades),
            "captions.cpu_ms_per_frame": median(ours for ours, _ in captions),
            "captions.cpu_vs_overlay_filter": median_ratio(captions),
            "captions.cpu_ms_per_word": median(_cost_ms(_words(), 8) for _ in range(_ROUNDS)),
            "inset.cpu_ms_per_frame": median(_cost_ms(lambda: masks.lay(inset, frame, 1.0)) for _ in range(_ROUNDS)),
            "dissolve.cpu_ms_per_frame": median(_cost_ms(lambda: mixed(frame, frame, 0.4)) for _ in range(_ROUNDS)),
        }


def _cost_ms(act: Act, times: int = _FRAMES) -> float:
    started = process_time()
    for _ in range(times):
        act()
    return 1000 * (process_time() - started) / times


def _picture(width: int, height: int) -> VideoFrame:
    """Soft noise in every plane, labelled as what is delivered."""
    noise = np.random.default_rng(1).integers(16, 236, (height * 3 // 2, width), np.uint8)
    frame = VideoFrame.from_ndarray(np.asarray(cv2.GaussianBlur(noise, (0, 0), 5), np.uint8), format="yuv420p")
    frame.colorspace = frame.color_range = 1
    return frame


def _grading(folder: Path) -> Act:
    frame = _picture(_CANVAS.width, _CANVAS.height)
    grading = Grading(frame, _GRADE, folder)
    return lambda: grading.apply(frame)


def _rgb_table(folder: Path) -> Act:
    """A table of the same size over RGB, as grades are usually applied."""
    steps = [point / (_TABLE_POINTS - 1) for point in range(_TABLE_POINTS)]
    rows = [f"{red:.6f} {green:.6f} {blue:.6f}" for blue in steps for green in steps for red in steps]
    table = folder / "identity.cube"
    table.write_text("\n".join([f"LUT_3D_SIZE {_TABLE_POINTS}", *rows]) + "\n")
    frame = _picture(_CANVAS.width, _CANVAS.height)
    to_rgb, to_yuv = {"pix_fmts": "gbrp"}, {"out_color_matrix": "bt709", "out_range": "tv"}
    looked_up = ("lut3d", {"file": str(table), "interp": "tetrahedral"})
    steps_of_chain = [("format", to_rgb), looked_up, ("scale", to_yuv), ("format", {"pix_fmts": "yuv420p"})]
    chain = FilterChain(frame, steps_of_chain)
    return lambda: chain.apply(frame)


def _style() -> CaptionStyle:
    return CaptionStyle(
        burn_in=True, look=CaptionLook.HIGHLIGHT, left=96, top=54, right=1824, bottom=1026, font_size=56
    )


def _caption() -> Caption:
    said = [text for line in _LINES for text in line.split()]
    words = tuple(CaptionWord(text=text, start=at, end=at + 1) for at, text in enumerate(said))
    return Caption(start=0, end=1000, lines=_LINES, words=words)


def _captions() -> Act:
    frame = _picture(_CANVAS.width, _CANVAS.height)
    burner = CaptionBurner((_caption(),), _style())
    return lambda: burner.burn(frame, 999)


def _words() -> Act:
    """Each call marks the next word, so that all is drawn anew."""
    frame, numbers = _picture(_CANVAS.width, _CANVAS.height), count()
    burner = CaptionBurner((_caption(),), _style())
    return lambda: burner.burn(frame, next(numbers))


class _Overlay:
    """FFmpeg's overlay filter with a picture of a caption's size and its own transparency."""

    def __init__(self) -> None:
        translucent = np.random.default_rng(2).integers(0, 256, (160, 640, 4), np.uint8)
        self._box = VideoFrame.from_ndarray(translucent, format="rgba").reformat(format="yuva420p")
        self._frame = _picture(_CANVAS.width, _CANVAS.height)
        self._graph = Graph()
        self._graph.threads = 1
        self._below, self._above = (self._input(frame) for frame in (self._frame, self._box))
        overlay, self._sink = self._graph.add("overlay", x="640", y="860"), self._graph.add("buffersink")
        self._below.link_to(overlay, 0, 0)
        self._above.link_to(overlay, 0, 1)
        overlay.link_to(self._sink)
        self._graph.configure()
        self._times = count()

    def _input(self, frame: VideoFrame) -> FilterContext:
        size = f"{frame.width}x{frame.height}"
        form = frame.format.name
        return self._graph.add("buffer", video_size=size, pix_fmt=form, time_base="1/30", pixel_aspect="1/1")

    def apply(self) -> object:
        self._frame.pts = self._box.pts = next(self._times)
        self._frame.time_base = self._box.time_base = Fraction(1, 30)
        self._above.push(self._box)
        self._below.push(self._frame)
        return self._sink.pull()

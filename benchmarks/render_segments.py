"""A long output in segments, each in a process of its own, against the same output in one: processor time and size.

Both are whole: the sound mastered, the file checked, the thumbnail picked.
"""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TypeVar

from benchmarks.footage import demo_footage
from benchmarks.frame import BenchmarkError, Figures
from benchmarks.render_edits import Footage, edit_of
from benchmarks.render_ours import ENCODER, cost_of_module
from benchmarks.timing import Cost, median_ratio
from render import segments_of
from schemas.edl import EDL, Canvas, CropKey
from schemas.model import Model
from schemas.rendering import (
    JoinRequest,
    MadePart,
    MadeSegment,
    RenderRequest,
    RenderResult,
    SegmentLengths,
    SegmentRequest,
)
from schemas.segments import SegmentReport

ROUNDS = 2
CANVAS = Canvas(width=1280, height=720)
#: Slightly closer than the whole picture, so that every frame is drawn anew.
CROP = CropKey(frame=0, x=96, y=54, width=1728, height=972)
#: Just long enough to be taken apart with the usual lengths, in shots as long as a talk's.
SECONDS, SHOT_S = 126, 4.2

Answer = TypeVar("Answer", bound=Model)


def measure() -> Figures:
    footage = Footage(demo_footage().talk)
    edl = long_edit(footage)
    with TemporaryDirectory(prefix="cinema-segments-") as name:
        rounds = [_round(edl, footage, Path(name) / str(number)) for number in range(ROUNDS)]
    return {
        "segments.count": float(len(segments_of(edl, SegmentLengths()))),
        "segments.cpu_vs_single_pass": median_ratio([(parts, whole) for parts, whole, _ in rounds]),
        "segments.bytes_vs_single_pass": median(size for *_, size in rounds),
    }


def long_edit(footage: Footage) -> EDL:
    """Shots of the talk from end to beginning, and again until it is long enough."""
    shot = round(SHOT_S * footage.rate)
    starts = list(range(footage.frames - shot, -1, -shot))
    pieces = [(starts[n % len(starts)], starts[n % len(starts)] + shot) for n in range(round(SECONDS / SHOT_S))]
    return edit_of(footage, pieces, CANVAS, (CROP,))


def _round(edl: EDL, footage: Footage, folder: Path) -> tuple[float, float, float]:
    """Processor seconds in parts and in one piece, and how many times as large the joined file is."""
    parts = _Steps(folder / "parts")
    joined = _in_parts(edl, footage, parts)
    whole = _Steps(folder / "whole")
    request = RenderRequest(edl=edl, sources=_sources(footage), folder=whole.folder("out"), encoder=ENCODER)
    rendered = whole.take("render", request, RenderResult)
    if joined.report.frames != rendered.report.frames:
        raise BenchmarkError(f"{joined.report.frames} frames in parts, {rendered.report.frames} in one piece")
    return parts.cpu_s, whole.cpu_s, joined.video.stat().st_size / rendered.video.stat().st_size


def _in_parts(edl: EDL, footage: Footage, steps: "_Steps") -> RenderResult:
    sources = _sources(footage)
    request = RenderRequest(edl=edl, sources=sources, folder=steps.folder("sound"), encoder=ENCODER)
    sound = steps.take("render_sound", request, MadePart)
    segments: list[MadeSegment] = []
    reports: list[SegmentReport] = [sound.report]
    for found in segments_of(edl, SegmentLengths()):
        asked = SegmentRequest(
            edl=edl,
            sources=sources,
            folder=steps.folder(f"segment-{found.first}"),
            encoder=ENCODER,
            first=found.first,
            end=found.end,
        )
        made = steps.take("render_segment", asked, MadePart)
        segments.append(MadeSegment(file=made.file, first=found.first, end=found.end))
        reports.append(made.report)
    join = JoinRequest(
        edl=edl,
        sources={},
        folder=steps.folder("out"),
        encoder=ENCODER,
        segments=tuple(segments),
        sound=sound.file,
        report=_together(reports),
    )
    return steps.take("join", join, RenderResult)


def _together(reports: Sequence[SegmentReport]) -> SegmentReport:
    return SegmentReport(
        notes=tuple(note for report in reports for note in report.notes),
        stages=tuple(stage for report in reports for stage in report.stages),
    )


def _sources(footage: Footage) -> dict[str, Path]:
    return {"footage": footage.path}


class _Steps:
    """Steps of a render, each a process of its own, and what they cost together."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._costs: list[Cost] = []

    @property
    def cpu_s(self) -> float:
        return sum(cost.cpu_s for cost in self._costs)

    def folder(self, name: str) -> Path:
        folder = self._root / name
        folder.mkdir(parents=True)
        return folder

    def take(self, step: str, request: RenderRequest, answer: type[Answer]) -> Answer:
        asked, told = request.folder / "request.json", request.folder / "answer.json"
        asked.write_text(request.model_dump_json())
        self._costs.append(cost_of_module("benchmarks.render_part", step, asked, told))
        return answer.model_validate_json(told.read_text())

"""Shot boundaries found in labelled footage against those that are there."""

import json
from pathlib import Path
from typing import Any

from analysis import run_analyzer
from benchmarks.facts import measure_probe
from benchmarks.frame import BenchmarkError, Figures
from schemas.analysing import AnalysisRequest
from schemas.facts import Shots
from schemas.media import AssetKind
from schemas.progress import ignore_progress

#: Footage whose every hard cut is known, under ``cuts/``; its truth is under ``truth/``.
LABELLED = ("hardcuts_labelled_640x360_25fps", "cuts_and_gradual_640x360_25fps", "city_bikes_5cuts")
#: A boundary found this many frames off is still that boundary.
TOLERANCE_FRAMES = 1


def shot_figures(media: Path) -> Figures:
    """Hard cuts missed, and boundaries found where there is nothing; those in gradual changes count as neither."""
    missed = false = known = 0
    for name in LABELLED:
        truth = json.loads((media / "truth" / f"{name}.json").read_text())
        found = _found_frames(media / "cuts" / f"{name}.mp4")
        cuts = list(truth["hard_cut_frames"])
        known += len(cuts)
        missed += sum(not _near(cut, found) for cut in cuts)
        false += sum(not _near(frame, cuts) and not _excused(frame, truth) for frame in found)
    return {"shots.known": known, "shots.missed": missed, "shots.false": false}


def _found_frames(path: Path) -> list[int]:
    probe = measure_probe(path, AssetKind.B_ROLL)
    if probe.video is None:
        raise BenchmarkError(f"{path.name} has no picture.")
    request = AnalysisRequest(analyzer="shots", path=path, kind=AssetKind.B_ROLL, probe=probe)
    answer = run_analyzer(request, ignore_progress, Path())
    shots = Shots.model_validate(answer.model_dump()).shots
    return [round(shot.start_us * float(probe.video.measured_rate) / 1e6) for shot in shots[1:]]


def _near(frame: int, frames: list[int]) -> bool:
    return any(abs(frame - other) <= TOLERANCE_FRAMES for other in frames)


def _excused(frame: int, truth: dict[str, Any]) -> bool:
    """Inside a gradual change, or where a person might see a cut as well."""
    gradual = any(
        change["start_frame"] - TOLERANCE_FRAMES <= frame <= change["end_frame"] + TOLERANCE_FRAMES
        for change in truth.get("gradual", ())
    )
    open_to_question = [
        int(trap["frame"]) for trap in truth.get("not_cuts", ()) if trap.get("is_cut", False) is not False
    ]
    return gradual or _near(frame, open_to_question)

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

#: Footage whose every hard cut is known; its truth is under ``truth/``, by the same name.
LABELLED = (
    "cuts/hardcuts_labelled_640x360_25fps.mp4",
    "cuts/cuts_and_gradual_640x360_25fps.mp4",
    "cuts/city_bikes_5cuts.mp4",
    "cuts/fades_leaf_deer_wood.mp4",
    "cuts/big_buck_bunny_0-30s_vp8.webm",
    "composite/episode_landscape_1280x720_30fps.mp4",
    "composite/two_speaker_splitscreen_lipsync_1280x720_30fps.mp4",
)
#: A cut found this many frames off is another one.
TOLERANCE_FRAMES = 0


def shot_figures(media: Path) -> Figures:
    """Hard cuts missed, and boundaries found where there is nothing; those in gradual changes count as neither."""
    missed = false = known = 0
    for name in LABELLED:
        truth = json.loads((media / "truth" / f"{Path(name).stem}.json").read_text())
        found = _found_frames(media / name)
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
    open_to_question = list(truth.get("jump_cut_frames", ())) + [
        int(trap["frame"]) for trap in truth.get("not_cuts", ()) if trap.get("is_cut", False) is not False
    ]
    return gradual or _near(frame, open_to_question)

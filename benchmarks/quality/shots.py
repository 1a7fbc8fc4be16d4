"""Shot boundaries found in labelled footage against those that are there."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis import run_analyzer
from benchmarks.facts import measure_probe
from benchmarks.frame import BenchmarkError, Figures
from schemas.analysing import AnalysisRequest
from schemas.facts import Shots
from schemas.media import AssetKind, VideoStream
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


@dataclass(frozen=True)
class Judged:
    """How many hard cuts there are, how many of them were not found, and what was found where there is nothing."""

    known: int = 0
    missed: int = 0
    false: int = 0

    def __add__(self, other: "Judged") -> "Judged":
        return Judged(self.known + other.known, self.missed + other.missed, self.false + other.false)


def shot_figures(media: Path) -> Figures:
    """Hard cuts missed, and boundaries found where there is nothing; those in gradual changes count as neither."""
    files = [media / name for name in LABELLED]
    total = sum((judged(path, _found_frames(path)) for path in files), Judged())
    return {"shots.known": total.known, "shots.missed": total.missed, "shots.false": total.false}


def judged(path: Path, found: Sequence[int]) -> Judged:
    """The frames that begin shots, as somebody found them in labelled footage, against its truth."""
    truth = json.loads((path.parent.parent / "truth" / f"{path.stem}.json").read_text())
    cuts = list(truth["hard_cut_frames"])
    return Judged(
        known=len(cuts),
        missed=sum(not _near(cut, found) for cut in cuts),
        false=sum(not _near(frame, cuts) and not _excused(frame, truth) for frame in found),
    )


def _found_frames(path: Path) -> list[int]:
    probe = measure_probe(path, AssetKind.B_ROLL)
    if probe.video is None:
        raise BenchmarkError(f"{path.name} has no picture.")
    request = AnalysisRequest(analyzer="shots", path=path, kind=AssetKind.B_ROLL, probe=probe)
    answer = run_analyzer(request, ignore_progress, Path())
    return frames_of(Shots.model_validate(answer.model_dump()), probe.video)


def frames_of(shots: Shots, video: VideoStream) -> list[int]:
    """The numbers of the frames that begin a shot, the first one's left out."""
    return [round(shot.start_us * float(video.measured_rate) / 1e6) for shot in shots.shots[1:]]


def _near(frame: int, frames: Sequence[int]) -> bool:
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

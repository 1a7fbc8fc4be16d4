"""Shots found in the same footage by us and by PySceneDetect, by turns: what that costs, and how well it is done."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from scenedetect import AdaptiveDetector, detect

from analysis.probe import probe
from analysis.shots import ShotAnalysis
from analysis.viewing import open_footage
from analysis.watching import watch
from benchmarks.frame import BenchmarkError, Figures
from benchmarks.quality.shots import Judged, frames_of, judged
from benchmarks.timing import Cost, costing
from schemas.facts import Shots
from schemas.media import MediaProbe, VideoStream

ROUNDS = 3
_NAME = "shots_vs_pyscenedetect"

Work = Callable[[Path, MediaProbe], object]


def speed_figures(files: Sequence[Path]) -> Figures:
    """How many times as fast as by PySceneDetect's adaptive detector shots are found in all files together.

    ``decoding_alone`` is the same of decoding the frames that we look at and looking at none: all that could be had.
    """
    known = [(path, probe(path)) for path in files]
    figures: Figures = {}
    rounds = [[_total(work, known) for work in (_found_by_peer, _found, _decoded)] for _ in range(ROUNDS)]
    for name, ours in ((_NAME, 1), (f"{_NAME}.decoding_alone", 2)):
        figures[name] = median(costs[0].wall_s / costs[ours].wall_s for costs in rounds)
        figures[f"{name}_cpu"] = median(costs[0].cpu_s / costs[ours].cpu_s for costs in rounds)
    return figures


def accuracy_figures(files: Sequence[Path]) -> Figures:
    """How many hard cuts of labelled files both have missed, and how many they have found where there is none."""
    known = [(path, probe(path)) for path in files]
    ours, theirs = (
        sum((judged(path, find(path, its)) for path, its in known), Judged()) for find in (_found, _found_by_peer)
    )
    return {
        f"{_NAME}.cuts": ours.known,
        f"{_NAME}.missed": ours.missed,
        f"{_NAME}.invented": ours.false,
        f"{_NAME}.missed_by_pyscenedetect": theirs.missed,
        f"{_NAME}.invented_by_pyscenedetect": theirs.false,
    }


def _total(work: Work, known: Sequence[tuple[Path, MediaProbe]]) -> Cost:
    costs = [costing(partial(work, path, its))() for path, its in known]
    return Cost(wall_s=sum(cost.wall_s for cost in costs), cpu_s=sum(cost.cpu_s for cost in costs))


def _found_by_peer(path: Path, _: MediaProbe) -> list[int]:
    return [scene[0].frame_num for scene in detect(str(path), AdaptiveDetector())[1:]]


def _found(path: Path, known: MediaProbe) -> list[int]:
    (shots,) = watch(path, known, [ShotAnalysis(known)])
    return frames_of(Shots.model_validate(shots.model_dump()), _video_of(path, known))


def _decoded(path: Path, known: MediaProbe) -> None:
    with open_footage(path, known, _video_of(path, known)) as footage:
        for _ in footage.views():
            pass


def _video_of(path: Path, known: MediaProbe) -> VideoStream:
    if known.video is None:
        raise BenchmarkError(f"{path.name} has no picture.")
    return known.video

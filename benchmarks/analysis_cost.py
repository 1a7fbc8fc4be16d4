"""The analyzers against their peers, and each on the demo footage: seconds and processor seconds per minute of talk."""

from benchmarks.analysis_peers import picture_figures, transcript_figures
from benchmarks.analysis_shots import accuracy_figures, speed_figures
from benchmarks.facts import measure_footage
from benchmarks.footage import demo_footage, minutes_of
from benchmarks.frame import Figures
from benchmarks.quality.measuring import labelled_media
from benchmarks.quality.shots import LABELLED
from cinema.settings import Settings

NAME = "analysis"


def run() -> Figures:
    footage = demo_footage()
    minutes = minutes_of(footage.talk)
    models, labelled = Settings().models, labelled_media()
    cut = [] if labelled is None else [labelled / name for name in LABELLED]
    figures = picture_figures(footage.city, models) | speed_figures(cut or [footage.city])
    if cut:
        figures |= accuracy_figures(cut)
    figures |= transcript_figures(footage.talk, models)
    for asset in measure_footage(footage):
        for analyzer, cost in asset.costs.items():
            name = f"analysis.{asset.facts.asset_id}.{analyzer}"
            figures[f"{name}_s_per_min"] = cost.wall_s / minutes
            figures[f"{name}_cpu_s_per_min"] = cost.cpu_s / minutes
    return figures

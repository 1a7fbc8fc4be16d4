"""Each analyzer on the demo footage: seconds on the clock and of processor time per minute of talk."""

from benchmarks.facts import measure_footage
from benchmarks.footage import demo_footage, minutes_of
from benchmarks.frame import Figures

NAME = "analysis"


def run() -> Figures:
    footage = demo_footage()
    minutes = minutes_of(footage.talk)
    figures: Figures = {}
    for asset in measure_footage(footage):
        for analyzer, cost in asset.costs.items():
            name = f"analysis.{asset.facts.asset_id}.{analyzer}"
            figures[f"{name}_s_per_min"] = cost.wall_s / minutes
            figures[f"{name}_cpu_s_per_min"] = cost.cpu_s / minutes
    return figures

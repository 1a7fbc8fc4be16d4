"""The render engine against the programs that a creator would otherwise use, by turns in the same run."""

from collections.abc import Callable

from benchmarks import render_cuts, render_hook, render_memory, render_reel, render_segments
from benchmarks.frame import Figures

NAME = "render"

#: Each measures one subject and names its figures in full.
PARTS: tuple[Callable[[], Figures], ...] = (
    render_reel.measure,
    render_cuts.measure,
    render_memory.measure,
    render_segments.measure,
    render_hook.measure,
)


def run() -> Figures:
    figures: Figures = {}
    for measure in PARTS:
        figures |= measure()
    return figures

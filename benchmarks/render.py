"""The render engine against the programs that a creator would otherwise use, by turns in the same run."""

from collections.abc import Callable
from time import perf_counter

from benchmarks import render_cuts, render_hook, render_memory, render_reel, render_segments
from benchmarks.frame import BenchmarkError, Figures, IncompleteError
from schemas.errors import CinemaError

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
    """Measure every part, some minutes each, whatever becomes of the others.

    Raises:
        IncompleteError: One of them could not measure.
    """
    figures: Figures = {}
    failures: list[str] = []
    for measure in PARTS:
        name = measure.__module__.rpartition(".")[2]
        started = perf_counter()
        try:
            figures |= measure()
        except (BenchmarkError, CinemaError) as error:
            failures.append(f"{name}: {error}")
        print(f"{name} took {perf_counter() - started:.0f} s.")
    if failures:
        raise IncompleteError(" ".join(failures), figures)
    return figures

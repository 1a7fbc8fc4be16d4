"""Measure the quality of edits, print the figures and keep them in benchmarks/out/eval.json."""

import sys

from rich.console import Console

from benchmarks.frame import OUT, BenchmarkError, write_figures
from benchmarks.quality.limits import judged_table
from benchmarks.quality.measuring import measure_quality


def main() -> int:
    console = Console()
    try:
        figures = measure_quality(report=lambda step: console.print(f"{step} ..."))
        write_figures(OUT / "eval.json", figures)
    except BenchmarkError as error:
        console.print(str(error), style="red")
        return 1
    console.print(judged_table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())

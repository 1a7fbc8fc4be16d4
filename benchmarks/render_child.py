"""One render in a process of its own, so that all it costs can be told: ``python -m benchmarks.render_child IN OUT``.

What is written to OUT: seconds of each stage, and of the clock and the processor until the video was made (before it
was checked) and in all, counted from the start of the process.
"""

import json
import sys
from pathlib import Path
from time import CLOCK_BOOTTIME, clock_gettime, process_time

from render.engine import SHARES, make_video, prove_video
from render.steps import Steps
from schemas.progress import ignore_progress
from schemas.rendering import RenderRequest


def main(asked: Path, told: Path) -> None:
    request = RenderRequest.model_validate_json(asked.read_text(encoding="utf-8"))
    steps = Steps(ignore_progress, SHARES)
    times = {"start": _age_s()}
    made = make_video(request, steps)
    times |= {"made_wall": _age_s(), "made_cpu": process_time()}
    report = prove_video(request, made, steps).report
    times |= {"wall": _age_s(), "cpu": process_time()}
    times |= {stage.stage.replace(" ", "_"): stage.seconds for stage in report.metrics.stages}
    told.write_text(json.dumps(times), encoding="utf-8")


def _age_s() -> float:
    """How long ago this process was started (proc(5), field 22 of stat, in ticks of 10 ms)."""
    fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return clock_gettime(CLOCK_BOOTTIME) - int(fields[19]) / 100


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

"""One render in a process of its own, so that all it costs can be told: ``python -m benchmarks.reel_child IN OUT``."""

import json
import sys
from pathlib import Path

from render import render
from schemas.progress import ignore_progress
from schemas.rendering import RenderRequest


def main(asked: Path, stages: Path) -> None:
    result = render(RenderRequest.model_validate_json(asked.read_text()), ignore_progress)
    times = {stage.stage: stage.seconds for stage in result.report.metrics.stages}
    stages.write_text(json.dumps(times))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

"""One step of a render in a process of its own: ``python -m benchmarks.render_part STEP REQUEST.json ANSWER.json``.

STEP is ``render`` (all in one piece), ``render_sound``, ``render_segment`` or ``join``.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import render
from schemas.model import Model
from schemas.progress import ignore_progress
from schemas.rendering import JoinRequest, RenderRequest, SegmentRequest


def _whole(request: str) -> Model:
    return render.render(RenderRequest.model_validate_json(request), ignore_progress)


def _sound(request: str) -> Model:
    return render.render_sound(RenderRequest.model_validate_json(request), ignore_progress)


def _segment(request: str) -> Model:
    return render.render_segment(SegmentRequest.model_validate_json(request), ignore_progress)


def _join(request: str) -> Model:
    return render.join(JoinRequest.model_validate_json(request), ignore_progress)


STEPS: Mapping[str, Callable[[str], Model]] = {
    "render": _whole,
    "render_sound": _sound,
    "render_segment": _segment,
    "join": _join,
}


if __name__ == "__main__":
    step, asked, told = sys.argv[1:]
    Path(told).write_text(STEPS[step](Path(asked).read_text(encoding="utf-8")).model_dump_json(), encoding="utf-8")

"""Our render as one of the programs that are compared, in the environment in which a worker starts it."""

import compileall
import json
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import benchmarks
import render
import schemas
from activities.child_environment import CHILD_LIBRARIES
from activities.child_tasks import RENDERING
from benchmarks.render_edits import Footage
from benchmarks.timing import Cost, cost_of
from schemas.edl import EDL
from schemas.rendering import EncoderSettings, RenderRequest

#: x264's and AAC's settings, given to the others too.
ENCODER = EncoderSettings()


@dataclass(frozen=True)
class OurCost:
    """What a render cost in all, what until the video was made and not yet checked, and the seconds of its stages."""

    whole: Cost
    made: Cost
    stages: dict[str, float]


def our_cost(edl: EDL, footage: Footage, folder: Path, kept: Path | None = None) -> OurCost:
    """Render in a process of its own; the video is moved to ``kept`` if that is given."""
    with TemporaryDirectory(dir=folder) as name:
        work = Path(name)
        request = RenderRequest(edl=edl, sources={"footage": footage.path}, folder=work, encoder=ENCODER)
        (work / "request.json").write_text(request.model_dump_json())
        whole = cost_of_module("benchmarks.render_child", work / "request.json", work / "told.json")
        stages: dict[str, float] = json.loads((work / "told.json").read_text())
        if kept is not None:
            (work / "output.mp4").rename(kept)
    made = Cost(wall_s=stages.pop("made_wall"), cpu_s=stages.pop("made_cpu"), peak_mib=whole.peak_mib)
    del stages["wall"], stages["cpu"]
    return OurCost(whole, made, stages)


def cost_of_module(module: str, *arguments: str | Path) -> Cost:
    """Run a module of ours as a worker would."""
    _compile()
    return cost_of([sys.executable, "-m", module, *arguments], {**CHILD_LIBRARIES, **RENDERING})


@cache
def _compile() -> None:
    """What is installed is compiled; what runs from a source tree may be kept from writing its bytecode down."""
    for package in (benchmarks, render, schemas):
        for folder in package.__path__:
            compileall.compile_dir(folder, quiet=1)

"""What a sandboxed child can be asked to do."""

from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Len

from activities.sandbox import ChildTask
from schemas.analysing import AnalysisRequest
from schemas.model import Model
from schemas.rendering import JoinRequest, RenderRequest, SegmentRequest

#: Where frames are made, the memory of one is given back as soon as it is freed (mallopt(3) of the GNU C library;
#: others take no notice), whatever small things lie behind it.
RENDERING = {"MALLOC_MMAP_THRESHOLD_": str(1 << 18)}


class Analyse(Model):
    """Analyzers on one local file, with the folder their models are cached in.

    ``speech`` is the descriptor over which to ask for what is said, where anybody wants to know.
    """

    requests: Annotated[tuple[AnalysisRequest, ...], Len(1)]
    models: Path
    speech: Annotated[int, Ge(0)] | None = None


class Answers(Model):
    """What each analyzer answered, in the order asked, as its own JSON."""

    answers: tuple[str, ...]


class LookAt(Model):
    """A local file that its creator calls ``name``."""

    path: Path
    name: str
    models: Path


ANALYSE = ChildTask("activities.analyse_child", Analyse)
LOOK = ChildTask("activities.look_child", LookAt)
RENDER = ChildTask("activities.render_child", RenderRequest, RENDERING)
SEGMENT = ChildTask("activities.segment_child", SegmentRequest, RENDERING)
SOUND = ChildTask("activities.sound_child", RenderRequest, RENDERING)
JOIN = ChildTask("activities.join_child", JoinRequest, RENDERING)

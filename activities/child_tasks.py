"""What a sandboxed child can be asked to do."""

from pathlib import Path

from activities.sandbox import ChildTask
from schemas.analysing import AnalysisRequest
from schemas.model import Model
from schemas.rendering import JoinRequest, RenderRequest, SegmentRequest


class Analyse(Model):
    """One analyzer on one local file, with the folder its models are cached in."""

    request: AnalysisRequest
    models: Path


class LookAt(Model):
    """A local file that its creator calls ``name``."""

    path: Path
    name: str
    models: Path


ANALYSE = ChildTask("activities.analyse_child", Analyse)
LOOK = ChildTask("activities.look_child", LookAt)
RENDER = ChildTask("activities.render_child", RenderRequest)
SEGMENT = ChildTask("activities.segment_child", SegmentRequest)
SOUND = ChildTask("activities.sound_child", RenderRequest)
JOIN = ChildTask("activities.join_child", JoinRequest)

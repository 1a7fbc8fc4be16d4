"""The activities' names, task queues, arguments and results: all a workflow may know of them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from annotated_types import Ge, Gt, Len

from schemas.analysing import ArtifactRef
from schemas.control import OutputState
from schemas.delivery import DeliveryCheck
from schemas.edl import Variant
from schemas.errors import ErrorInfo
from schemas.jobs import ArtifactCounts, JobRequest, JobStatus, OutputStatus
from schemas.media import AssetKind
from schemas.model import Model
from schemas.opening import NewJob
from schemas.service import Service
from schemas.timebase import Frames

Argument = TypeVar("Argument", bound=Model)
Result = TypeVar("Result", bound=Model | None)


class TaskQueue(StrEnum):
    """What a worker needs to have: a task queue is a promise about the machine behind it."""

    JOBS = "cinema-jobs"
    ANALYSIS = "cinema-analysis"
    RENDER = "cinema-render"
    ANALYSIS_GPU = "cinema-analysis-gpu"
    RENDER_GPU = "cinema-render-gpu"

    @property
    def needs_gpu(self) -> bool:
        return self in {TaskQueue.ANALYSIS_GPU, TaskQueue.RENDER_GPU}


@dataclass(frozen=True)
class Declaration(Generic[Argument, Result]):
    """One activity as its callers see it; workers on the queue ``accelerated`` have a GPU that makes it faster."""

    name: str
    queue: TaskQueue
    argument: type[Argument]
    result: type[Result]
    accelerated: TaskQueue | None = None


class AssetRef(Model):
    """An asset by id and content; ``object_key`` lies in bucket ``assets``."""

    asset_id: UUID
    name: str
    kind: AssetKind
    object_key: str
    sha256: str


class OutputRef(Model):
    output_id: UUID
    variant: Variant
    status: OutputStatus


class JobRef(Model):
    job_id: UUID


class Nothing(Model):
    """The argument of an activity that needs none: fields can be added to it without breaking running workflows."""


class Accelerators(Model):
    """Where work that can use a GPU may be sent now, and how many seconds it waits there before a CPU takes it."""

    queues: tuple[TaskQueue, ...] = ()
    patience_s: Annotated[float, Gt(0)] = 20


class OpenJob(Model):
    """Write the rows of a job that came with its workflow's input."""

    job_id: UUID
    new_job: NewJob


class LoadedJob(Model):
    """A job as its workflow needs it: who and what it is for, how it is served, and what is still to do.

    ``retries`` are the ids of the orders to make outputs again that have been carried out.
    """

    job_id: UUID
    owner_id: UUID
    project_id: UUID
    project_name: str
    status: JobStatus
    request: JobRequest
    service: Service = Service()
    assets: tuple[AssetRef, ...]
    outputs: tuple[OutputState, ...]
    artifacts: ArtifactCounts = ArtifactCounts()
    retries: tuple[str, ...] = ()


class Artifact(Model):
    """A stored analysis and whether this call had to make it."""

    ref: ArtifactRef
    computed: bool


class ProbedAsset(Model):
    """A usable asset: its probe, the analyzers that apply to it, its length, and whether it has sound to align to."""

    probe: Artifact
    analyzers: tuple[str, ...]
    duration_us: int
    has_sound: bool


class AnalyseAsset(Model):
    """Run one analyzer on one asset. ``reference`` is the asset it is measured against, where it needs one."""

    asset: AssetRef
    analyzer: str
    probe: ArtifactRef
    language: str | None = None
    reference: AssetRef | None = None


class Reference(Model):
    """An asset that another one is measured against."""

    asset: AssetRef
    probe: ArtifactRef


class AnalysePass(Model):
    """Run several analyzers on one asset in one decode pass, which goes by ``name`` (see ``passes_of``).

    An analyzer that measures it against another asset answers for each of the ``references``.
    """

    asset: AssetRef
    name: str
    analyzers: Annotated[tuple[str, ...], Len(1)]
    probe: ArtifactRef
    language: str | None = None
    references: tuple[Reference, ...] = ()


class AnalysedPass(Model):
    """The artifacts, one for each analyzer or, where it was asked for several, for each reference, in that order."""

    artifacts: tuple[Artifact, ...]


class RefuseAsset(Model):
    asset_id: UUID
    error: ErrorInfo


class AnalysedAsset(Model):
    """An asset with every artifact made of it."""

    asset: AssetRef
    artifacts: tuple[ArtifactRef, ...]


class PlanOutput(Model):
    """Direct one output from the facts of the job's usable assets, in the creator's order."""

    job_id: UUID
    owner_id: UUID
    project_id: UUID
    project_name: str
    output: OutputRef
    request: JobRequest
    assets: tuple[AnalysedAsset, ...]


class SegmentSpan(Model):
    """Timeline frames ``[first, end)``."""

    first: Frames
    end: Frames


class PlannedOutput(Model):
    """Where the EDL lies in bucket ``outputs``, how many microseconds of video it makes, and how it was found to be.

    Without ``segments`` it is rendered in one piece.
    """

    edl_key: str
    duration_us: int
    review: tuple[DeliveryCheck, ...] = ()
    segments: tuple[SegmentSpan, ...] = ()


class RenderOutput(Model):
    """Render the EDL and prove the file; ``review`` is the part of the proof that only the plan's facts could give."""

    job_id: UUID
    owner_id: UUID
    project_id: UUID
    output: OutputRef
    edl_key: str
    review: tuple[DeliveryCheck, ...] = ()


class BeginParts(Model):
    """Begin to render an EDL in parts: part 0 is its sound, part n the n-th of ``segments``."""

    owner_id: UUID
    project_id: UUID
    output: OutputRef
    edl_key: str
    segments: tuple[SegmentSpan, ...]


class BegunParts(Model):
    """The attempt that makes the parts, and the numbers of those that are not there from before."""

    attempt: int
    missing: tuple[int, ...]


class RenderPart(Model):
    """Render one part of an EDL: for number 0 the sound of all of it, else the picture of ``span``."""

    owner_id: UUID
    project_id: UUID
    output: OutputRef
    edl_key: str
    attempt: int
    number: Annotated[int, Ge(0)]
    span: SegmentSpan


class RenderedPart(Model):
    """``reused`` says that it was there, or that another worker made it meanwhile."""

    reused: bool


class AssembleOutput(RenderOutput):
    """Join the parts of an EDL, all of which have been rendered, and prove and publish the file like any other."""

    segments: tuple[SegmentSpan, ...]


class RenderedOutput(Model):
    """What was published. ``reused`` says that an earlier attempt had already published it."""

    video_key: str
    video_sha256: str
    attempt: int
    reused: bool


class AwaitVideo(Model):
    """Wait while somebody makes the owner's video that goes by ``render_key``, or the ``part`` of one."""

    owner_id: UUID
    render_key: str
    part: bool = False


class OutputFailure(Model):
    output_id: UUID
    error: ErrorInfo


class OutputIds(Model):
    outputs: tuple[UUID, ...]


class OutputStates(Model):
    """Outputs as their rows say they are."""

    outputs: tuple[OutputState, ...]


class ReopenOutputs(Model):
    """Put outputs back in the queue, once for each ``retry_id``; none named means all that failed or was cancelled."""

    job_id: UUID
    retry_id: str
    outputs: tuple[UUID, ...]


class QueuedWork(Model):
    """The ids of a workflow's activities that no worker has begun."""

    activity_ids: tuple[str, ...]


class JobStage(Model):
    job_id: UUID
    status: JobStatus


class JobOutcome(Model):
    """How a job ends. ``error`` fails whatever is not settled; ``cancelled`` cancels it; else all must be settled."""

    job_id: UUID
    artifacts: ArtifactCounts
    error: ErrorInfo | None = None
    cancelled: bool = False


class SettledJob(Model):
    """The job's final status and its outputs'."""

    job_id: UUID
    status: JobStatus
    outputs: tuple[OutputRef, ...]
    artifacts: ArtifactCounts


OPEN_JOB = Declaration("open_job", TaskQueue.JOBS, OpenJob, type(None))
LOAD_JOB = Declaration("load_job", TaskQueue.JOBS, JobRef, LoadedJob)
ENTER_STAGE = Declaration("enter_stage", TaskQueue.JOBS, JobStage, type(None))
REFUSE_ASSET = Declaration("refuse_asset", TaskQueue.JOBS, RefuseAsset, type(None))
PLAN_OUTPUT = Declaration("plan_output", TaskQueue.JOBS, PlanOutput, PlannedOutput)
FAIL_OUTPUT = Declaration("fail_output", TaskQueue.JOBS, OutputFailure, OutputStates)
CANCEL_OUTPUTS = Declaration("cancel_outputs", TaskQueue.JOBS, OutputIds, OutputStates)
APPROVE_OUTPUTS = Declaration("approve_outputs", TaskQueue.JOBS, OutputIds, OutputStates)
REOPEN_OUTPUTS = Declaration("reopen_outputs", TaskQueue.JOBS, ReopenOutputs, OutputStates)
FIND_QUEUED_WORK = Declaration("find_queued_work", TaskQueue.JOBS, Nothing, QueuedWork)
SETTLE_JOB = Declaration("settle_job", TaskQueue.JOBS, JobOutcome, SettledJob)
PROBE_ASSET = Declaration("probe_asset", TaskQueue.ANALYSIS, AssetRef, ProbedAsset)
ANALYSE_ASSET = Declaration("analyse_asset", TaskQueue.ANALYSIS, AnalyseAsset, Artifact)
ANALYSE_PASS = Declaration("analyse_pass", TaskQueue.ANALYSIS, AnalysePass, AnalysedPass)
RENDER_OUTPUT = Declaration("render_output", TaskQueue.RENDER, RenderOutput, RenderedOutput, TaskQueue.RENDER_GPU)
BEGIN_PARTS = Declaration("begin_parts", TaskQueue.JOBS, BeginParts, BegunParts)
RENDER_SOUND = Declaration("render_sound", TaskQueue.RENDER, RenderPart, RenderedPart)
RENDER_SEGMENT = Declaration("render_segment", TaskQueue.RENDER, RenderPart, RenderedPart, TaskQueue.RENDER_GPU)
ASSEMBLE_OUTPUT = Declaration("assemble_output", TaskQueue.RENDER, AssembleOutput, RenderedOutput)
AWAIT_VIDEO = Declaration("await_video", TaskQueue.JOBS, AwaitVideo, type(None))
FIND_ACCELERATORS = Declaration("find_accelerators", TaskQueue.JOBS, Nothing, Accelerators)

#: The analyzers that a GPU makes faster; the others only decode, and would keep it from those.
ACCELERATED_ANALYZERS = frozenset({"transcript"})


def analysis_by(analyzer: str) -> Declaration[AnalyseAsset, Artifact]:
    """The activity that runs ``analyzer``, where it runs best."""
    return replace(ANALYSE_ASSET, accelerated=TaskQueue.ANALYSIS_GPU if analyzer in ACCELERATED_ANALYZERS else None)


def pass_of(analyzers: Iterable[str]) -> Declaration[AnalysePass, AnalysedPass]:
    """The activity that runs ``analyzers`` in one pass, where the one that a GPU makes faster runs best."""
    accelerated = any(analyzer in ACCELERATED_ANALYZERS for analyzer in analyzers)
    return replace(ANALYSE_PASS, accelerated=TaskQueue.ANALYSIS_GPU if accelerated else None)

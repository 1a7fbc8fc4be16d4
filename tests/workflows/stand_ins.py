"""Activities that answer from memory, so that the workflow's order, retries and partial success can be seen alone."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from temporalio import activity

from activities.declarations import (
    ANALYSE_ASSET,
    ANALYSE_PASS,
    APPROVE_OUTPUTS,
    AWAIT_VIDEO,
    CANCEL_OUTPUTS,
    ENTER_STAGE,
    FAIL_OUTPUT,
    FIND_ACCELERATORS,
    LOAD_JOB,
    OPEN_JOB,
    PLAN_OUTPUT,
    PROBE_ASSET,
    REFUSE_ASSET,
    RENDER_OUTPUT,
    REOPEN_OUTPUTS,
    SETTLE_JOB,
    Accelerators,
    AnalyseAsset,
    AnalysedPass,
    AnalysePass,
    Artifact,
    AssetRef,
    AwaitVideo,
    JobOutcome,
    JobRef,
    JobStage,
    LoadedJob,
    Nothing,
    OpenJob,
    OutputFailure,
    OutputIds,
    OutputRef,
    OutputStates,
    PlannedOutput,
    PlanOutput,
    ProbedAsset,
    RefuseAsset,
    RenderedOutput,
    RenderOutput,
    ReopenOutputs,
    SettledJob,
)
from activities.interception import application_error
from activities.queued_work import find_queued_work
from schemas.analysing import ArtifactRef
from schemas.control import OutputState, outputs_to_retry
from schemas.delivery import DeliveryCheck
from schemas.edl import Variant
from schemas.errors import (
    CinemaError,
    ErrorCode,
    ErrorInfo,
    MediaRefused,
    OutputRefused,
    TransientError,
    VideoBeingMade,
)
from schemas.jobs import ArtifactCounts, JobRequest, JobStatus, OutputStatus
from schemas.media import AssetKind
from stores.settling import derived_status

FAILURE = ErrorInfo(code=ErrorCode.DELIVERY_CHECK_FAILED, message="Sound and picture are apart.", retryable=False)

#: What only the plan's facts could tell of an edit.
ROW = DeliveryCheck(name="cuts inside a word", measured="0", limit="0", passed=True)


def ref(analyzer: str) -> ArtifactRef:
    return ArtifactRef(analyzer=analyzer, key="ab" * 32, object_key="ab/ab.json")


def kind_of(name: str) -> AssetKind:
    return AssetKind.AUDIO if name.endswith(".wav") else AssetKind.A_ROLL


def sha256(name: str) -> str:
    """What stands for the content of the file of this name."""
    return hashlib.sha256(name.encode()).hexdigest()


@dataclass
class StandIns:
    """One job's worth of activities: scripted trouble in, what the workflow did out.

    What they remember outlives a run of the workflow, as rows do. Renders of ``held`` variants go on until they are
    taken out of it or cancelled. The videos of ``made_elsewhere`` are being made by somebody else.
    """

    assets: tuple[str, ...] = ("talk.mp4", "city.mp4")
    refused: frozenset[str] = frozenset()
    unplannable: frozenset[Variant] = frozenset()
    unrenderable: frozenset[Variant] = frozenset()
    render_crashes: int = 0
    hold_render: bool = False
    accelerators: Accelerators = field(default_factory=Accelerators)
    held: set[Variant] = field(default_factory=set)
    made_elsewhere: set[Variant] = field(default_factory=set)
    hold_probe: bool = False
    status: JobStatus = JobStatus.QUEUED
    request: JobRequest = field(default_factory=JobRequest)
    job_id: UUID = field(default_factory=uuid4)
    calls: Counter[str] = field(default_factory=Counter)
    stages: list[JobStatus] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    aligned: dict[str, tuple[str, ...]] = field(default_factory=dict)
    planned: list[PlanOutput] = field(default_factory=list)
    statuses: dict[Variant, OutputStatus] = field(default_factory=dict)
    reviews: dict[Variant, tuple[DeliveryCheck, ...]] = field(default_factory=dict)
    approved: set[UUID] = field(default_factory=set)
    retries: dict[str, tuple[UUID, ...]] = field(default_factory=dict)
    outcome: JobOutcome | None = None
    rendering: asyncio.Event = field(default_factory=asyncio.Event)
    tidied: int = 0

    def activities(self) -> Sequence[Callable[..., Any]]:
        return [
            self.open_job,
            self.load_job,
            self.enter_stage,
            self.refuse_asset,
            self.fail_output,
            self.settle_job,
            self.probe_asset,
            self.analyse_asset,
            self.analyse_pass,
            self.plan_output,
            self.render_output,
            self.await_video,
            self.find_accelerators,
            self.cancel_outputs,
            self.approve_outputs,
            self.reopen_outputs,
            find_queued_work,
        ]

    @activity.defn(name=OPEN_JOB.name)
    async def open_job(self, asked: OpenJob) -> None:
        self.calls["open"] += 1
        self.request = asked.new_job.request

    @activity.defn(name=LOAD_JOB.name)
    async def load_job(self, _: JobRef) -> LoadedJob:
        untouched = OutputStatus.CANCELLED if self.status is JobStatus.CANCELLED else OutputStatus.QUEUED
        self.statuses = self.statuses or dict.fromkeys(Variant, untouched)
        assets = tuple(
            AssetRef(asset_id=uuid4(), name=name, kind=kind_of(name), object_key=name, sha256=sha256(name))
            for name in self.assets
        )
        return LoadedJob(
            job_id=self.job_id,
            owner_id=uuid4(),
            project_id=uuid4(),
            project_name="a | project",
            status=self.status,
            request=self.request,
            assets=assets,
            outputs=self._states(),
            artifacts=self.outcome.artifacts if self.outcome is not None else ArtifactCounts(),
            retries=tuple(self.retries),
        )

    @activity.defn(name=FIND_ACCELERATORS.name)
    async def find_accelerators(self, _: Nothing) -> Accelerators:
        return self.accelerators

    @activity.defn(name=ENTER_STAGE.name)
    async def enter_stage(self, stage: JobStage) -> None:
        self.stages.append(stage.status)

    @activity.defn(name=REFUSE_ASSET.name)
    async def refuse_asset(self, refusal: RefuseAsset) -> None:
        self.refusals.append(refusal.error.message)

    @activity.defn(name=FAIL_OUTPUT.name)
    async def fail_output(self, failure: OutputFailure) -> OutputStates:
        self._set(failure.output_id, OutputStatus.FAILED)
        return self._states_of([failure.output_id])

    @activity.defn(name=CANCEL_OUTPUTS.name)
    async def cancel_outputs(self, asked: OutputIds) -> OutputStates:
        for output_id in asked.outputs:
            if not self._state(output_id).status.settled:
                self._set(output_id, OutputStatus.CANCELLED)
        return self._states_of(asked.outputs)

    @activity.defn(name=APPROVE_OUTPUTS.name)
    async def approve_outputs(self, asked: OutputIds) -> OutputStates:
        self.approved.update(asked.outputs)
        return self._states_of(asked.outputs)

    @activity.defn(name=REOPEN_OUTPUTS.name)
    async def reopen_outputs(self, asked: ReopenOutputs) -> OutputStates:
        if asked.retry_id not in self.retries:
            try:
                chosen = outputs_to_retry(self._states(), asked.outputs)
            except CinemaError as error:
                raise application_error(error) from error
            self.retries[asked.retry_id] = tuple(output.output_id for output in chosen)
            for output in chosen:
                self._set(output.output_id, OutputStatus.QUEUED)
            self.status = JobStatus.QUEUED
        return self._states_of(self.retries[asked.retry_id])

    @activity.defn(name=SETTLE_JOB.name)
    async def settle_job(self, outcome: JobOutcome) -> SettledJob:
        self.outcome = outcome
        if outcome.cancelled or outcome.error is not None:
            for state in self._states():
                if not state.status.settled:
                    self._set(state.output_id, OutputStatus.CANCELLED if outcome.cancelled else OutputStatus.FAILED)
        self.status = derived_status([state.status for state in self._states()], asset_refused=bool(self.refusals))
        return SettledJob(job_id=self.job_id, status=self.status, outputs=self._outputs(), artifacts=outcome.artifacts)

    @activity.defn(name=PROBE_ASSET.name)
    async def probe_asset(self, asset: AssetRef) -> ProbedAsset:
        self.calls["probe"] += 1
        if self.hold_probe:
            await self._until_cancelled()
        if asset.name in self.refused:
            raise application_error(MediaRefused(ErrorCode.MEDIA_EMPTY, f"{asset.name} is empty."))
        return ProbedAsset(
            probe=Artifact(ref=ref("probe"), computed=self._is_new("probe")),
            analyzers=("sound", "transcript"),
            duration_us=1_000_000,
            has_sound=True,
        )

    @activity.defn(name=ANALYSE_ASSET.name)
    async def analyse_asset(self, asked: AnalyseAsset) -> Artifact:
        self.calls[asked.analyzer] += 1
        return Artifact(ref=ref(asked.analyzer), computed=asked.analyzer == "sound" and self._is_new("sound"))

    @activity.defn(name=ANALYSE_PASS.name)
    async def analyse_pass(self, asked: AnalysePass) -> AnalysedPass:
        self.calls.update(asked.analyzers)
        if asked.references:
            against = tuple(reference.asset for reference in asked.references)
            self.aligned[asked.asset.name] = tuple(asset.name for asset in against)
            kept = [ref("alignment").model_copy(update={"key": asset.sha256}) for asset in against]
            return AnalysedPass(artifacts=tuple(Artifact(ref=one, computed=True) for one in kept))
        return AnalysedPass(
            artifacts=tuple(
                Artifact(ref=ref(analyzer), computed=analyzer == "sound" and self._is_new("sound"))
                for analyzer in asked.analyzers
            )
        )

    @activity.defn(name=PLAN_OUTPUT.name)
    async def plan_output(self, asked: PlanOutput) -> PlannedOutput:
        self.calls["plan"] += 1
        self.planned.append(asked)
        if asked.output.variant in self.unplannable:
            raise application_error(OutputRefused(ErrorCode.SOURCE_TOO_SHORT, "The source is 4 s long."))
        return PlannedOutput(edl_key=asked.output.variant, duration_us=5_000_000, review=(ROW,))

    @activity.defn(name=RENDER_OUTPUT.name)
    async def render_output(self, asked: RenderOutput) -> RenderedOutput:
        self.calls[f"render {asked.output.variant}"] += 1
        self.reviews[asked.output.variant] = asked.review
        if asked.output.variant in self.made_elsewhere:
            raise application_error(VideoBeingMade(asked.output.variant))
        self.rendering.set()
        if self.hold_render:
            await self._until_cancelled()
        if asked.output.variant in self.held:
            await self._until_cancelled(asked.output.variant)
        if activity.info().attempt <= self.render_crashes:
            raise application_error(TransientError(ErrorCode.PROCESS_CRASHED, "The process ended."))
        if asked.output.variant in self.unrenderable:
            raise application_error(CinemaError(ErrorCode.DELIVERY_CHECK_FAILED, "Sound and picture are apart."))
        self._set(asked.output.output_id, OutputStatus.COMPLETED)
        return RenderedOutput(video_key="k", video_sha256="ab" * 32, attempt=activity.info().attempt, reused=False)

    @activity.defn(name=AWAIT_VIDEO.name)
    async def await_video(self, asked: AwaitVideo) -> None:
        self.calls[f"await {asked.render_key}"] += 1
        if asked.render_key in self.made_elsewhere:
            raise application_error(VideoBeingMade(asked.render_key))

    async def _until_cancelled(self, held: Variant | None = None) -> None:
        try:
            while held is None or held in self.held:
                activity.heartbeat()
                await asyncio.sleep(0.1)
        finally:
            self.tidied += 1

    def _is_new(self, analyzer: str) -> bool:
        """Each asset is measured once, in whichever run of the workflow."""
        return self.calls[analyzer] <= len(self.assets)

    def id_of(self, variant: Variant) -> UUID:
        return UUID(int=list(Variant).index(variant) + 1)

    def _outputs(self) -> tuple[OutputRef, ...]:
        return tuple(
            OutputRef(output_id=state.output_id, variant=state.variant, status=state.status) for state in self._states()
        )

    def _states(self) -> tuple[OutputState, ...]:
        return tuple(
            OutputState(
                output_id=self.id_of(variant),
                variant=variant,
                status=status,
                error=FAILURE if status is OutputStatus.FAILED else None,
                approved=self.id_of(variant) in self.approved,
            )
            for variant, status in self.statuses.items()
        )

    def _state(self, output_id: UUID) -> OutputState:
        return next(state for state in self._states() if state.output_id == output_id)

    def _states_of(self, output_ids: Sequence[UUID]) -> OutputStates:
        return OutputStates(outputs=tuple(map(self._state, output_ids)))

    def _set(self, output_id: UUID, status: OutputStatus) -> None:
        self.statuses[list(self.statuses)[output_id.int - 1]] = status


@dataclass
class WithTwin(StandIns):
    """A job that makes a second hook cut."""

    twin: OutputStatus = OutputStatus.QUEUED
    twin_id: UUID = field(default_factory=uuid4)

    def _states(self) -> tuple[OutputState, ...]:
        states = [
            state.model_copy(update={"count": 2}) if state.variant is Variant.HOOK_CUT else state
            for state in super()._states()
        ]
        twin = OutputState(
            output_id=self.twin_id, variant=Variant.HOOK_CUT, number=2, count=2, status=self.twin, error=None
        )
        return (*states, twin)

    def _set(self, output_id: UUID, status: OutputStatus) -> None:
        if output_id == self.twin_id:
            self.twin = status
        else:
            super()._set(output_id, status)

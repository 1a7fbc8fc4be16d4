"""Activities that answer from memory, so that the workflow's order, retries and partial success can be seen alone."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from temporalio import activity

from activities.declarations import (
    ANALYSE_ASSET,
    ENTER_STAGE,
    FAIL_OUTPUT,
    FIND_ACCELERATORS,
    LOAD_JOB,
    PLAN_OUTPUT,
    PROBE_ASSET,
    REFUSE_ASSET,
    RENDER_OUTPUT,
    SETTLE_JOB,
    Accelerators,
    AnalyseAsset,
    Artifact,
    AssetRef,
    JobOutcome,
    JobRef,
    JobStage,
    LoadedJob,
    Nothing,
    OutputFailure,
    OutputRef,
    PlannedOutput,
    PlanOutput,
    ProbedAsset,
    RefuseAsset,
    RenderedOutput,
    RenderOutput,
    SettledJob,
)
from activities.interception import application_error
from schemas.analysing import ArtifactRef
from schemas.edl import Variant
from schemas.errors import CinemaError, ErrorCode, MediaRefused, OutputRefused, TransientError
from schemas.jobs import JobRequest, JobStatus, OutputStatus
from schemas.media import AssetKind


def ref(analyzer: str) -> ArtifactRef:
    return ArtifactRef(analyzer=analyzer, key="ab" * 32, object_key="ab/ab.json")


@dataclass
class StandIns:
    """One job's worth of activities: scripted trouble in, what the workflow did out."""

    assets: tuple[str, ...] = ("talk.mp4", "city.mp4")
    refused: frozenset[str] = frozenset()
    unplannable: frozenset[Variant] = frozenset()
    unrenderable: frozenset[Variant] = frozenset()
    render_crashes: int = 0
    hold_render: bool = False
    accelerators: Accelerators = field(default_factory=Accelerators)
    status: JobStatus = JobStatus.QUEUED
    job_id: UUID = field(default_factory=uuid4)
    calls: Counter[str] = field(default_factory=Counter)
    stages: list[JobStatus] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    statuses: dict[Variant, OutputStatus] = field(default_factory=dict)
    outcome: JobOutcome | None = None
    rendering: asyncio.Event = field(default_factory=asyncio.Event)
    tidied: int = 0

    def activities(self) -> Sequence[Callable[..., Any]]:
        return [
            self.load_job,
            self.enter_stage,
            self.refuse_asset,
            self.fail_output,
            self.settle_job,
            self.probe_asset,
            self.analyse_asset,
            self.plan_output,
            self.render_output,
            self.find_accelerators,
        ]

    @activity.defn(name=LOAD_JOB.name)
    async def load_job(self, _: JobRef) -> LoadedJob:
        self.statuses = dict.fromkeys(Variant, OutputStatus.QUEUED)
        assets = tuple(
            AssetRef(asset_id=uuid4(), name=name, kind=AssetKind.A_ROLL, object_key=name, sha256="ab" * 32)
            for name in self.assets
        )
        return LoadedJob(
            job_id=self.job_id,
            owner_id=uuid4(),
            project_id=uuid4(),
            project_name="a | project",
            status=self.status,
            request=JobRequest(),
            assets=assets,
            outputs=self._outputs(),
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
    async def fail_output(self, failure: OutputFailure) -> None:
        self._set(failure.output_id, OutputStatus.FAILED)

    @activity.defn(name=SETTLE_JOB.name)
    async def settle_job(self, outcome: JobOutcome) -> SettledJob:
        self.outcome = outcome
        completed = sum(status is OutputStatus.COMPLETED for status in self.statuses.values())
        status = (
            JobStatus.COMPLETED if completed == len(Variant) else JobStatus.PARTIAL if completed else JobStatus.FAILED
        )
        return SettledJob(job_id=self.job_id, status=status, outputs=self._outputs(), artifacts=outcome.artifacts)

    @activity.defn(name=PROBE_ASSET.name)
    async def probe_asset(self, asset: AssetRef) -> ProbedAsset:
        self.calls["probe"] += 1
        if asset.name in self.refused:
            raise application_error(MediaRefused(ErrorCode.MEDIA_EMPTY, f"{asset.name} is empty."))
        return ProbedAsset(
            probe=Artifact(ref=ref("probe"), computed=True),
            analyzers=("sound", "transcript"),
            duration_us=1_000_000,
            has_sound=True,
        )

    @activity.defn(name=ANALYSE_ASSET.name)
    async def analyse_asset(self, asked: AnalyseAsset) -> Artifact:
        self.calls[asked.analyzer] += 1
        return Artifact(ref=ref(asked.analyzer), computed=asked.analyzer == "sound")

    @activity.defn(name=PLAN_OUTPUT.name)
    async def plan_output(self, asked: PlanOutput) -> PlannedOutput:
        self.calls["plan"] += 1
        if asked.output.variant in self.unplannable:
            raise application_error(OutputRefused(ErrorCode.SOURCE_TOO_SHORT, "The source is 4 s long."))
        return PlannedOutput(edl_key=asked.output.variant, duration_us=5_000_000)

    @activity.defn(name=RENDER_OUTPUT.name)
    async def render_output(self, asked: RenderOutput) -> RenderedOutput:
        self.calls[f"render {asked.output.variant}"] += 1
        self.rendering.set()
        if self.hold_render:
            await self._until_cancelled()
        if activity.info().attempt <= self.render_crashes:
            raise application_error(TransientError(ErrorCode.PROCESS_CRASHED, "The process ended."))
        if asked.output.variant in self.unrenderable:
            raise application_error(CinemaError(ErrorCode.DELIVERY_CHECK_FAILED, "Sound and picture are apart."))
        self._set(asked.output.output_id, OutputStatus.COMPLETED)
        return RenderedOutput(video_key="k", video_sha256="ab" * 32, attempt=activity.info().attempt, reused=False)

    async def _until_cancelled(self) -> None:
        try:
            while True:
                activity.heartbeat()
                await asyncio.sleep(0.1)
        finally:
            self.tidied += 1

    def _outputs(self) -> tuple[OutputRef, ...]:
        return tuple(
            OutputRef(output_id=UUID(int=number), variant=variant, status=status)
            for number, (variant, status) in enumerate(self.statuses.items(), start=1)
        )

    def _set(self, output_id: UUID, status: OutputStatus) -> None:
        self.statuses[list(self.statuses)[output_id.int - 1]] = status

"""The workflow of a job: load, analyse every asset, plan and render each output on its own, settle."""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.declarations import (
        ENTER_STAGE,
        FAIL_OUTPUT,
        LOAD_JOB,
        PLAN_OUTPUT,
        PROBE_ASSET,
        REFUSE_ASSET,
        RENDER_OUTPUT,
        SETTLE_JOB,
        AnalyseAsset,
        AnalysedAsset,
        Artifact,
        AssetRef,
        JobOutcome,
        JobRef,
        JobStage,
        LoadedJob,
        OutputFailure,
        OutputRef,
        PlannedOutput,
        PlanOutput,
        ProbedAsset,
        RefuseAsset,
        RenderOutput,
        SettledJob,
        analysis_by,
    )
    from schemas.errors import ErrorCode, ErrorInfo
    from schemas.jobs import ArtifactCounts, JobStatus
    from schemas.media import AssetKind
    from workflows.calls import JobCalls, failure_of
    from workflows.client_input import NO_ARGUMENT, one_argument, received_job
    from workflows.contract import DIRECT_JOB, JOB_STATUS, OWNER, PROJECT, VARIANTS, DirectJobResult
    from workflows.limits import LIGHT, PROBE, analysis_limits, render_limits
    from workflows.opening import open_job
    from workflows.operator_view import OperatorView

#: The analyzer that measures one asset against another.
ALIGNMENT = "alignment"

NO_USABLE_ASSET = ErrorInfo(
    code=ErrorCode.NO_USABLE_ASSET,
    message="None of the files could be used; each of them says why.",
    retryable=False,
)


T = TypeVar("T")


@dataclass(frozen=True)
class _UsableAsset:
    """An asset that passed its probe."""

    asset: AssetRef
    probed: ProbedAsset


@workflow.defn(name=DIRECT_JOB)
class DirectJob:
    """Turns a job's footage into its outputs; one output's failure never touches its siblings."""

    @workflow.init
    @one_argument
    def __init__(self, argument: RawValue = NO_ARGUMENT) -> None:
        self._received = received_job(argument)
        self._job_id = self._received.job_id
        self._artifacts: list[Artifact] = []
        self._view = OperatorView()
        self._call = JobCalls()

    @workflow.run
    @one_argument
    async def run(self, argument: RawValue = NO_ARGUMENT) -> DirectJobResult:  # noqa: ARG002 (kept by __init__)
        await open_job(self._received)
        try:
            error = await self._direct()
        except ActivityError as failure:
            return await self._settle_broken(failure)
        except asyncio.CancelledError:
            await self._settle(cancelled=True)
            raise
        return await self._settle(error=error)

    async def _direct(self) -> ErrorInfo | None:
        """Do the whole job; the error is why nothing at all could be made."""
        loaded = await self._call(LOAD_JOB, JobRef(job_id=self._job_id), LIGHT, summary="load job")
        self._introduce(loaded)
        if loaded.status.settled:
            return None
        await self._enter(JobStatus.ANALYSING)
        usable = await self._analyse(loaded)
        if not usable:
            return NO_USABLE_ASSET
        await self._enter(JobStatus.PLANNING)
        unfinished = [output for output in loaded.outputs if not output.status.settled]
        plans = await _all(self._plan(loaded, output, usable) for output in unfinished)
        await self._enter(JobStatus.RENDERING)
        await _all(
            self._render(loaded, output, plan, f"{number}/{len(unfinished)}")
            for number, (output, plan) in enumerate(zip(unfinished, plans, strict=True), start=1)
            if plan is not None
        )
        return None

    def _introduce(self, loaded: LoadedJob) -> None:
        self._call.serve(loaded.owner_id, loaded.service)
        workflow.upsert_search_attributes(
            [
                OWNER.value_set(str(loaded.owner_id)),
                PROJECT.value_set(str(loaded.project_id)),
                VARIANTS.value_set([output.variant.value for output in loaded.outputs]),
            ]
        )
        self._view.introduce(loaded)

    async def _enter(self, status: JobStatus) -> None:
        self._view.stage(status)
        workflow.upsert_search_attributes([JOB_STATUS.value_set(status.value)])
        await self._call(ENTER_STAGE, JobStage(job_id=self._job_id, status=status), LIGHT, summary=f"enter {status}")

    async def _analyse(self, loaded: LoadedJob) -> list[AnalysedAsset]:
        probed = [asset for asset in await _all(self._probe(asset) for asset in loaded.assets) if asset is not None]
        reference = _reference(probed)
        language = loaded.request.language
        analysed = await _all(self._analyse_asset(asset, reference, language) for asset in probed)
        return [asset for asset in analysed if asset is not None]

    async def _probe(self, asset: AssetRef) -> _UsableAsset | None:
        try:
            probed = await self._call(PROBE_ASSET, asset, PROBE, summary=f"probe {asset.name}")
        except ActivityError as error:
            await self._refuse(asset, failure_of(error))
            return None
        self._artifacts.append(probed.probe)
        return _UsableAsset(asset, probed)

    async def _analyse_asset(
        self, usable: _UsableAsset, reference: AssetRef | None, language: str | None
    ) -> AnalysedAsset | None:
        """Every analyzer the asset needs, side by side; one that cannot cope refuses the asset."""
        asset = usable.asset
        request = AnalyseAsset(asset=asset, analyzer="", probe=usable.probed.probe.ref, language=language)
        requests = [request.model_copy(update={"analyzer": name}) for name in usable.probed.analyzers]
        if reference is not None and asset.kind is AssetKind.AUDIO and usable.probed.has_sound:
            requests.append(request.model_copy(update={"analyzer": ALIGNMENT, "reference": reference}))
        answers = await _all(self._run_analyzer(request, usable.probed.duration_us) for request in requests)
        for answer in answers:
            if isinstance(answer, ErrorInfo):
                await self._refuse(asset, answer)
                return None
        refs = tuple(answer.ref for answer in answers if isinstance(answer, Artifact))
        return AnalysedAsset(asset=asset, artifacts=(usable.probed.probe.ref, *refs))

    async def _run_analyzer(self, request: AnalyseAsset, media_us: int) -> Artifact | ErrorInfo:
        summary = f"{request.analyzer} of {request.asset.name}"
        try:
            artifact = await self._call(
                analysis_by(request.analyzer), request, analysis_limits(media_us), summary=summary
            )
        except ActivityError as error:
            return failure_of(error)
        self._artifacts.append(artifact)
        return artifact

    async def _refuse(self, asset: AssetRef, error: ErrorInfo) -> None:
        self._view.refused(asset, error)
        refusal = RefuseAsset(asset_id=asset.asset_id, error=error)
        await self._call(REFUSE_ASSET, refusal, LIGHT, summary=f"refuse {asset.name}: {error.code}")

    async def _plan(
        self, loaded: LoadedJob, output: OutputRef, assets: Sequence[AnalysedAsset]
    ) -> PlannedOutput | None:
        asked = PlanOutput(
            job_id=loaded.job_id,
            owner_id=loaded.owner_id,
            project_id=loaded.project_id,
            project_name=loaded.project_name,
            output=output,
            request=loaded.request,
            assets=tuple(assets),
        )
        try:
            planned = await self._call(PLAN_OUTPUT, asked, LIGHT, summary=f"plan {output.variant}")
        except ActivityError as error:
            await self._fail(output, failure_of(error))
            return None
        self._view.planned(output, planned)
        return planned

    async def _render(self, loaded: LoadedJob, output: OutputRef, plan: PlannedOutput, position: str) -> None:
        asked = RenderOutput(
            job_id=loaded.job_id,
            owner_id=loaded.owner_id,
            project_id=loaded.project_id,
            output=output,
            edl_key=plan.edl_key,
            review=plan.review,
        )
        try:
            rendered = await self._call(
                RENDER_OUTPUT, asked, render_limits(plan.duration_us), summary=f"render {output.variant} {position}"
            )
        except ActivityError as error:
            await self._fail(output, failure_of(error))
            return
        self._view.rendered(output, rendered)

    async def _fail(self, output: OutputRef, error: ErrorInfo) -> None:
        self._view.failed(output, error)
        failure = OutputFailure(output_id=output.output_id, error=error)
        await self._call(FAIL_OUTPUT, failure, LIGHT, summary=f"fail {output.variant}: {error.code}")

    async def _settle_broken(self, failure: ActivityError) -> SettledJob:
        """A failure outside any one asset or output ends the job; a cancellation that arrived as one cancels it."""
        try:
            error = failure_of(failure)
        except ActivityError:
            await self._settle(cancelled=True)
            raise asyncio.CancelledError from failure
        return await self._settle(error=error)

    async def _settle(self, *, error: ErrorInfo | None = None, cancelled: bool = False) -> SettledJob:
        outcome = JobOutcome(job_id=self._job_id, artifacts=self._counts(), error=error, cancelled=cancelled)
        settled = await self._call(SETTLE_JOB, outcome, LIGHT, summary="settle job")
        self._view.stage(settled.status)
        workflow.upsert_search_attributes([JOB_STATUS.value_set(settled.status.value)])
        return settled

    def _counts(self) -> ArtifactCounts:
        computed = sum(artifact.computed for artifact in self._artifacts)
        return ArtifactCounts(computed=computed, reused=len(self._artifacts) - computed)


async def _all(calls: Iterable[Awaitable[T]]) -> list[T]:
    """Wait for every call to end, whatever happens to the others, and then raise the first error."""
    answers = await asyncio.gather(*calls, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if not isinstance(answer, BaseException)]


def _reference(assets: Sequence[_UsableAsset]) -> AssetRef | None:
    """The recording that separate sound is aligned to: the longest A-roll that has sound."""
    heard = [usable for usable in assets if usable.asset.kind is AssetKind.A_ROLL and usable.probed.has_sound]
    return max(heard, key=lambda usable: usable.probed.duration_us).asset if heard else None

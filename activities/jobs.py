"""Activities that read and write a job's rows."""

from collections.abc import Iterable
from uuid import UUID

from temporalio import activity

from activities.context import ActivityContext
from activities.declarations import (
    APPROVE_OUTPUTS,
    CANCEL_OUTPUTS,
    ENTER_STAGE,
    FAIL_OUTPUT,
    LOAD_JOB,
    REFUSE_ASSET,
    REOPEN_OUTPUTS,
    SETTLE_JOB,
    AssetRef,
    JobOutcome,
    JobRef,
    JobStage,
    LoadedJob,
    OutputFailure,
    OutputIds,
    OutputRef,
    OutputStates,
    RefuseAsset,
    ReopenOutputs,
    SettledJob,
)
from schemas.control import OutputState
from schemas.errors import ConflictError
from schemas.jobs import Asset, Job, Output
from stores import Assets, Jobs, Ledger, Outputs, Plans, Projects


class JobActivities:
    """Light work on the database alone."""

    def __init__(self, context: ActivityContext) -> None:
        self._plans = Plans(context.database)
        self._projects = Projects(context.database)
        self._assets = Assets(context.database)
        self._jobs = Jobs(context.database)
        self._outputs = Outputs(context.database)
        self._ledger = Ledger(context.database)

    @activity.defn(name=LOAD_JOB.name)
    async def load_job(self, asked: JobRef) -> LoadedJob:
        job = await self._jobs.get(asked.job_id)
        project = await self._projects.get(job.project_id)
        assets = await self._assets.live_for_project(job.project_id)
        return LoadedJob(
            job_id=job.id,
            owner_id=job.owner_id,
            project_id=job.project_id,
            project_name=project.name,
            status=job.status,
            request=job.request,
            service=await self._plans.service_for(job.owner_id),
            assets=tuple(_asset_ref(asset) for asset in assets),
            outputs=tuple(OutputState.of(output) for output in job.outputs),
            artifacts=job.artifacts,
            retries=await self._jobs.retries(job.id),
        )

    @activity.defn(name=ENTER_STAGE.name)
    async def enter_stage(self, stage: JobStage) -> None:
        await self._jobs.set_status(stage.job_id, stage.status)

    @activity.defn(name=REFUSE_ASSET.name)
    async def refuse_asset(self, refusal: RefuseAsset) -> None:
        await self._assets.refuse(refusal.asset_id, refusal.error)

    @activity.defn(name=FAIL_OUTPUT.name)
    async def fail_output(self, failure: OutputFailure) -> OutputStates:
        """An output that was finished just in time is kept: what failed is that nobody heard of it."""
        return _states([await self._failed(failure)])

    @activity.defn(name=CANCEL_OUTPUTS.name)
    async def cancel_outputs(self, asked: OutputIds) -> OutputStates:
        """What has ended otherwise in the meantime stays as it is."""
        return _states([await self._cancelled(output_id) for output_id in asked.outputs])

    @activity.defn(name=APPROVE_OUTPUTS.name)
    async def approve_outputs(self, asked: OutputIds) -> OutputStates:
        return _states([await self._outputs.approve(output_id) for output_id in asked.outputs])

    @activity.defn(name=REOPEN_OUTPUTS.name)
    async def reopen_outputs(self, asked: ReopenOutputs) -> OutputStates:
        reopened = await self._jobs.reopen(asked.job_id, asked.outputs, asked.retry_id)
        return _states([await self._outputs.get(output_id) for output_id in reopened])

    @activity.defn(name=SETTLE_JOB.name)
    async def settle_job(self, outcome: JobOutcome) -> SettledJob:
        await self._jobs.count_artifacts(outcome.job_id, outcome.artifacts)
        await self._ledger.close_job(outcome.job_id)
        job = await self._settle(outcome)
        return SettledJob(job_id=job.id, status=job.status, outputs=_output_refs(job), artifacts=job.artifacts)

    async def _failed(self, failure: OutputFailure) -> Output:
        try:
            return await self._outputs.fail(failure.output_id, failure.error)
        except ConflictError:
            return await self._outputs.get(failure.output_id)

    async def _cancelled(self, output_id: UUID) -> Output:
        try:
            return await self._outputs.cancel(output_id)
        except ConflictError:
            return await self._outputs.get(output_id)

    async def _settle(self, outcome: JobOutcome) -> Job:
        if outcome.cancelled:
            return await self._jobs.cancel(outcome.job_id)
        if outcome.error is not None:
            return await self._jobs.fail(outcome.job_id, outcome.error)
        return await self._jobs.settle(outcome.job_id)


def _asset_ref(asset: Asset) -> AssetRef:
    return AssetRef(
        asset_id=asset.id, name=asset.name, kind=asset.kind, object_key=asset.object_key, sha256=asset.sha256
    )


def _states(outputs: Iterable[Output]) -> OutputStates:
    return OutputStates(outputs=tuple(OutputState.of(output) for output in outputs))


def _output_refs(job: Job) -> tuple[OutputRef, ...]:
    return tuple(_output_ref(output) for output in job.outputs)


def _output_ref(output: Output) -> OutputRef:
    return OutputRef(output_id=output.id, variant=output.variant, status=output.status)

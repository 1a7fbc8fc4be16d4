"""A job's book kept in step with its rows, its search attributes and what operators read."""

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID

from temporalio import workflow

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
    RefuseAsset,
    ReopenOutputs,
    SettledJob,
)
from schemas.errors import ErrorInfo
from schemas.jobs import JobStatus
from workflows.contract import JOB_STATUS, OWNER, PROJECT, VARIANTS
from workflows.held_calls import HeldCalls
from workflows.job_book import JobBook
from workflows.operator_view import details


class JobRows:
    """Writes what happens to a job's rows first and to its book then. All raise ``ActivityError`` if that fails."""

    def __init__(self, book: JobBook, calls: HeldCalls) -> None:
        self._book = book
        self._calls = calls
        self._loaded: LoadedJob | None = None
        self._published: JobStatus | None = None
        #: Held while the job's own row changes: a settlement and a retry that meet come one after the other.
        self._changing = asyncio.Lock()

    @property
    def job(self) -> LoadedJob:
        """The job as it was loaded; what changes stands in the book."""
        if self._loaded is None:
            raise RuntimeError("the job has not been loaded")
        return self._loaded

    async def load(self) -> None:
        loaded = await self._calls.light(LOAD_JOB, JobRef(job_id=self._book.job_id), summary="load job")
        self._calls.serve(loaded)
        self._loaded = loaded
        self._book.load(loaded)
        workflow.upsert_search_attributes(
            [
                OWNER.value_set(str(loaded.owner_id)),
                PROJECT.value_set(str(loaded.project_id)),
                VARIANTS.value_set(list(dict.fromkeys(output.variant.value for output in loaded.outputs))),
            ]
        )
        self._show()

    def note(self, change: Callable[[JobBook], None]) -> None:
        """Let operators see a change of the book that no row has."""
        change(self._book)
        self._show()

    async def publish(self) -> None:
        """Say where the job is now, if that has changed."""
        self._show()
        async with self._changing:
            status = self._book.status
            if status is self._published or not self._book.open:
                return
            self._tell(status)
            # Not said until it is written: whoever publishes may be cancelled meanwhile.
            self._published = None
            stage = JobStage(job_id=self._book.job_id, status=status)
            await self._calls.light(ENTER_STAGE, stage, summary=f"enter {status}")
            self._published = status

    async def refuse(self, asset: AssetRef, error: ErrorInfo) -> None:
        refusal = RefuseAsset(asset_id=asset.asset_id, error=error)
        await self._calls.light(REFUSE_ASSET, refusal, summary=f"refuse {asset.name}: {error.code}")
        self._book.refuse(asset, error)
        self._show()

    async def fail(self, output_id: UUID, error: ErrorInfo) -> None:
        failure = OutputFailure(output_id=output_id, error=error)
        summary = f"fail {self._book.output(output_id).name}: {error.code}"
        failed = await self._calls.light(FAIL_OUTPUT, failure, summary=summary)
        self._book.see(failed.outputs)
        await self.publish()

    async def cancel(self, output_ids: Sequence[UUID]) -> None:
        """Outputs that nobody works on any more are called off; one that was finished in time stays finished."""
        asked = OutputIds(outputs=tuple(output_ids))
        cancelled = await self._calls.light(CANCEL_OUTPUTS, asked, summary=f"call off {self._names(output_ids)}")
        self._book.see(cancelled.outputs)
        await self.publish()

    async def approve(self, output_ids: Sequence[UUID]) -> None:
        asked = OutputIds(outputs=tuple(output_ids))
        approved = await self._calls.light(APPROVE_OUTPUTS, asked, summary=f"approve {self._names(output_ids)}")
        self._book.approve(approved.outputs)
        await self.publish()

    async def reopen(self, output_ids: Sequence[UUID], retry_id: str) -> tuple[UUID, ...]:
        """Carry an order to make outputs again out, unless it has been; the answer is which ones it means."""
        asked = ReopenOutputs(job_id=self._book.job_id, retry_id=retry_id, outputs=tuple(output_ids))
        async with self._changing:
            reopened = await self._calls.light(REOPEN_OUTPUTS, asked, summary="put outputs back in the queue")
            self._book.reopen(reopened.outputs, retry_id)
        self._show()
        return tuple(output.output_id for output in reopened.outputs)

    async def settle(self, *, error: ErrorInfo | None = None, cancelled: bool = False) -> SettledJob:
        """End the job as its outputs ended; ``error`` fails and ``cancelled`` calls off what has not."""
        async with self._changing:
            outcome = JobOutcome(
                job_id=self._book.job_id, artifacts=self._book.artifacts, error=error, cancelled=cancelled
            )
            settled = await self._calls.light(SETTLE_JOB, outcome, summary="settle job")
            self._book.settle(settled, error)
            self._published = settled.status
            self._tell(settled.status)
            return settled

    def _tell(self, status: JobStatus) -> None:
        workflow.upsert_search_attributes([JOB_STATUS.value_set(status.value)])
        self._show()

    def _show(self) -> None:
        if self._loaded is not None:
            workflow.set_current_details(details(self._loaded, self._book))

    def _names(self, output_ids: Sequence[UUID]) -> str:
        return ", ".join(self._book.output(output_id).name for output_id in output_ids)

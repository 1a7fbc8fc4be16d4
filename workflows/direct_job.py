"""The workflow of a job: load, analyse every asset, make each output on its own, settle; steered while it runs."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from uuid import UUID

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.declarations import AnalysedAsset
    from schemas.control import ApproveOutputs, CancelOutputs, JobState, RetryOutputs, Steered
    from schemas.errors import ErrorCode, ErrorInfo
    from workflows.calls import JobCalls, failure_of
    from workflows.client_input import NO_ARGUMENT, by_contract, received_job
    from workflows.contract import (
        APPROVE,
        CANCEL_OUTPUTS,
        DIRECT_JOB,
        JOB_STATE,
        PAUSE,
        RESUME,
        RETRY_OUTPUTS,
        ContinuedJob,
        DirectJobInput,
        DirectJobResult,
        PreparedJob,
    )
    from workflows.held_calls import HeldCalls
    from workflows.job_book import JobBook
    from workflows.job_rows import JobRows
    from workflows.limits import LONGEST_PAUSE, ORDERS_OF_ONE_RUN, PIECES_OF_ONE_RUN
    from workflows.opening import open_job
    from workflows.preparation import Preparation
    from workflows.production import Production
    from workflows.steering import order_id, refusing

#: Marks a run that begins a new history for its size; those that began before that was so go on to their end.
_ANEW_BY_SIZE = "a new history by size"

#: Marks a run that answers a retry with what it makes anyway.
_AFTER_A_LOST_RUN = "a retry after a lost run"

NO_USABLE_ASSET = ErrorInfo(
    code=ErrorCode.NO_USABLE_ASSET,
    message="None of the files could be used; each of them says why.",
    retryable=False,
)


@workflow.defn(name=DIRECT_JOB)
class DirectJob:
    """Turns a job's footage into its outputs; one output's failure never touches its siblings.

    It closes when the job has settled. A retry then opens a new run under the same workflow id, which finds the job and
    all that succeeded in the rows.
    """

    @workflow.init
    @by_contract
    def __init__(self, argument: RawValue = NO_ARGUMENT) -> None:
        self._received = received_job(argument)
        continued = self._received.continued or ContinuedJob()
        self._prepared_before = continued.prepared
        self._book = JobBook(self._received.job_id, paused_until=continued.paused_until)
        self._calls = HeldCalls(JobCalls(), self._held)
        self._rows = JobRows(self._book, self._calls)
        self._production = Production(self._book, self._rows, self._calls, continued.approve_by)
        self._preparing: asyncio.Task[list[AnalysedAsset]] | None = None
        self._usable: list[AnalysedAsset] = []
        self._loaded = False
        self._orders = 0
        self._pieces_of_preparation: int | None = None
        self._watching_pause: asyncio.Task[None] | None = None

    @workflow.run
    @by_contract
    async def run(self, argument: RawValue = NO_ARGUMENT) -> DirectJobResult:  # noqa: ARG002 (kept by __init__)
        await open_job(self._received)
        try:
            return await self._direct()
        except ActivityError as failure:
            if not is_cancelled_exception(failure):
                return await self._rows.settle(error=failure_of(failure))
            await self._settle_cancelled()
            raise asyncio.CancelledError from failure
        except asyncio.CancelledError:
            await self._settle_cancelled()
            raise

    @workflow.query(name=JOB_STATE)
    def job_state(self) -> JobState:
        """The job as it is now, with the places of the plans that there are."""
        return self._book.state()

    @workflow.update(name=RETRY_OUTPUTS)
    async def retry_outputs(self, asked: RetryOutputs) -> Steered:
        """Make outputs again that failed or were cancelled. Sent with a start, it reaches a closed job too.

        So it does where an earlier run was ended from outside: what that one left open is made by this one.
        """
        came_first = not self._loaded
        async with self._steering():
            going_on = self._book.going_on(asked.outputs) if came_first else ()
            if not (going_on and workflow.patched(_AFTER_A_LOST_RUN)):
                return self._steered(await self._rows.reopen(asked.outputs, order_id()))
            others = [output_id for output_id in asked.outputs if output_id not in going_on]
            if others or (not asked.outputs and self._book.unmade):
                going_on = (*going_on, *await self._rows.reopen(others, order_id()))
            return self._steered(going_on)

    @retry_outputs.validator
    def _may_retry(self, asked: RetryOutputs) -> None:
        if self._loaded and order_id() not in self._book.retries:
            with refusing():
                self._book.to_retry(asked.outputs)

    @workflow.update(name=CANCEL_OUTPUTS)
    async def cancel_outputs(self, asked: CancelOutputs) -> Steered:
        """Call outputs off and wait until nobody works on them any more; one that finished in time is kept."""
        async with self._steering():
            chosen = self._book.to_cancel(asked.outputs)
            await self._production.call_off(chosen)
            return self._steered(chosen)

    @cancel_outputs.validator
    def _may_cancel(self, asked: CancelOutputs) -> None:
        if self._loaded:
            with refusing():
                self._book.to_cancel(asked.outputs)

    @workflow.update(name=APPROVE)
    async def approve(self, asked: ApproveOutputs) -> Steered:
        """Render these plans of those that await approval, and call the others off."""
        async with self._steering():
            chosen = self._book.to_approve(asked.outputs)
            others = [output_id for output_id in self._book.to_approve(()) if output_id not in chosen]
            await self._rows.approve(chosen)
            if others:
                await self._production.call_off(others)
            return self._steered(chosen)

    @approve.validator
    def _may_approve(self, asked: ApproveOutputs) -> None:
        if self._loaded:
            with refusing():
                self._book.to_approve(asked.outputs)

    @workflow.update(name=PAUSE)
    async def pause(self) -> Steered:
        """Begin nothing new; what a worker has begun is finished. A pause of a paused job changes nothing."""
        async with self._steering():
            self._book.check_running()
            if not self._book.paused:
                self._book.paused_until = workflow.now() + LONGEST_PAUSE
                self._watch_pause(self._book.paused_until)
            await self._rows.publish()
            await self._calls.take_back()
            return self._steered(())

    @workflow.update(name=RESUME)
    async def resume(self) -> Steered:
        """Go on after a pause; without one nothing changes."""
        async with self._steering():
            self._book.check_running()
            self._book.paused_until = None
            await self._rows.publish()
            return self._steered(())

    @pause.validator
    def _may_pause(self) -> None:
        self._check_running()

    @resume.validator
    def _may_resume(self) -> None:
        self._check_running()

    def _check_running(self) -> None:
        if self._loaded:
            with refusing():
                self._book.check_running()

    @asynccontextmanager
    async def _steering(self) -> AsyncIterator[None]:
        """An update waits until the job is known, and fails alone: never the job with it."""
        self._orders += 1
        await workflow.wait_condition(lambda: self._loaded)
        with refusing():
            yield

    def _steered(self, output_ids: Iterable[UUID]) -> Steered:
        return Steered(outputs=tuple(output_ids), job=self._book.state())

    async def _direct(self) -> DirectJobResult:
        """Make the outputs that are to be made until none is left, not even by an update that came at the end."""
        await self._rows.load()
        if self._prepared_before is not None:
            self._book.go_on_from(self._prepared_before)
            self._usable = list(self._prepared_before.usable)
            self._pieces_of_preparation = 0
        self._loaded = True
        if self._book.paused_until is not None:
            self._watch_pause(self._book.paused_until)
        while True:
            await workflow.wait_condition(workflow.all_handlers_finished)
            if not self._book.open:
                if self._book.ended is None:
                    # An earlier run was terminated when all had been made, before it could say so.
                    await self._rows.settle()
                return self._book.settled()
            await self._make_and_settle()

    async def _make_and_settle(self) -> None:
        """A failure outside any one asset or output ends the job."""
        try:
            error = await self._make()
        except ActivityError as failure:
            error = failure_of(failure)
            await self._end_work()
        await self._rows.settle(error=error)

    async def _make(self) -> ErrorInfo | None:
        """Make every output; the error is why nothing at all could be made."""
        usable = await self._prepared()
        if self._book.open and not usable:
            return NO_USABLE_ASSET
        while self._book.open:
            self._production.go_on(usable)
            await self._until(lambda: self._production.news)
        return None

    async def _prepared(self) -> list[AnalysedAsset]:
        """The usable assets with all there is to know of them; made out once, and not at all if nobody wants them."""
        if self._usable:
            return self._usable
        self._book.preparing = True
        await self._rows.publish()
        preparing = asyncio.create_task(Preparation(self._book, self._rows, self._calls).analyse())
        self._preparing = preparing
        await self._until(preparing.done)
        if not self._book.open:
            await self._end_work()
            return []
        self._book.preparing = False
        self._usable = preparing.result()
        self._pieces_of_preparation = self._calls.done
        if self._usable:
            await self._rows.publish()
        return self._usable

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Wait for it, or until nothing is to be made any more."""
        await workflow.wait_condition(
            lambda: condition() or not self._book.open or self._forgotten or self._begins_anew
        )
        if self._begins_anew:
            workflow.continue_as_new(DirectJobInput(job_id=self._book.job_id, continued=self._handed_on()))
        if self._forgotten:
            await self._production.call_off(output.output_id for output in self._book.open)

    def _handed_on(self) -> ContinuedJob:
        prepared = PreparedJob(usable=tuple(self._usable), refused=self._book.refused, artifacts=self._book.artifacts)
        return ContinuedJob(
            paused_until=self._book.paused_until,
            approve_by=self._book.approve_by,
            prepared=prepared if self._usable else None,
        )

    def _held(self) -> bool:
        return self._book.paused or self._has_long_history

    @property
    def _has_long_history(self) -> bool:
        """By updates, or by its work once this run has brought outputs on: so a job of any size comes to its end."""
        if not workflow.info().is_continue_as_new_suggested():
            return False
        return self._orders >= ORDERS_OF_ONE_RUN or (self._brought_on and workflow.patched(_ANEW_BY_SIZE))

    @property
    def _brought_on(self) -> bool:
        if self._pieces_of_preparation is None:
            return False
        return self._production.ended > 0 or self._calls.done - self._pieces_of_preparation >= PIECES_OF_ONE_RUN

    @property
    def _begins_anew(self) -> bool:
        """Whether the history is too long, and everything that was being worked on has been finished."""
        return self._has_long_history and self._calls.idle and workflow.all_handlers_finished()

    @property
    def _forgotten(self) -> bool:
        return self._book.paused_until is not None and workflow.now() >= self._book.paused_until

    def _watch_pause(self, until: datetime) -> None:
        """Wake up when the pause has lasted too long."""

        async def watch() -> None:
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: self._book.paused_until != until,
                    timeout=until - workflow.now(),
                    timeout_summary="longest pause",
                )

        self._watching_pause = asyncio.create_task(watch())

    async def _end_work(self) -> None:
        """Cancel whatever is being worked on, and wait until it has tidied up."""
        preparing = self._preparing
        if preparing is not None:
            preparing.cancel()
            await asyncio.gather(preparing, return_exceptions=True)
        self._book.preparing = False
        await self._production.end()

    async def _settle_cancelled(self) -> None:
        """Call off everything, also what an update that came at the same moment put back in the queue."""
        await self._end_work()
        await self._rows.settle(cancelled=True)
        while self._loaded and not (workflow.all_handlers_finished() and not self._book.open):
            await workflow.wait_condition(workflow.all_handlers_finished)
            await self._rows.settle(cancelled=True)

"""The outputs of a job in the making: each is planned, approved where the job asks for it, and rendered on its own."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.declarations import (
    PLAN_OUTPUT,
    RENDER_OUTPUT,
    AnalysedAsset,
    OutputRef,
    PlannedOutput,
    PlanOutput,
    RenderOutput,
)
from schemas.control import OutputState
from schemas.errors import ErrorCode
from schemas.jobs import ApprovalDefault, ApprovalPolicy
from workflows.calls import failure_of
from workflows.held_calls import HeldCalls
from workflows.job_book import JobBook
from workflows.job_rows import JobRows
from workflows.limits import LIGHT, render_limits
from workflows.listener import Listener
from workflows.parts import PartsRender
from workflows.same_video import SameVideo, made_once

#: Marks a job in which what fails while it is called off is called off; those that began before recorded a failure.
_CALLED_OFF_FIRST = "called off before it failed"

#: Failures after which a plan that was made may be gone.
_LOST = frozenset({ErrorCode.OBJECT_MISSING, ErrorCode.OBJECT_CORRUPT})


class _NotApprovedError(Exception):
    """Nobody approved the plan in time, and the job's policy is to call it off then."""


class Production:
    """Makes outputs side by side; one output's failure or cancellation never touches its siblings."""

    def __init__(self, book: JobBook, rows: JobRows, calls: HeldCalls, approve_by: datetime | None) -> None:
        self._book = book
        self._rows = rows
        self._calls = calls
        self._approve_by = approve_by
        self._plans: dict[UUID, PlannedOutput] = {}
        self._making: dict[UUID, asyncio.Task[None]] = {}
        self._given_up: set[UUID] = set()
        #: How many outputs have ended in this run of the workflow.
        self.ended = 0

    @property
    def news(self) -> bool:
        """Whether an output has ended, or is there to begin."""
        return any(making.done() for making in self._making.values()) or any(self._unbegun())

    def go_on(self, assets: Sequence[AnalysedAsset]) -> None:
        """Begin every output that is to be made and has not been begun.

        Raises:
            ActivityError: How an output ended could not be recorded.
        """
        for output_id in [output_id for output_id, making in self._making.items() if making.done()]:
            made = self._making.pop(output_id)
            self.ended += 1
            if not made.cancelled():
                made.result()
        for output_id in list(self._unbegun()):
            self._making[output_id] = asyncio.create_task(self._make(output_id, assets))

    async def call_off(self, output_ids: Iterable[UUID]) -> None:
        """End the work on these outputs, wait until it has tidied up, and record how they ended."""
        wanted = tuple(output_ids)
        self._given_up.update(wanted)
        try:
            await self._end(wanted)
            await self._rows.cancel(wanted)
        finally:
            self._given_up.difference_update(wanted)

    async def end(self) -> None:
        """End all work and wait until it has tidied up."""
        wanted = tuple(self._making)
        self._given_up.update(wanted)
        await self._end(wanted)
        self._given_up.difference_update(wanted)

    async def _end(self, output_ids: Iterable[UUID]) -> None:
        ending = [self._making[output_id] for output_id in output_ids if output_id in self._making]
        for making in ending:
            making.cancel()
        await workflow.wait_condition(lambda: all(making.done() for making in ending))

    def _unbegun(self) -> Iterable[UUID]:
        return (
            output.output_id
            for output in self._book.open
            if output.output_id not in self._making and output.output_id not in self._given_up
        )

    async def _make(self, output_id: UUID, assets: Sequence[AnalysedAsset]) -> None:
        try:
            await self._produce(output_id, assets)
        except ActivityError:
            if output_id not in self._given_up:
                raise

    async def _produce(self, output_id: UUID, assets: Sequence[AnalysedAsset]) -> None:
        try:
            plan = self._plans.get(output_id) or await self._plan(output_id, assets)
            await self._approval(output_id)
            await self._render(output_id, plan)
        except _NotApprovedError:
            await self._rows.cancel((output_id,))
        except ActivityError as error:
            failure = failure_of(error)
            if failure.code in _LOST:
                self._plans.pop(output_id, None)
            if output_id in self._given_up and workflow.patched(_CALLED_OFF_FIRST):
                # It failed before it heard of that: whoever called it off records how it ended.
                return
            await self._rows.fail(output_id, failure)

    async def _plan(self, output_id: UUID, assets: Sequence[AnalysedAsset]) -> PlannedOutput:
        job, state = self._rows.job, self._book.output(output_id)
        asked = PlanOutput(
            job_id=job.job_id,
            owner_id=job.owner_id,
            project_id=job.project_id,
            project_name=job.project_name,
            output=self._ref(output_id),
            request=job.request,
            assets=tuple(assets),
        )
        planned = await self._calls.work(
            PLAN_OUTPUT,
            asked,
            LIGHT,
            summary=f"plan {_which(state)}",
            name=f"plan-{_which(state)}",
            given_up=lambda: output_id in self._given_up,
        )
        self._plans[output_id] = planned
        self._book.planned(output_id, planned)
        return planned

    async def _approval(self, output_id: UUID) -> None:
        """Wait until the plan is approved, where the job asks for that.

        Raises:
            _NotApprovedError: The policy's time is up and it calls off what nobody approved.
        """
        policy = self._book.approval
        if policy is None or self._book.output(output_id).approved:
            return
        self._book.await_approval(output_id, self._deadline(policy))
        await self._rows.publish()
        try:
            await workflow.wait_condition(
                lambda: self._book.output(output_id).approved,
                timeout=self._left(),
                timeout_summary=f"approval of {self._book.output(output_id).name}",
            )
        except TimeoutError:
            if policy.default is ApprovalDefault.CANCEL:
                raise _NotApprovedError from None
            await self._rows.approve((output_id,))

    def _deadline(self, policy: ApprovalPolicy) -> datetime:
        """That of an earlier run of this workflow holds on."""
        now = workflow.now()
        if self._approve_by is not None and self._approve_by > now:
            return self._approve_by
        return now + timedelta(seconds=policy.timeout_seconds)

    def _left(self) -> timedelta:
        until = self._book.approve_by or workflow.now()
        return max(until - workflow.now(), timedelta(seconds=1))

    async def _render(self, output_id: UUID, plan: PlannedOutput) -> None:
        self._book.render(output_id)
        await self._rows.publish()
        job, state = self._rows.job, self._book.output(output_id)
        asked = RenderOutput(
            job_id=job.job_id,
            owner_id=job.owner_id,
            project_id=job.project_id,
            output=self._ref(output_id),
            edl_key=plan.edl_key,
            review=plan.review,
        )
        listener = self._listener(output_id)
        # An earlier release's plans have no segments, so that its histories go on as they were begun.
        if plan.segments:
            parts = PartsRender(self._calls, asked, plan.segments, plan.duration_us, _which(state), listener)
            rendered = await parts.run()
        else:
            render = partial(
                self._calls.work,
                RENDER_OUTPUT,
                asked,
                render_limits(plan.duration_us),
                summary=f"render {_which(state)} {self._book.position(output_id)}",
                name=f"render-{_which(state)}",
                given_up=listener.given_up,
                begins=listener.begins,
                waits=listener.waits,
            )
            wanted = SameVideo(job.owner_id, _which(state), f"the video of {_which(state)}")
            rendered = await made_once(self._calls, wanted, listener, render)
        self._book.rendered(output_id, rendered)
        await self._rows.publish()

    def _listener(self, output_id: UUID) -> Listener:
        return Listener(
            given_up=lambda: output_id in self._given_up,
            begins=lambda: self._rows.note(lambda book: book.render(output_id)),
            waits=lambda: self._rows.note(lambda book: book.hold(output_id)),
            awaits=lambda: self._rows.note(lambda book: book.await_video(output_id)),
            parts=lambda parts: self._rows.note(lambda book: book.count_parts(output_id, parts)),
        )

    def _ref(self, output_id: UUID) -> OutputRef:
        output = self._book.output(output_id)
        return OutputRef(output_id=output.output_id, variant=output.variant, status=output.status)


def _which(output: OutputState) -> str:
    """What tells an output's activities from those of its siblings."""
    return output.variant.value if output.count == 1 else f"{output.variant}-{output.number}"

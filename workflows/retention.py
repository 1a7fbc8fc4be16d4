"""The sweep that lets go of what plans no longer keep: told first, then removed, in batches, whatever is killed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NoReturn

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.declarations import Declaration
    from activities.retention_declarations import (
        ANNOUNCE_EXPIRY,
        EXPIRE_ASSETS,
        EXPIRE_OUTPUTS,
        REMOVE_UNUSED_ANALYSES,
        REMOVE_UNUSED_SEGMENTS,
        SweepBatch,
        SweptBatch,
    )
    from schemas.retention import RetentionPolicy, SweepCounts
    from workflows.calls import call, failure_of
    from workflows.limits import HEARTBEAT_TIMEOUT, ActivityLimits
    from workflows.retention_contract import RETENTION_SWEEP, RetentionSweepInput

#: In the order in which one makes way for the next: an analysis goes once no asset needs it.
STEPS: Sequence[Declaration[SweepBatch, SweptBatch]] = (
    ANNOUNCE_EXPIRY,
    EXPIRE_OUTPUTS,
    EXPIRE_ASSETS,
    REMOVE_UNUSED_ANALYSES,
    REMOVE_UNUSED_SEGMENTS,
)

#: The patch without which a sweep ends before its last step: recorded by a release that had none.
SEGMENTS_EXPIRE = "segments-expire"

#: A batch removes some hundred objects. A store that stays away longer than these attempts is tried by the next sweep.
BATCH = ActivityLimits(
    timedelta(minutes=15),
    RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1), maximum_attempts=10),
    HEARTBEAT_TIMEOUT,
)


@workflow.defn(name=RETENTION_SWEEP)
class RetentionSweep:
    """Everything that is due as of its start; what it cannot remove it counts, and leaves to the next one."""

    @workflow.init
    def __init__(self, sweep: RetentionSweepInput) -> None:
        self._policy: RetentionPolicy = sweep.policy
        self._as_of: datetime = sweep.as_of or workflow.now()
        self._counts = sweep.counts
        self._batches_left = sweep.batches_per_run
        self._trouble = list(sweep.trouble)

    @workflow.run
    async def run(self, sweep: RetentionSweepInput) -> SweepCounts:
        after = sweep.after
        for step in range(sweep.step, len(STEPS)):
            if STEPS[step] is REMOVE_UNUSED_SEGMENTS and not workflow.patched(SEGMENTS_EXPIRE):
                break
            await self._sweep(step, after, sweep)
            after = None
        return self._counts

    async def _sweep(self, step: int, after: str | None, sweep: RetentionSweepInput) -> None:
        declared = STEPS[step]
        while True:
            if self._batches_left == 0:
                self._go_on(step, after, sweep)
            self._batches_left -= 1
            asked = SweepBatch(policy=self._policy, as_of=self._as_of, after=after)
            try:
                swept = await call(declared, asked, BATCH, summary=declared.name.replace("_", " "))
            except ActivityError as error:
                self._trouble.append(f"{declared.name}: {failure_of(error).message}")
                self._show()
                return
            self._counts = self._counts.plus(swept.counts)
            self._show()
            if not swept.more:
                return
            after = swept.after

    def _go_on(self, step: int, after: str | None, sweep: RetentionSweepInput) -> NoReturn:
        """In a new run, so that no history grows with what there is to remove."""
        going_on = sweep.model_copy(
            update={
                "as_of": self._as_of,
                "step": step,
                "after": after,
                "counts": self._counts,
                "trouble": tuple(self._trouble),
            }
        )
        workflow.continue_as_new(going_on)

    def _show(self) -> None:
        lines = [f"What is due as of {self._as_of:%Y-%m-%d %H:%M} UTC", "", "| | |", "|---|---|"]
        lines += [f"| {name} | {count} |" for name, count in self._counts.model_dump().items()]
        if self._trouble:
            lines += ["", "Left to the next sweep:", "", *(f"- {trouble}" for trouble in self._trouble)]
        workflow.set_current_details("\n".join(lines))

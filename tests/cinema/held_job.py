"""A job's workflow as far as whoever cancels it can see: it runs until it is cancelled, and then settles its job."""

import asyncio

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.retention_declarations import CANCEL_JOB_ROWS, JobToCancel
    from workflows.calls import call
    from workflows.limits import LIGHT


@workflow.defn
class HeldJob:
    @workflow.run
    async def run(self, job: JobToCancel) -> None:
        try:
            await workflow.wait_condition(lambda: False)
        except asyncio.CancelledError:
            await call(CANCEL_JOB_ROWS, job, LIGHT, summary="settle")
            raise

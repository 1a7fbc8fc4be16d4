"""A worker falls silent and wakes up after another one has taken its attempt: it changes nothing any more."""

import asyncio
import os
import signal

import pytest

from schemas.edl import Variant
from schemas.jobs import JobStatus
from stores import Jobs
from tests.faults.fault_plan import Kind, Point
from tests.faults.stack_under_fault import StackUnderFault, until
from tests.faults.verdict import judge

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

#: Longer than what a woken worker needs to report progress, to upload, and to be refused.
AFTERMATH_SECONDS = 3.0

#: What the silence costs: another attempt, which may find the right to the video not given up yet and have to wait.
AGAIN = ("render vertical_reel", "render hook_cut", "wait for the video")
TRIES = 20


async def test_a_worker_that_slept_through_its_attempt_neither_publishes_nor_reports(stack: StackUnderFault) -> None:
    job = await stack.order(Variant.VERTICAL_REEL)
    await stack.rendering()
    sleeper = stack.signal("worker-render", signal.SIGSTOP)
    async with stack.second_worker("cinema-render"):
        finished = await stack.reached(job, JobStatus.COMPLETED)
        os.kill(sleeper, signal.SIGCONT)
        await asyncio.sleep(AFTERMATH_SECONDS)
        assert (await Jobs(stack.pool).get(job.id)).outputs == finished.outputs
    await judge(stack, job, repeated=AGAIN, attempts=TRIES)


async def test_a_worker_that_wakes_up_amid_its_upload_cannot_publish_it(stack: StackUnderFault) -> None:
    """It holds the output's publishing right while it sleeps: the other one waits for that, and has the last word."""
    stack.faults.arm(Point.PUT, Kind.STOP_HALFWAY, ".mp4")
    job = await stack.order(Variant.HOOK_CUT)
    sleeper = stack.pid("worker-render")
    await until(lambda: stack.is_stopped(sleeper), "the worker sleeps")
    async with stack.second_worker("cinema-render"):

        async def taken_over() -> bool:
            return (await Jobs(stack.pool).get(job.id)).outputs[0].attempt == 2

        await until(taken_over, "another worker has taken the attempt")
        os.kill(sleeper, signal.SIGCONT)
        settled = await judge(stack, job, repeated=AGAIN, attempts=TRIES)
        assert settled.outputs[0].attempt == 2

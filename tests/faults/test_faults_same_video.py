"""Two jobs with the same edit at the same moment: one renders it, the other waits, and takes over if it must."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from schemas.cost import Outcome
from schemas.edl import Variant
from schemas.jobs import Job, JobRequest, JobStatus
from stores import Jobs, Ledger
from tests.faults.stack_under_fault import StackUnderFault, until
from tests.faults.verdict import judge
from workflows.job_client import JobClient

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

REEL = "render vertical_reel"
WAITS = "wait for the video of vertical_reel"


async def same_again(stack: StackUnderFault, job: Job) -> Job:
    """Another job of the same project for the same output."""
    request = JobRequest(variants=job.request.variants, pace=job.request.pace)
    return await Jobs(stack.pool).create(job.owner_id, job.project_id, request)


@asynccontextmanager
async def held(stack: StackUnderFault) -> AsyncIterator[None]:
    """A render that is under way gets no further for the time of the block, while its worker lives on."""
    await stack.rendering()
    await until(lambda: bool(stack.children_of("worker-render")), "a child renders")
    stopped = stack.children_of("worker-render")
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


async def waits(stack: StackUnderFault, job: Job) -> None:
    """Wait until the job says that it waits for the video that another one makes."""

    async def says_so() -> bool:
        return (await Jobs(stack.pool).get(job.id)).outputs[0].stage == "waiting for the same video"

    await until(says_so, "the second job waits for the first")


async def outcomes(stack: StackUnderFault, *jobs: Job) -> Counter[Outcome]:
    """How the attempts at the jobs' renders ended."""
    entries = [entry for job in jobs for entry in await Ledger(stack.pool).of_job(job.id)]
    return Counter(entry.outcome for entry in entries if entry.output_id is not None)


async def test_the_second_takes_a_copy_of_what_the_first_makes(stack: StackUnderFault) -> None:
    first = await stack.order(Variant.VERTICAL_REEL)
    async with stack.second_worker("cinema-render"):
        async with held(stack):
            second = await same_again(stack, first)
            await waits(stack, second)
        for job in (first, second):
            await judge(stack, job, repeated=(REEL, WAITS), attempts=100)
    assert await outcomes(stack, first, second) == {Outcome.SUCCEEDED: 1, Outcome.REUSED: 1}
    videos = [output.files for job in (first, second) for output in (await Jobs(stack.pool).get(job.id)).outputs]
    assert len({files.video_sha256 for files in videos if files is not None}) == 1


@pytest.mark.parametrize("harm", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
async def test_the_second_takes_over_when_the_first_is_lost(stack: StackUnderFault, harm: signal.Signals) -> None:
    first = await stack.order(Variant.VERTICAL_REEL)
    async with held(stack), stack.second_worker("cinema-render"):
        second = await same_again(stack, first)
        await waits(stack, second)
        hit = stack.signal("worker-render", harm)
        if harm is signal.SIGSTOP:
            for job in (first, second):
                await stack.reached(job, JobStatus.COMPLETED)
            os.kill(hit, signal.SIGCONT)
        else:
            await stack.restarted("worker-render", hit)
        for job in (first, second):
            await judge(stack, job, repeated=(REEL, WAITS), attempts=100)
    ended = await outcomes(stack, first, second)
    assert (ended[Outcome.SUCCEEDED], ended[Outcome.REUSED]) == (1, 1), ended
    assert sum(ended.values()) == 3, f"more than the piece that was hit was rendered again: {ended}"


async def test_the_second_takes_over_when_the_first_is_called_off(stack: StackUnderFault) -> None:
    first = await stack.order(Variant.VERTICAL_REEL)
    async with held(stack), stack.second_worker("cinema-render"):
        second = await same_again(stack, first)
        await waits(stack, second)
        await JobClient(stack.temporal).cancel_outputs(first.id)
        await judge(stack, second, repeated=(REEL, WAITS), attempts=100)
    assert (await stack.settled(first)).status is JobStatus.CANCELLED
    assert await outcomes(stack, first, second) == {Outcome.CANCELLED: 1, Outcome.SUCCEEDED: 1}


async def test_who_waits_is_called_off_at_once_and_the_first_goes_on(stack: StackUnderFault) -> None:
    first = await stack.order(Variant.VERTICAL_REEL)
    async with held(stack), stack.second_worker("cinema-render"):
        second = await same_again(stack, first)
        await waits(stack, second)
        async with asyncio.timeout(60):
            await JobClient(stack.temporal).cancel_outputs(second.id)
            assert (await stack.settled(second)).status is JobStatus.CANCELLED
    await judge(stack, first, repeated=(REEL,))
    assert await outcomes(stack, first, second) == {Outcome.SUCCEEDED: 1}

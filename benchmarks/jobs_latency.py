"""How soon an accepted job starts, and how many jobs a second go through, against bare Temporal workflows.

A job here has no footage: its rows, its outbox entry, its workflow and its database activities are real, and no media
is touched. It is accepted when its transaction has been committed; a bare workflow when its start is called. Both have
started when Temporal hands their first activity to a worker, which stands in the history. They take turns (A B A B) on
one Temporal server, each served by one worker process.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from statistics import median, quantiles
from typing import Any
from uuid import UUID, uuid4

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from benchmarks.frame import BenchmarkError, Figures
from benchmarks.jobs_bare import QUEUE, Bare
from benchmarks.jobs_stack import Stack
from schemas.edl import Variant
from schemas.jobs import JobRequest, Pace, Project
from workflows.contract import direct_job_id

#: Jobs, and as many bare workflows, whose start is measured.
SAMPLES = 100

#: Jobs under way, waiting for their turn to render, while starts are measured under load.
RUNNING = 100

#: Jobs of one batch and how many batches, for throughput.
BATCH = 40
ROUNDS = 5

PATIENCE_SECONDS = 600.0


async def measure(stack: Stack) -> Figures:
    """``start_latency.*`` and ``throughput.*`` figures."""
    owner = await stack.owner()
    empty = await stack.project(owner)
    async with _bare_worker(stack):
        activities = await _activities_of(stack, await _run_one(stack, empty))
        await _bare(stack, activities)  # The first of anything is slow.
        idle = await _starts(stack, empty)
        throughput = await _throughput(stack, empty, activities)
        loaded = await _loaded_starts(stack, owner, empty)
    return {
        **_latency_figures("start_latency", *idle),
        **_latency_figures("start_latency.loaded", *loaded),
        **throughput,
    }


async def _run_one(stack: Stack, project: Project) -> str:
    job = await stack.order(project, JobRequest(variants=(Variant.HOOK_CUT,)))
    await stack.settled([job.id], PATIENCE_SECONDS)
    return direct_job_id(job.id)


async def _starts(stack: Stack, project: Project) -> tuple[list[float], list[float]]:
    """Seconds from acceptance to first activity, of jobs and of bare workflows by turns."""
    jobs, bare = [], []
    for _ in range(SAMPLES):
        job = await stack.order(project, JobRequest(variants=(Variant.HOOK_CUT,)))
        accepted = time.time()
        jobs.append(await _first_activity(stack, direct_job_id(job.id)) - accepted)
        called = time.time()
        bare.append(await _first_activity(stack, await _bare(stack, 1)) - called)
    return jobs, bare


async def _loaded_starts(stack: Stack, owner: UUID, empty: Project) -> tuple[list[float], list[float]]:
    """The same while jobs that have been started wait for their turn to render."""
    talk = await stack.project(owner, stack.talk)
    paces = [pace for _ in range(RUNNING) for pace in Pace][:RUNNING]
    load = [await stack.order(talk, JobRequest(variants=(Variant.VERTICAL_REEL,), pace=pace)) for pace in paces]
    await _all_started(stack, [job.id for job in load])
    measured = await _starts(stack, empty)
    for job in load:
        await stack.temporal.get_workflow_handle(direct_job_id(job.id)).cancel()
    await stack.settled([job.id for job in load], PATIENCE_SECONDS)
    return measured


async def _all_started(stack: Stack, job_ids: list[UUID]) -> None:
    query = "select count(*) from public.jobs where id = any($1) and status = 'queued'"
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await stack.pool.fetchval(query, job_ids):  # noqa: ASYNC110 (the change happens in other processes)
            await asyncio.sleep(0.1)


async def _throughput(stack: Stack, project: Project, activities: int) -> Figures:
    """Jobs a second in batches, over bare workflows with as many activities in batches of the same size."""

    async def jobs() -> None:
        request = JobRequest(variants=(Variant.HOOK_CUT,))
        ordered = await asyncio.gather(*(stack.order(project, request) for _ in range(BATCH)))
        await stack.settled([job.id for job in ordered], PATIENCE_SECONDS)

    async def bare() -> None:
        handles = await asyncio.gather(*(_start_bare(stack, activities) for _ in range(BATCH)))
        await asyncio.gather(*(handle.result() for handle in handles))

    pairs = [(await _seconds(jobs), await _seconds(bare)) for _ in range(ROUNDS)]
    per_s = BATCH / median(job for job, _ in pairs)
    return {
        "throughput.jobs_per_s": per_s,
        "throughput.state_transitions_per_s": per_s * activities,
        "throughput.vs_bare": median(bare / job for job, bare in pairs),
    }


async def _seconds(work: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def _bare(stack: Stack, activities: int) -> str:
    """Run a bare workflow to its end; its id."""
    handle = await _start_bare(stack, activities)
    await handle.result()
    return handle.id


async def _start_bare(stack: Stack, activities: int) -> WorkflowHandle[Bare, None]:
    return await stack.temporal.start_workflow(Bare.run, activities, id=f"bare-{uuid4()}", task_queue=QUEUE)


async def _first_activity(stack: Stack, workflow_id: str) -> float:
    """When the workflow's first activity was handed to a worker, in seconds since 1970, by the server's clock.

    It is waited for: the event is written when the activity has ended.
    """
    handle = stack.temporal.get_workflow_handle(workflow_id)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = await _started_at(handle)
            if found is not None:
                return found
            await asyncio.sleep(0.05)


async def _started_at(handle: WorkflowHandle[Any, Any]) -> float | None:
    # A job's workflow may not be there yet.
    try:
        async for event in handle.fetch_history_events():
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
                return event.event_time.ToNanoseconds() / 1e9
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
    return None


async def _activities_of(stack: Stack, workflow_id: str) -> int:
    handle = stack.temporal.get_workflow_handle(workflow_id)
    kinds = [event.event_type async for event in handle.fetch_history_events()]
    return kinds.count(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)


def _latency_figures(name: str, jobs: list[float], bare: list[float]) -> Figures:
    """In milliseconds; ``p99_over_bare_ms`` is what a job's 99th percentile has beyond a bare workflow's."""
    ours, theirs = _percentiles(jobs), _percentiles(bare)
    return {
        f"{name}.p50_ms": ours[0] * 1000,
        f"{name}.p99_ms": ours[1] * 1000,
        f"{name}.bare_p50_ms": theirs[0] * 1000,
        f"{name}.bare_p99_ms": theirs[1] * 1000,
        f"{name}.p99_over_bare_ms": (ours[1] - theirs[1]) * 1000,
    }


def _percentiles(samples: list[float]) -> tuple[float, float]:
    return median(samples), quantiles(samples, n=100, method="inclusive")[98]


@asynccontextmanager
async def _bare_worker(stack: Stack) -> AsyncIterator[None]:
    endpoints = stack.state.endpoints
    if endpoints is None:
        raise BenchmarkError("The stack has no addresses.")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.jobs_bare", endpoints.temporal_address), stdout=asyncio.subprocess.PIPE
    )
    try:
        if process.stdout is None or not await process.stdout.readline():
            raise BenchmarkError("The bare worker did not start.")
        yield
    finally:
        process.kill()
        await process.wait()

"""How soon rendering stops when an output is called off, with an encoder that hangs: nothing of it ends by itself."""

import asyncio
import os
import signal
import time
from pathlib import Path
from statistics import median

from benchmarks.frame import BenchmarkError, Figures
from benchmarks.jobs_stack import Stack
from schemas.control import CancelOutputs
from schemas.edl import Variant
from schemas.jobs import Job, JobRequest, JobStatus
from stores import Jobs
from workflows.contract import CANCEL_OUTPUTS, direct_job_id

#: Renders that are called off, each of a creator of its own, so that none is found ready made.
ROUNDS = 10

PATIENCE_SECONDS = 300.0
LOOK_SECONDS = 0.01


async def measure(stack: Stack) -> Figures:
    """``stopping.*`` figures, in seconds from the order to the end of the process and of its files."""
    times = [await _stopped(stack) for _ in range(ROUNDS)]
    return {"stopping.median_s": median(times), "stopping.max_s": max(times)}


async def _stopped(stack: Stack) -> float:
    owner = await stack.owner()
    job = await stack.order(await stack.project(owner, stack.talk), JobRequest(variants=(Variant.VERTICAL_REEL,)))
    render = await _hung_render(stack)
    handle = stack.temporal.get_workflow_handle(direct_job_id(job.id))
    began = time.perf_counter()
    order = asyncio.create_task(handle.execute_update(CANCEL_OUTPUTS, CancelOutputs()))
    while _running(render) or _scratch(stack):
        _have_patience(began)
        await asyncio.sleep(LOOK_SECONDS)
    stopped = time.perf_counter() - began
    await order
    await _cancelled(stack, job)
    return stopped


async def _hung_render(stack: Stack) -> int:
    """Stop the next process that renders; its id."""
    began = time.perf_counter()
    while not (found := _renders(stack)):
        _have_patience(began)
        await asyncio.sleep(LOOK_SECONDS)
    os.kill(found[0], signal.SIGSTOP)
    return found[0]


def _renders(stack: Stack) -> list[int]:
    worker = next(child.pid for child in stack.state.children if child.name == "worker-render")
    listed = Path(f"/proc/{worker}/task").glob("*/children")
    children = [int(pid) for file in listed for pid in file.read_text().split()]
    return [pid for pid in children if b"activities.render_child" in _command(pid)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _scratch(stack: Stack) -> bool:
    return any((stack.home / "scratch").iterdir())


def _have_patience(began: float) -> None:
    if time.perf_counter() - began > PATIENCE_SECONDS:
        raise BenchmarkError(f"Nothing happened within {PATIENCE_SECONDS:g} s.")


async def _cancelled(stack: Stack, job: Job) -> None:
    await stack.settled([job.id], PATIENCE_SECONDS)
    settled = await Jobs(stack.pool).get(job.id)
    if settled.status is not JobStatus.CANCELLED:
        raise BenchmarkError(f"A job that was called off ended as {settled.status}.")

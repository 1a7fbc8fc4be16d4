"""Two hundred small jobs from twenty creators while workers are killed at random: is any lost, or made twice?

Nine of a creator's ten jobs are over the small talk. The analyses are shared by all; whoever asks for the same edit
again gets a copy: ``soak.rendered_share`` of the outputs are really rendered. One of the nine has a corrupt file
beside the talk and has to end as partial; the tenth has nothing but a corrupt file and has to fail.
"""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass
from time import perf_counter
from uuid import UUID

from rich.console import Console

from benchmarks.frame import Figures
from benchmarks.jobs_stack import Stack
from cinema.stack.state import ChildState
from schemas.edl import Variant
from schemas.jobs import JobRequest, JobStatus, OutputStatus, Pace
from stores import Bucket, Jobs

OWNERS = 20

WHOLE_JOBS = (
    (Variant.HOOK_CUT, Pace.NATURAL),
    (Variant.HOOK_CUT, Pace.RELAXED),
    (Variant.HOOK_CUT, Pace.FAST),
    (Variant.CINEMATIC_FULL, Pace.NATURAL),
    (Variant.CINEMATIC_FULL, Pace.FAST),
    *((Variant.HOOK_CUT, Pace.NATURAL),) * 3,
)
HALF_CORRUPT_JOB = (Variant.HOOK_CUT, Pace.NATURAL)
CORRUPT_JOB = (Variant.HOOK_CUT, Pace.NATURAL)

#: Who is killed, by how often: renders take the longest.
VICTIMS = {"worker-render": 3, "worker-jobs": 2, "worker-analysis": 1, "dispatcher": 1}
SEED = 5
#: From the moment that all parts are ready: on a slow machine as well there is work to interrupt.
SECONDS_BETWEEN_KILLS = (2.0, 6.0)

#: All jobs have to have settled within this time, on a machine with two busy cores.
PATIENCE_SECONDS = 3600.0
#: What was killed last has to be swept within this time.
TIDY_SECONDS = 60.0

console = Console(stderr=True)


@dataclass(frozen=True)
class _Ordered:
    job_id: UUID
    expected: JobStatus


async def measure(stack: Stack) -> Figures:
    """Run the soak; ``soak.*`` figures."""
    began = perf_counter()
    ordered = [job for _ in range(OWNERS) for job in await _order_all(stack)]
    killing = asyncio.create_task(_kill_at_random(stack))
    try:
        await stack.settled([job.job_id for job in ordered], PATIENCE_SECONDS)
    finally:
        killing.cancel()
        (trouble,) = await asyncio.gather(killing, return_exceptions=True)
    if isinstance(trouble, Exception):
        raise trouble
    minutes = (perf_counter() - began) / 60
    return {
        "soak.jobs": len(ordered),
        "soak.kills": _killed(stack),
        "soak.minutes": minutes,
        "soak.leftover_files": await _leftover_files(stack),
        **await _count(stack, ordered),
    }


async def _order_all(stack: Stack) -> list[_Ordered]:
    """The ten jobs of a new creator."""
    owner = await stack.owner()
    whole = await stack.project(owner, stack.talk)
    half_corrupt = await stack.project(owner, stack.talk, stack.corrupt)
    corrupt = await stack.project(owner, stack.corrupt)
    asked = [
        *((whole, job, JobStatus.COMPLETED) for job in WHOLE_JOBS),
        (half_corrupt, HALF_CORRUPT_JOB, JobStatus.PARTIAL),
        (corrupt, CORRUPT_JOB, JobStatus.FAILED),
    ]
    return [
        _Ordered((await stack.order(project, JobRequest(variants=(variant,), pace=pace))).id, expected)
        for project, (variant, pace), expected in asked
    ]


async def _kill_at_random(stack: Stack) -> None:
    dice = random.Random(SEED)
    names, weights = list(VICTIMS), list(VICTIMS.values())
    while True:
        await _all_ready(stack)
        await asyncio.sleep(dice.uniform(*SECONDS_BETWEEN_KILLS))
        (victim,) = dice.choices(names, weights)
        stack.kill(victim)


async def _all_ready(stack: Stack) -> None:
    while any(child.state is not ChildState.READY for child in stack.state.children):  # noqa: ASYNC110 (of processes)
        await asyncio.sleep(0.1)


def _killed(stack: Stack) -> int:
    """How often a part had to be started again."""
    return sum(child.restarts for child in stack.state.children if child.name in VICTIMS)


async def _count(stack: Stack, ordered: list[_Ordered]) -> Figures:
    jobs = {job.job_id: await Jobs(stack.pool).get(job.job_id) for job in ordered}
    lost = [job.job_id for job in ordered if jobs[job.job_id].status is not job.expected]
    for job_id in lost:
        console.print(f"lost: {jobs[job_id]}", style="red")
    outputs = [output for job in jobs.values() for output in job.outputs]
    completed = [output for output in outputs if output.status is OutputStatus.COMPLETED]
    keys = {(jobs[output.job_id].owner_id, output.files.render_key) for output in completed if output.files}
    return {
        "soak.lost": len(lost),
        "soak.duplicated": await _duplicated(stack, set(jobs)),
        "soak.outputs": len(completed),
        "soak.rendered_share": len(keys) / len(completed),
        "soak.attempts_per_output": sum(output.attempt for output in completed) / len(completed),
    }


async def _duplicated(stack: Stack, job_ids: set[UUID]) -> int:
    """Videos, analyses and workflow runs beyond one for each output, piece of content and job."""
    videos = Counter(
        found.key.split("/")[2]
        for found in [found async for found in stack.objects.list(Bucket.OUTPUTS)]
        if found.key.endswith(".mp4")
    )
    made = Counter(
        str(row["job_id"])
        for row in await stack.pool.fetch("select job_id from public.job_outputs where status = 'completed'")
    )
    analyses = await stack.pool.fetchval(
        "select count(*) - count(distinct (asset_sha256, analyzer)) from public.analyses"
    )
    runs = Counter([run.id async for run in stack.temporal.list_workflows("WorkflowType = 'DirectJob'")])
    started_again = sum(runs[f"job-{job_id}"] > 1 for job_id in job_ids)
    return sum((videos - made).values()) + int(analyses) + started_again


async def _leftover_files(stack: Stack) -> int:
    """Working files and half-written objects that nobody has swept."""
    left = _left(stack)
    for _ in range(round(TIDY_SECONDS)):
        if not left:
            break
        await asyncio.sleep(1.0)
        left = _left(stack)
    return left


def _left(stack: Stack) -> int:
    folders = (stack.home / "scratch", stack.home / "objects" / ".incoming")
    return sum(path.is_file() for folder in folders for path in folder.rglob("*"))

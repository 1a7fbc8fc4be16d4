"""A worker is killed at each stage of a job: another process does that one piece again, and nothing else."""

import signal

import pytest

from schemas.cost import Outcome
from schemas.edl import Variant
from schemas.jobs import JobStatus
from stores import Ledger
from tests.faults.fault_plan import Kind, Point
from tests.faults.stack_under_fault import StackUnderFault, until
from tests.faults.verdict import judge

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]


async def test_analysis_worker_killed_while_it_analyses(stack: StackUnderFault) -> None:
    job = await stack.order(Variant.HOOK_CUT, fresh=True)
    await stack.reached(job, JobStatus.ANALYSING)
    await until(lambda: bool(stack.children_of("worker-analysis")), "something is analysed")
    dead = stack.signal("worker-analysis", signal.SIGKILL)
    await stack.restarted("worker-analysis", dead)
    hit = ("probe", "sound", "shots")
    await judge(stack, job, repeated=hit)


async def test_jobs_worker_killed_while_it_plans(stack: StackUnderFault) -> None:
    stack.faults.arm(Point.PUT, Kind.KILL, ".edl.json")
    job = await stack.order(Variant.HOOK_CUT)
    await judge(stack, job, repeated=("plan hook_cut",))


async def test_render_worker_killed_while_it_renders(stack: StackUnderFault) -> None:
    job = await stack.order(Variant.VERTICAL_REEL)
    await stack.rendering()
    dead = stack.signal("worker-render", signal.SIGKILL)
    await stack.restarted("worker-render", dead)
    await judge(stack, job, repeated=("render vertical_reel",))


@pytest.mark.parametrize("moment", [Kind.KILL_HALFWAY, Kind.KILL_AFTER])
async def test_render_worker_killed_while_it_publishes(stack: StackUnderFault, moment: Kind) -> None:
    stack.faults.arm(Point.PUT, moment, ".mp4")
    job = await stack.order(Variant.HOOK_CUT)
    await judge(stack, job, repeated=("render hook_cut",))
    renders = [entry.outcome for entry in await Ledger(stack.pool).of_job(job.id) if entry.output_id is not None]
    # What has arrived in the store is checked already: it is published, and not rendered again.
    again = Outcome.REUSED if moment is Kind.KILL_AFTER else Outcome.SUCCEEDED
    assert renders == [Outcome.LOST, again]

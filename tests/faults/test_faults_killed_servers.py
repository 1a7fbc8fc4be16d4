"""Postgres or Temporal is killed in the midst of a job: the supervisor restarts it on its data, and all go on."""

import asyncio
import signal

import pytest

from schemas.edl import Variant
from tests.faults.stack_under_fault import StackUnderFault
from tests.faults.verdict import judge

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]


async def test_temporal_killed(stack: StackUnderFault) -> None:
    job = await stack.order(Variant.VERTICAL_REEL)
    await stack.rendering()
    dead = stack.signal("temporal", signal.SIGKILL)
    during = await stack.order(Variant.HOOK_CUT)
    await stack.restarted("temporal", dead)
    await judge(stack, job)
    await judge(stack, during)


async def test_postgres_killed(stack: StackUnderFault) -> None:
    """Not even the piece in flight is lost: the render waits for its database."""
    job = await stack.order(Variant.VERTICAL_REEL)
    await stack.rendering()
    dead = stack.signal("postgres", signal.SIGKILL)
    await stack.restarted("postgres", dead)
    during = await stack.order(Variant.HOOK_CUT)
    await judge(stack, job)
    await judge(stack, during)


async def test_both_killed_and_every_worker_with_them(stack: StackUnderFault) -> None:
    """As after a power cut, but for the disk."""
    job = await stack.order(Variant.VERTICAL_REEL)
    await stack.rendering()
    parts = ("postgres", "temporal", "api", "dispatcher", "worker-jobs", "worker-analysis", "worker-render")
    dead = {part: stack.signal(part, signal.SIGKILL) for part in parts}
    await asyncio.gather(*(stack.restarted(part, pid) for part, pid in dead.items()))
    await judge(stack, job, repeated=("render vertical_reel",))

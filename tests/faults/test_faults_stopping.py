"""Every worker is told to stop under load: what it has begun it finishes or hands on, and nothing else is repeated."""

import asyncio
import signal

import pytest

from schemas.edl import Variant
from tests.faults.stack_under_fault import StackUnderFault
from tests.faults.verdict import judge

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]


async def test_sigterm_under_load(stack: StackUnderFault) -> None:
    jobs = [await stack.order(Variant.VERTICAL_REEL, Variant.HOOK_CUT) for _ in range(3)]
    jobs.append(await stack.order(Variant.HOOK_CUT, fresh=True))
    await stack.rendering()
    workers = ("worker-jobs", "worker-analysis", "worker-render", "dispatcher")
    stopped = {part: stack.signal(part, signal.SIGTERM) for part in workers}
    await asyncio.gather(*(stack.restarted(part, pid) for part, pid in stopped.items()))
    for job in jobs:
        await judge(stack, job, repeated=("render ", "probe", "sound", "shots"))

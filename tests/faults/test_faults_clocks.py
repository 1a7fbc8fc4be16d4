"""Clocks that are wrong or are set: leases and time limits are measured by the servers or on monotonic clocks."""

import signal
from collections.abc import AsyncIterator

import pytest

from schemas.edl import Variant
from tests.faults.clock import faketime_library
from tests.faults.stack_under_fault import StackUnderFault
from tests.faults.verdict import judge

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

HOUR = 3600
PARTS = ("dispatcher", "worker-jobs", "worker-analysis", "worker-render")


@pytest.fixture
async def adrift(stack: StackUnderFault) -> AsyncIterator[StackUnderFault]:
    """The stack with all its own programs on a clock that can be set."""
    if faketime_library() is None:
        pytest.skip("libfaketime is not installed (apt-get install libfaketime)")
    stack.clock.set(HOUR)
    await restart(stack)
    yield stack
    stack.clock.restore()
    await restart(stack)


async def restart(stack: StackUnderFault) -> None:
    dead = {part: stack.signal(part, signal.SIGTERM) for part in PARTS}
    for part, pid in dead.items():
        await stack.restarted(part, pid)


async def test_an_hour_ahead_then_set_two_hours_back_amid_a_job(adrift: StackUnderFault) -> None:
    stack = adrift
    await judge(stack, await stack.order(Variant.HOOK_CUT, fresh=True))
    job = await stack.order(Variant.VERTICAL_REEL)
    await stack.rendering()
    stack.clock.set(-HOUR)
    await judge(stack, job)

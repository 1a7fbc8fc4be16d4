"""The object store fails in every way that stores fail: nothing half is ever published, and no work is done again."""

import pytest

from schemas.edl import Variant
from tests.faults.fault_plan import Kind, Point
from tests.faults.stack_under_fault import StackUnderFault
from tests.faults.verdict import judge

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

WAYS_TO_FAIL = (
    Kind.ERROR,
    Kind.TIMEOUT,
    Kind.HALF,
    Kind.HALF_KEPT,
    Kind.HALF_ACCEPTED,
    Kind.ANSWER_LOST,
    Kind.DISK_FULL,
)


async def test_publishing_through_every_failure_of_the_store(stack: StackUnderFault) -> None:
    """Each video is rendered once and uploaded until the store has got it."""
    for kind in WAYS_TO_FAIL:
        stack.faults.arm(Point.PUT, kind, ".mp4")
    job = await stack.order(Variant.HOOK_CUT, Variant.VERTICAL_REEL, Variant.CINEMATIC_FULL)
    await judge(stack, job)


async def test_keeping_analyses_through_every_failure_of_the_store(stack: StackUnderFault) -> None:
    """Each is measured once. The plan, which costs nothing, is made again."""
    for kind in (Kind.ERROR, Kind.HALF_KEPT, Kind.HALF_ACCEPTED, Kind.ANSWER_LOST):
        stack.faults.arm(Point.PUT, kind, ".json")
    job = await stack.order(Variant.HOOK_CUT, fresh=True)
    await judge(stack, job, repeated=("plan hook_cut",), attempts=6)


async def test_reading_the_plan_through_failures_of_the_store(stack: StackUnderFault) -> None:
    for kind in (Kind.ERROR, Kind.TIMEOUT, Kind.HALF):
        stack.faults.arm(Point.GET, kind, ".edl.json")
    job = await stack.order(Variant.HOOK_CUT)
    await judge(stack, job)

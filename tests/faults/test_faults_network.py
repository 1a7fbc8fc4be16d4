"""The network to Postgres is cut for workers and dispatcher: both find back by themselves, and no work is lost."""

import asyncio

import pytest

from schemas.edl import Variant
from tests.faults.impatience import OUTAGE_SECONDS
from tests.faults.stack_under_fault import StackUnderFault
from tests.faults.verdict import judge

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]


@pytest.mark.parametrize("how", ["dropped", "refused"])
async def test_network_to_postgres_cut(stack: StackUnderFault, how: str) -> None:
    """A job in the midst of rendering, and one ordered meanwhile."""
    job = await stack.order(Variant.VERTICAL_REEL)
    await stack.rendering()
    if how == "dropped":
        stack.network.cut()
    else:
        await stack.network.refuse()
    during = await stack.order(Variant.HOOK_CUT)
    await asyncio.sleep(OUTAGE_SECONDS)
    await stack.network.mend()
    await judge(stack, job)
    await judge(stack, during)

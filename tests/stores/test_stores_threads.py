"""Blocking work ends before its caller does."""

import asyncio
import time

import pytest

from stores.threads import in_thread

pytestmark = pytest.mark.unit


async def test_work_returns_and_raises_as_if_called_here() -> None:
    assert await in_thread(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 // 0)


@pytest.mark.parametrize("fails", ["", "fails"])
async def test_however_often_cancelled_the_caller_leaves_after_the_work(fails: str) -> None:
    ended = []

    def work() -> None:
        time.sleep(0.1)
        ended.append(True)
        if fails:
            raise OSError(fails)

    calling = asyncio.create_task(in_thread(work))
    for _ in range(3):
        await asyncio.sleep(0.01)
        calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert ended

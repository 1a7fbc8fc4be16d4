"""Blocking work ends before its caller does."""

import asyncio
import threading
import time

import pytest

from stores.threads import ended, in_thread, over, started

pytestmark = pytest.mark.unit


async def test_work_returns_and_raises_as_if_called_here() -> None:
    assert await in_thread(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 // 0)


@pytest.mark.parametrize("fails", ["", "fails"])
async def test_however_often_cancelled_the_caller_leaves_after_the_work(fails: str) -> None:
    done = []

    def work() -> None:
        time.sleep(0.1)
        done.append(True)
        if fails:
            raise OSError(fails)

    calling = asyncio.create_task(in_thread(work))
    for _ in range(3):
        await asyncio.sleep(0.01)
        calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert done


async def test_work_goes_on_while_its_caller_does_something_else() -> None:
    may_end = threading.Event()
    running = started(lambda: may_end.wait(10))
    assert not running.done()
    may_end.set()
    assert await ended(running)


async def test_an_outcome_that_nobody_needs_is_waited_for_all_the_same() -> None:
    outcomes = []

    def work() -> None:
        time.sleep(0.05)
        outcomes.append(True)
        raise OSError("nobody asked")

    await over(started(work))
    assert outcomes

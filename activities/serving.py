"""Work that is served while it lasts."""

import asyncio
from collections.abc import Awaitable, Coroutine, Sequence
from typing import Any, TypeVar

Made = TypeVar("Made")


async def served_while(work: Awaitable[Made], servers: Sequence[Coroutine[Any, Any, None]]) -> Made:
    """``work``'s result, while those who serve it do; all have ended when this does.

    Raises:
        CinemaError: What one of them raised: whatever became of the work without it does not count. Else the work's.
    """
    working = asyncio.ensure_future(work)
    serving = [asyncio.create_task(server) for server in servers]
    try:
        await asyncio.wait([working, *serving], return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in (working, *serving):
            task.cancel()
        await asyncio.gather(working, *serving, return_exceptions=True)
    for server in serving:
        if not server.cancelled():
            server.result()
    return working.result()

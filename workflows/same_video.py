"""A video that somebody else makes at the moment is waited for, and never made twice.

Nothing can be stuck in this wait: who makes a video holds the right to it only while a worker is at it, never while it
is queued itself, and loses it with its process. And the wait takes no worker from anybody.
"""

import asyncio
from collections.abc import Awaitable, Callable

from temporalio.exceptions import ActivityError, ApplicationError

from activities.declarations import AWAIT_VIDEO, AwaitVideo, RenderedOutput, RenderOutput
from schemas.errors import ErrorCode
from workflows.held_calls import HeldCalls
from workflows.limits import AWAITED
from workflows.listener import Listener


async def made_once(
    calls: HeldCalls,
    asked: RenderOutput,
    which: str,
    listener: Listener,
    make: Callable[[], Awaitable[RenderedOutput]],
) -> RenderedOutput:
    """What ``make`` makes, or finds once nobody else makes it any more.

    Raises:
        ActivityError: it could not be made, or was cancelled.
    """
    while True:
        try:
            return await make()
        except ActivityError as error:
            render_key = _made_elsewhere(error)
            if render_key is None:
                raise
        await _wait(calls, AwaitVideo(owner_id=asked.owner_id, render_key=render_key), which, listener)


async def _wait(calls: HeldCalls, awaited: AwaitVideo, which: str, listener: Listener) -> None:
    try:
        await calls.work(
            AWAIT_VIDEO,
            awaited,
            AWAITED,
            summary=f"wait for the video of {which}, which is being made already",
            name=f"await-{which}",
            given_up=listener.given_up,
            begins=listener.awaits,
            waits=listener.waits,
        )
    except ActivityError as error:
        if _made_elsewhere(error) is None:
            raise
        # It was called off, or taken back by a pause, amid a look: then the server tries no other one.
        if listener.given_up():
            raise asyncio.CancelledError from error


def _made_elsewhere(error: ActivityError) -> str | None:
    """What the video goes by that somebody else makes, if that is why the activity did not make it."""
    match error.cause:
        case ApplicationError(type=ErrorCode.VIDEO_BEING_MADE, details=[_, str() as render_key]):
            return render_key
        case _:
            return None

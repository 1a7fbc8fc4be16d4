"""A video, or a part of one, that somebody else makes at the moment is waited for, and never made twice.

Nothing can be stuck in this wait: who makes something holds the right to it only while a worker is at it, never while
it is queued itself, and loses it with its process. And the wait takes no worker from anybody.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from temporalio.exceptions import ActivityError, ApplicationError

from activities.declarations import AWAIT_VIDEO, AwaitVideo
from schemas.errors import ErrorCode
from workflows.held_calls import HeldCalls
from workflows.limits import AWAITED
from workflows.listener import Listener

Made = TypeVar("Made")


@dataclass(frozen=True)
class SameVideo:
    """What is to be made once: whose it is, its name among the job's work and for people, and whether it is a part."""

    owner_id: UUID
    name: str
    told: str
    part: bool = False


async def made_once(
    calls: HeldCalls, wanted: SameVideo, listener: Listener, make: Callable[[], Awaitable[Made]]
) -> Made:
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
        await _wait(calls, wanted, render_key, listener)


async def _wait(calls: HeldCalls, wanted: SameVideo, render_key: str, listener: Listener) -> None:
    try:
        await calls.work(
            AWAIT_VIDEO,
            AwaitVideo(owner_id=wanted.owner_id, render_key=render_key, part=wanted.part),
            AWAITED,
            summary=f"wait for {wanted.told}, which is being made already",
            name=f"await-{wanted.name}",
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

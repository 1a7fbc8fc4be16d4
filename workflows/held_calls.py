"""The calls of a job that can be paused: no work begins while it is, and what no worker has begun is taken back.

So much work is scheduled at a time as some fleet of workers could be busy with, the rest in its turn.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, RetryState, is_cancelled_exception

from activities.declarations import FIND_QUEUED_WORK, Argument, Declaration, LoadedJob, Nothing, Result
from workflows.calls import JobCalls
from workflows.limits import LIGHT, PIECES_AT_ONCE, ActivityLimits

#: Marks a job in which a pause costs no work its retries; those that began before recorded a failure.
_RETRIED_AFTER_PAUSE = "retried after a pause"

#: Marks a job that is in turns; one that began before there were any has more scheduled than this, and replays so.
_IN_TURNS = "work in turns"


def _untold() -> None:
    """Nobody wants to know."""


class HeldCalls:
    """The work of one job. ``held`` says whether work may begin now."""

    def __init__(self, calls: JobCalls, held: Callable[[], bool]) -> None:
        self._calls = calls
        self._held = held
        self._working: dict[str, asyncio.Future[Any]] = {}
        self._taken_back: set[str] = set()
        self._turns = asyncio.Semaphore(PIECES_AT_ONCE)
        #: How many pieces of work have been done.
        self.done = 0
        self._light = 0

    @property
    def idle(self) -> bool:
        """Whether nothing is scheduled: all that there may be is held."""
        return not self._working and not self._light

    def serve(self, job: LoadedJob) -> None:
        """From now on let the calls take the turns that the job's owner has a right to."""
        self._calls.serve(job.owner_id, job.service)

    async def light(self, declared: Declaration[Argument, Result], argument: Argument, *, summary: str) -> Result:
        """Read or write rows, paused or not.

        Raises:
            ActivityError: it failed or was cancelled.
        """
        self._light += 1
        try:
            return await self._calls(declared, argument, LIGHT, summary=summary)
        finally:
            self._light -= 1

    async def work(
        self,
        declared: Declaration[Argument, Result],
        argument: Argument,
        limits: ActivityLimits,
        *,
        summary: str,
        name: str,
        given_up: Callable[[], bool],
        begins: Callable[[], None] = _untold,
        waits: Callable[[], None] = _untold,
    ) -> Result:
        """Do a piece of work once it may begin.

        Args:
            declared: the activity.
            argument: what it is asked.
            limits: its time limits and retries.
            summary: its line in the Web UI.
            name: the activity's id, by which the work is taken back; unique among the job's work.
            given_up: whether nobody wants the work any more.
            begins: told each time the work is scheduled.
            waits: told each time it has to wait until it may begin.

        Raises:
            ActivityError: it failed or was cancelled.
            asyncio.CancelledError: it was given up before it began.
        """
        while True:
            async with self._turn():
                if self._held():
                    waits()
                    await workflow.wait_condition(lambda: given_up() or not self._held())
                if given_up():
                    raise asyncio.CancelledError
                begins()
                self._taken_back.discard(name)
                working = asyncio.ensure_future(self._calls(declared, argument, limits, summary=summary, name=name))
                self._working[name] = working
                try:
                    answer = await working
                except ActivityError as error:
                    if given_up() or name not in self._taken_back or not _to_do_again(error):
                        raise
                else:
                    self.done += 1
                    return answer
                finally:
                    del self._working[name]

    def _turn(self) -> AbstractAsyncContextManager[None]:
        """One of so many at a time, first come, first served."""
        if self._turns.locked() and not workflow.patched(_IN_TURNS):
            return nullcontext()
        return self._turns

    async def take_back(self) -> None:
        """Cancel what waits for a worker; it is scheduled again when work may begin again."""
        queued = await self.light(FIND_QUEUED_WORK, Nothing(), summary="find work that nobody has begun")
        for name in queued.activity_ids:
            if name in self._working and self._held():
                self._taken_back.add(name)
                self._working[name].cancel()


def _to_do_again(error: ActivityError) -> bool:
    """Whether work that was taken back has not been done, and has not failed for good.

    A worker may have begun it in the meantime: where its attempt then fails, the server lets nobody try once more.
    """
    if is_cancelled_exception(error):
        return True
    if isinstance(error.cause, ApplicationError) and error.cause.non_retryable:
        return False
    return error.retry_state is RetryState.CANCEL_REQUESTED and workflow.patched(_RETRIED_AFTER_PAUSE)

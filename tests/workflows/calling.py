"""A workflow that does nothing but call one activity, as jobs call theirs, and an activity that does as it is told."""

import asyncio
from uuid import UUID, uuid4

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from pydantic import Field

    from activities.declarations import Declaration, TaskQueue
    from schemas.model import Model
    from schemas.service import Service
    from workflows.calls import JobCalls
    from workflows.limits import render_limits

CALLING = "Calling"


class Piece(Model):
    """One piece of somebody's work."""

    owner_id: UUID
    number: int


class Done(Model):
    """Where it was done, and by the how manieth attempt."""

    queue: str
    attempt: int


class Call(Model):
    """Call the activity for this owner, ``pieces`` times at once."""

    owner_id: UUID = Field(default_factory=uuid4)
    service: Service = Service()
    pieces: int = 1


class Calls(Model):
    done: tuple[Done, ...]


WORK = Declaration("work", TaskQueue.RENDER, Piece, Done, TaskQueue.RENDER_GPU)


@workflow.defn(name=CALLING)
class Calling:
    @workflow.run
    async def run(self, asked: Call) -> Calls:
        calls = JobCalls()
        calls.serve(asked.owner_id, asked.service)
        pieces = [Piece(owner_id=asked.owner_id, number=number) for number in range(asked.pieces)]
        done = await asyncio.gather(*(calls(WORK, piece, render_limits(0), summary="work") for piece in pieces))
        return Calls(done=tuple(done))


class Work:
    """Notes the order in which pieces are begun, and holds each until it may end."""

    def __init__(self, *, seconds: float = 0) -> None:
        self.begun: list[Piece] = []
        self.may_end = asyncio.Event()
        self.may_end.set()
        self._seconds = seconds

    @activity.defn(name=WORK.name)
    async def work(self, piece: Piece) -> Done:
        self.begun.append(piece)
        await asyncio.sleep(self._seconds)
        while not self.may_end.is_set():
            activity.heartbeat()
            await asyncio.sleep(0.05)
        info = activity.info()
        return Done(queue=info.task_queue, attempt=info.attempt)

    async def until_begun(self, count: int) -> None:
        async with asyncio.timeout(120):
            while len(self.begun) < count:
                await asyncio.sleep(0.02)

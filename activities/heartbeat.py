"""Telling Temporal that an activity lives and how far it is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity

from schemas.jobs import Progress
from schemas.model import Model

#: Seconds between heartbeats; well inside every heartbeat timeout the workflows set.
HEARTBEAT_INTERVAL = 2.0


class HeartbeatState(Model):
    """What the next attempt, and an operator reading the Web UI, learn from the last heartbeat."""

    stage: str
    progress: Progress


class Heartbeat:
    """The state that the next heartbeat carries."""

    def __init__(self, stage: str) -> None:
        self.state = HeartbeatState(stage=stage, progress=0)

    def advance(self, progress: float) -> None:
        self.state = self.state.model_copy(update={"progress": progress})

    def enter(self, stage: str) -> None:
        self.state = HeartbeatState(stage=stage, progress=self.state.progress)


@asynccontextmanager
async def heartbeating(stage: str) -> AsyncIterator[Heartbeat]:
    """Heartbeat for the time of the block, the last state once more at its end, however that comes."""
    heartbeat = Heartbeat(stage)
    activity.heartbeat(heartbeat.state)
    beating = asyncio.create_task(_beat(heartbeat))
    try:
        yield heartbeat
    finally:
        beating.cancel()
        activity.heartbeat(heartbeat.state)


@asynccontextmanager
async def alive() -> AsyncIterator[None]:
    """Heartbeat with nothing to tell for the time of the block; work shorter than an interval never does."""
    beating = asyncio.create_task(_live())
    try:
        yield
    finally:
        beating.cancel()


async def _live() -> None:
    while True:
        await asyncio.sleep(HEARTBEAT_INTERVAL)
        activity.heartbeat()


async def _beat(heartbeat: Heartbeat) -> None:
    while True:
        await asyncio.sleep(HEARTBEAT_INTERVAL)
        activity.heartbeat(heartbeat.state)

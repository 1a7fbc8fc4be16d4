"""A render's progress, for the creator in the database and for Temporal in the heartbeat."""

import time
from uuid import UUID

import structlog

from activities.heartbeat import Heartbeat
from schemas.errors import TransientError
from stores import Outputs

#: Seconds between two writes of one output's progress: a bar moves smoothly, and the database stays idle.
WRITE_INTERVAL = 0.5

log = structlog.get_logger(__name__)


class OutputProgress:
    """Reports one attempt's progress; writing as a superseded attempt raises ``ConflictError`` and so ends it.

    ``begins_at`` is the share of the output that was done before.
    """

    def __init__(
        self, outputs: Outputs, output_id: UUID, attempt: int, heartbeat: Heartbeat, *, begins_at: float = 0.0
    ) -> None:
        self._outputs = outputs
        self._output_id = output_id
        self._attempt = attempt
        self._heartbeat = heartbeat
        self._begins_at = begins_at
        self._next_write = 0.0

    async def advance(self, done: float) -> None:
        self._heartbeat.advance(self._begins_at + (1 - self._begins_at) * done)
        now = time.monotonic()
        if now >= self._next_write:
            self._next_write = now + WRITE_INTERVAL
            await self._write()

    async def enter(self, stage: str) -> None:
        self._heartbeat.enter(stage)
        await self._write()

    async def _write(self) -> None:
        state = self._heartbeat.state
        try:
            await self._outputs.report_progress(self._output_id, self._attempt, state.progress, state.stage)
        except TransientError as error:
            _shrug(error)


class PartProgress:
    """Reports how far one part of an output is; as a superseded attempt it raises ``ConflictError`` and so ends it."""

    def __init__(self, outputs: Outputs, output_id: UUID, attempt: int, number: int, heartbeat: Heartbeat) -> None:
        self._outputs = outputs
        self._output_id = output_id
        self._attempt = attempt
        self._number = number
        self._heartbeat = heartbeat
        self._next_write = 0.0

    async def advance(self, done: float) -> None:
        self._heartbeat.advance(done)
        now = time.monotonic()
        if done < 1 and now < self._next_write:
            return
        self._next_write = now + WRITE_INTERVAL
        try:
            await self._outputs.report_part(self._output_id, self._attempt, self._number, done)
        except TransientError as error:
            _shrug(error)


def _shrug(error: TransientError) -> None:
    """Nobody misses one step of a bar so much that the work should be lost for it."""
    log.warning("the progress could not be written", error=error.message)

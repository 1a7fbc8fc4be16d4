"""An output rendered in parts, side by side on any number of workers, and joined."""

import asyncio
from collections.abc import Awaitable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from temporalio.exceptions import ActivityError

from activities.declarations import (
    ASSEMBLE_OUTPUT,
    BEGIN_PARTS,
    RENDER_SEGMENT,
    RENDER_SOUND,
    AssembleOutput,
    BeginParts,
    BegunParts,
    RenderedOutput,
    RenderOutput,
    RenderPart,
    SegmentSpan,
)
from schemas.errors import ErrorCode
from workflows.calls import failure_of
from workflows.held_calls import HeldCalls
from workflows.job_book import PartsCount
from workflows.limits import LIGHT, LOST_PARTS_ROUNDS, PARTS_AT_ONCE, join_limits, render_limits
from workflows.listener import Listener
from workflows.same_video import SameVideo, made_once


@dataclass
class PartsRender:
    """One output. ``which`` tells it from its siblings in ids of activities and in their lines in the Web UI."""

    calls: HeldCalls
    asked: RenderOutput
    segments: Sequence[SegmentSpan]
    duration_us: int
    which: str
    listener: Listener
    _scheduled: set[str] = field(default_factory=set)
    _failed: bool = False

    async def run(self) -> RenderedOutput:
        """Make what is missing, and join it; what goes meanwhile is made again.

        Raises:
            ActivityError: A part could not be made, or they could not be joined.
        """
        for rounds_left in reversed(range(LOST_PARTS_ROUNDS)):
            begun = await self._begin()
            await self._make(begun)
            try:
                wanted = SameVideo(self.asked.owner_id, self.which, f"the video of {self.which}")
                return await made_once(self.calls, wanted, self.listener, self._join)
            except ActivityError as error:
                if rounds_left == 0 or failure_of(error).code is not ErrorCode.OBJECT_MISSING:
                    raise
        raise AssertionError("unreachable")

    async def _begin(self) -> BegunParts:
        asked = BeginParts(
            owner_id=self.asked.owner_id,
            project_id=self.asked.project_id,
            output=self.asked.output,
            edl_key=self.asked.edl_key,
            segments=tuple(self.segments),
        )
        return await self.calls.work(
            BEGIN_PARTS,
            asked,
            LIGHT,
            summary=f"look what there is of {self.which}",
            name=f"begin-{self.which}",
            given_up=self.listener.given_up,
        )

    async def _make(self, begun: BegunParts) -> None:
        """Every part that is missing, some at a time; after a failure no more are begun, and those begun are ended."""
        self._failed = False
        turns = asyncio.Semaphore(PARTS_AT_ONCE)
        left = set(begun.missing)

        async def make(number: int) -> None:
            async with turns:
                if not self._failed:
                    await self._part(number, begun.attempt)
                    left.discard(number)
                    self._tell(begun, left)

        self._tell(begun, left)
        await _all([make(number) for number in begun.missing])

    def _tell(self, begun: BegunParts, left: Collection[int]) -> None:
        segments = len(self.segments)
        there, found = (segments - sum(number > 0 for number in numbers) for numbers in (left, begun.missing))
        self.listener.parts(PartsCount(segments=segments, there=there, found=found, has_sound=0 not in left))

    async def _part(self, number: int, attempt: int) -> None:
        span = self.segments[number - 1] if number else SegmentSpan(first=0, end=self.segments[-1].end)
        name = f"segment-{self.which}-{number}" if number else f"sound-{self.which}"
        asked = RenderPart(
            owner_id=self.asked.owner_id,
            project_id=self.asked.project_id,
            output=self.asked.output,
            edl_key=self.asked.edl_key,
            attempt=attempt,
            number=number,
            span=span,
        )
        told = f"{self.which} segment {number}/{len(self.segments)}" if number else f"{self.which} sound"
        render = partial(
            self.calls.work,
            RENDER_SEGMENT if number else RENDER_SOUND,
            asked,
            render_limits(self._length_us(span)),
            summary=f"render {told}",
            name=name,
            given_up=self.listener.given_up,
            begins=lambda: self._begins(name),
            waits=lambda: self._waits(name),
        )
        # The output waits for nothing while others of its parts are rendered.
        listener = replace(
            self.listener,
            begins=lambda: self._begins(name),
            waits=lambda: self._waits(name),
            awaits=lambda: self._begins(name),
        )
        try:
            await made_once(self.calls, SameVideo(self.asked.owner_id, name, told, part=True), listener, render)
        except BaseException:
            self._failed = True
            raise
        finally:
            self._scheduled.discard(name)

    async def _join(self) -> RenderedOutput:
        name = f"join-{self.which}"
        asked = AssembleOutput(**dict(self.asked), segments=tuple(self.segments))
        return await self.calls.work(
            ASSEMBLE_OUTPUT,
            asked,
            join_limits(self.duration_us),
            summary=f"join {self.which}",
            name=name,
            given_up=self.listener.given_up,
            begins=lambda: self._begins(name),
            waits=lambda: self._waits(name),
        )

    def _length_us(self, span: SegmentSpan) -> int:
        return self.duration_us * (span.end - span.first) // self.segments[-1].end

    def _begins(self, name: str) -> None:
        self._scheduled.add(name)
        self.listener.begins()

    def _waits(self, name: str) -> None:
        """Held is the output when none of its work is at a worker or on the way to one."""
        self._scheduled.discard(name)
        if not self._scheduled:
            self.listener.waits()


async def _all(calls: Sequence[Awaitable[None]]) -> None:
    """Wait for every call to end, whatever happens to the others, and then raise the first error."""
    for answer in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(answer, BaseException):
            raise answer

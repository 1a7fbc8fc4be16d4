"""A job whose full film is rendered in parts, of which what was made is there as rows are."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from temporalio import activity

from activities.declarations import (
    ASSEMBLE_OUTPUT,
    AWAIT_VIDEO,
    BEGIN_PARTS,
    PLAN_OUTPUT,
    RENDER_SEGMENT,
    RENDER_SOUND,
    AssembleOutput,
    AwaitVideo,
    BeginParts,
    BegunParts,
    PlannedOutput,
    PlanOutput,
    RenderedOutput,
    RenderedPart,
    RenderPart,
    SegmentSpan,
)
from activities.interception import application_error
from schemas.edl import Variant
from schemas.errors import CinemaError, ErrorCode, TransientError, VideoBeingMade
from schemas.jobs import OutputStatus
from tests.workflows.stand_ins import StandIns

LONG = Variant.CINEMATIC_FULL


@dataclass
class PartsStandIns(StandIns):
    """``broken`` parts fail for good, those of ``losing`` are gone when it is joined for the first time.

    Parts of ``parts_elsewhere`` are being made by somebody else.
    """

    segments: int = 5
    broken: set[int] = field(default_factory=set)
    losing: set[int] = field(default_factory=set)
    there: set[int] = field(default_factory=set)
    held_parts: set[int] = field(default_factory=set)
    parts_elsewhere: set[int] = field(default_factory=set)
    joins_are_held: bool = False
    most_at_once: int = 0
    at_once: int = 0

    def activities(self) -> Sequence[Callable[..., Any]]:
        others = [act for act in super().activities() if act.__name__ != "plan_output"]
        return [
            *others,
            self.plan_in_parts,
            self.begin_parts,
            self.render_sound,
            self.render_segment,
            self.assemble_output,
        ]

    @activity.defn(name=PLAN_OUTPUT.name)
    async def plan_in_parts(self, asked: PlanOutput) -> PlannedOutput:
        spans = [SegmentSpan(first=100 * n, end=100 * n + 100) for n in range(self.segments)]
        segments = tuple(spans) if asked.output.variant is LONG else ()
        return PlannedOutput(edl_key=asked.output.variant, duration_us=5_000_000, segments=segments)

    @activity.defn(name=BEGIN_PARTS.name)
    async def begin_parts(self, asked: BeginParts) -> BegunParts:
        self.calls["begin"] += 1
        missing = sorted(set(range(len(asked.segments) + 1)) - self.there)
        return BegunParts(attempt=self.calls["begin"], missing=tuple(missing))

    @activity.defn(name=RENDER_SOUND.name)
    async def render_sound(self, asked: RenderPart) -> RenderedPart:
        return await self._part(asked)

    @activity.defn(name=RENDER_SEGMENT.name)
    async def render_segment(self, asked: RenderPart) -> RenderedPart:
        assert asked.span == SegmentSpan(first=100 * asked.number - 100, end=100 * asked.number)
        return await self._part(asked)

    @activity.defn(name=AWAIT_VIDEO.name)
    async def await_video(self, asked: AwaitVideo) -> None:
        if not asked.part:
            return await super().await_video(asked)
        self.calls[f"await {asked.render_key}"] += 1
        if asked.render_key in {f"part {number}" for number in self.parts_elsewhere}:
            raise application_error(VideoBeingMade(asked.render_key))
        return None

    @activity.defn(name=ASSEMBLE_OUTPUT.name)
    async def assemble_output(self, asked: AssembleOutput) -> RenderedOutput:
        if LONG in self.made_elsewhere:
            raise application_error(VideoBeingMade(LONG))
        self.calls["join"] += 1
        while self.joins_are_held:
            activity.heartbeat()
            await asyncio.sleep(0.05)
        if self.losing:
            self.there -= self.losing
            self.losing = set()
            raise application_error(TransientError(ErrorCode.OBJECT_MISSING, "Parts of this video are gone."))
        assert self.there == set(range(len(asked.segments) + 1))
        self._set(asked.output.output_id, OutputStatus.COMPLETED)
        return RenderedOutput(video_key="k", video_sha256="ab" * 32, attempt=self.calls["begin"], reused=False)

    async def _part(self, asked: RenderPart) -> RenderedPart:
        self.calls[f"part {asked.number}"] += 1
        if asked.number in self.parts_elsewhere:
            raise application_error(VideoBeingMade(f"part {asked.number}"))
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            while asked.number in self.held_parts:
                self.rendering.set()
                activity.heartbeat()
                await asyncio.sleep(0.05)
            if asked.number in self.broken:
                raise application_error(CinemaError(ErrorCode.MEDIA_DAMAGED, "Nothing decodes there."))
            self.there.add(asked.number)
        finally:
            self.at_once -= 1
        return RenderedPart(reused=False)

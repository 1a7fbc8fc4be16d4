"""A long output in parts: each is found or made once, and whatever goes is made again, with real renders and rows."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import pytest
from temporalio.testing import ActivityEnvironment

from activities.context import ActivityContext
from activities.declarations import (
    AssembleOutput,
    BeginParts,
    BegunParts,
    OutputRef,
    RenderedOutput,
    RenderedPart,
    RenderPart,
    SegmentSpan,
    TaskQueue,
)
from activities.output_keys import OutputKeys
from activities.rendering_parts import PartActivities
from activities.time_limit import start_time_limit
from activities.uploads import upload_bytes, upload_file
from activities.webhook_sending import WebhookSending
from schemas.cost import LedgerEntry, Outcome
from schemas.edl import EDL, Caption, CaptionStyle, Variant
from schemas.errors import CinemaError, ErrorCode
from schemas.jobs import JobRequest, OutputStatus, Project
from schemas.media import AssetKind
from schemas.rendering import EncoderSettings
from stores import Assets, Bucket, Jobs, Ledger, LocalObjects, Outputs, Pool
from stores.sealing import Seal, new_key
from tests.render.conftest import COUNTED_FRAMES, tone
from tests.render.render_media import (
    Media,
    Writer,
    audio_clip,
    describe,
    edit,
    lumas,
    numbered,
    read_number,
    video_clip,
    yuv_frame,
)

pytestmark = pytest.mark.postgres

RATE = Fraction(30)
SHOT = 30
FIRSTS = (10, 60, 110, 160)
SPANS = tuple(SegmentSpan(first=SHOT * n, end=SHOT * n + SHOT) for n in range(len(FIRSTS)))
EVERY_PART = tuple(range(len(SPANS) + 1))

Answer = TypeVar("Answer")


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Media:
    path = tmp_path_factory.mktemp("talk") / "talk.mp4"
    frames = ((n * 3000, yuv_frame(numbered(n))) for n in range(COUNTED_FRAMES))
    Writer(path, options={"movflags": "+faststart"}).write(frames, (320, 180), sound=tone(10), sound_codec="aac")
    return describe(path)


def cut(talk: Media, words: Sequence[str] = ("one", "two", "three", "four")) -> EDL:
    """Four shots with a caption drawn into each."""
    clips = [video_clip(talk, SHOT * n, SHOT, first, RATE) for n, first in enumerate(FIRSTS)]
    sounds = [audio_clip(talk, SHOT * n, SHOT, first, RATE) for n, first in enumerate(FIRSTS)]
    style = CaptionStyle(burn_in=True, left=0, top=150, right=320, bottom=180, font_size=16)
    captions = tuple(Caption(start=SHOT * n + 2, end=SHOT * n + 28, lines=(word,)) for n, word in enumerate(words))
    return edit([talk], clips, sounds, captions=captions, caption_style=style)


@dataclass(frozen=True)
class Studio:
    """A project with the talk in it, and a worker for parts of its outputs."""

    pool: Pool
    objects: LocalObjects
    project: Project
    activities: PartActivities

    async def order(self, edl: EDL) -> AssembleOutput:
        """A new job whose only output is planned to be this edit."""
        request = JobRequest(variants=(Variant.CINEMATIC_FULL,))
        job = await Jobs(self.pool).create(self.project.owner_id, self.project.id, request)
        output = job.outputs[0]
        keys = OutputKeys(job.owner_id, job.project_id, job.id, output.id)
        await upload_bytes(self.objects, Bucket.OUTPUTS, keys.edl, edl.model_dump_json().encode())
        await Outputs(self.pool).plan(output.id, keys.edl)
        return AssembleOutput(
            job_id=job.id,
            owner_id=job.owner_id,
            project_id=job.project_id,
            output=OutputRef(output_id=output.id, variant=output.variant, status=output.status),
            edl_key=keys.edl,
            segments=SPANS,
        )

    async def begin(self, asked: AssembleOutput) -> BegunParts:
        return await _run(lambda: self.activities.begin_parts(BeginParts(**_common(asked), segments=SPANS)))

    async def part(self, asked: AssembleOutput, begun: BegunParts, number: int) -> RenderedPart:
        span = SPANS[number - 1] if number else SegmentSpan(first=0, end=SPANS[-1].end)
        part = RenderPart(**_common(asked), attempt=begun.attempt, number=number, span=span)
        make = self.activities.render_segment if number else self.activities.render_sound
        return await _run(lambda: make(part))

    async def join(self, asked: AssembleOutput) -> RenderedOutput:
        return await _run(lambda: self.activities.assemble_output(asked))

    async def make(self, asked: AssembleOutput) -> tuple[int, ...]:
        """All of it; the parts that were missing."""
        begun = await self.begin(asked)
        for number in begun.missing:
            await self.part(asked, begun, number)
        await self.join(asked)
        return begun.missing

    async def entries(self, asked: AssembleOutput) -> list[tuple[str, Outcome]]:
        entries: tuple[LedgerEntry, ...] = await Ledger(self.pool).of_job(asked.job_id)
        return [(entry.part, entry.outcome) for entry in entries]

    async def numbers(self, asked: AssembleOutput) -> list[int]:
        """The frame of the talk that each frame of the published output shows."""
        output = await Outputs(self.pool).get(asked.output.output_id)
        assert output.files is not None
        path = await self.objects.local_path(Bucket.OUTPUTS, output.files.video_key)
        return [read_number(luma) for luma in lumas(path)]


@pytest.fixture
async def studio(pool: Pool, local_objects: LocalObjects, project: Project, talk: Media, tmp_path: Path) -> Studio:
    context = ActivityContext(
        database=pool,
        objects=local_objects,
        models=tmp_path,
        scratch=tmp_path / "scratch",
        webhooks=WebhookSending(Seal([new_key()])),
        encoder=EncoderSettings(preset="ultrafast", threads=1),
    )
    stored = await upload_file(local_objects, Bucket.ASSETS, f"{project.owner_id}/talk", talk.path)
    await Assets(pool).add(
        owner_id=project.owner_id,
        project_id=project.id,
        name="talk.mp4",
        kind=AssetKind.A_ROLL,
        object_key=stored.key,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        position=0,
    )
    return Studio(pool, local_objects, project, PartActivities(context))


async def test_every_part_is_made_once_and_the_output_is_the_edit(studio: Studio, talk: Media, tmp_path: Path) -> None:
    asked = await studio.order(cut(talk))
    assert await studio.make(asked) == EVERY_PART
    output = await Outputs(studio.pool).get(asked.output.output_id)
    assert (output.status, output.progress, output.attempt) == (OutputStatus.COMPLETED, 1, 1)
    assert output.files is not None
    assert output.files.report.passed
    assert await studio.numbers(asked) == [first + n for first in FIRSTS for n in range(SHOT)]
    parts = ["sound", *(f"segment {n}" for n in range(1, 5)), "join"]
    assert await studio.entries(asked) == [(part, Outcome.SUCCEEDED) for part in parts]
    assert list((tmp_path / "scratch").iterdir()) == []
    assert (await studio.join(asked)).reused, "as often as its worker dies"
    assert await studio.begin(asked) == BegunParts(attempt=1, missing=())


async def test_one_changed_caption_renders_its_segment_alone(studio: Studio, talk: Media) -> None:
    await studio.make(await studio.order(cut(talk)))
    revised = await studio.order(cut(talk, ("one", "two", "other", "four")))
    assert await studio.make(revised) == (3,)
    assert await studio.entries(revised) == [("segment 3", Outcome.SUCCEEDED), ("join", Outcome.SUCCEEDED)]
    again = await studio.order(cut(talk))
    assert await studio.make(again) == ()
    assert await studio.entries(again) == [("join", Outcome.REUSED)], "the very same output is copied"


async def test_a_worker_that_is_asked_for_what_another_is_at_waits_for_it(studio: Studio, talk: Media) -> None:
    asked = await studio.order(cut(talk))
    begun = await studio.begin(asked)
    made = await asyncio.gather(*(studio.part(asked, begun, 1) for _ in range(3)))
    assert sorted(part.reused for part in made) == [False, True, True]
    assert await studio.entries(asked) == [("segment 1", Outcome.SUCCEEDED)]


@pytest.mark.parametrize("harm", ["gone", "damaged"])
async def test_a_part_that_is_lost_before_it_is_joined_is_made_again(studio: Studio, talk: Media, harm: str) -> None:
    asked = await studio.order(cut(talk))
    begun = await studio.begin(asked)
    for number in begun.missing:
        await studio.part(asked, begun, number)
    place = await studio.pool.fetchval("select object_key from segments order by created_at offset 2 limit 1")
    if harm == "gone":
        await studio.objects.delete(Bucket.OUTPUTS, place)
    else:
        path = await studio.objects.local_path(Bucket.OUTPUTS, place)
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(CinemaError) as lost:
        await studio.join(asked)
    assert lost.value.code is ErrorCode.OBJECT_MISSING
    assert await studio.make(asked) == (2,)
    assert await studio.numbers(asked) == [first + n for first in FIRSTS for n in range(SHOT)]


async def test_a_part_of_an_attempt_that_was_superseded_is_ended(studio: Studio, talk: Media) -> None:
    asked = await studio.order(cut(talk))
    stale = await studio.begin(asked)
    begun = await studio.begin(asked)
    assert begun.attempt == stale.attempt + 1
    with pytest.raises(CinemaError) as refused:
        await studio.part(asked, stale, 1)
    assert refused.value.code is ErrorCode.STALE_ATTEMPT
    assert ("segment 1", Outcome.SUCCEEDED) not in await studio.entries(asked)


async def test_progress_rises_with_every_part(studio: Studio, talk: Media) -> None:
    asked = await studio.order(cut(talk))
    begun = await studio.begin(asked)
    seen = []
    for number in begun.missing:
        await studio.part(asked, begun, number)
        seen.append((await Outputs(studio.pool).get(asked.output.output_id)).progress)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(0.9)


def _common(asked: AssembleOutput) -> dict[str, object]:
    return {name: getattr(asked, name) for name in ("owner_id", "project_id", "output", "edl_key")}


async def _run(work: Callable[[], Awaitable[Answer]]) -> Answer:
    """Inside an activity of a worker for renders, with time enough."""

    async def timed() -> Answer:
        start_time_limit()
        return await work()

    environment = ActivityEnvironment()
    info = ActivityEnvironment.default_info()
    environment.info = replace(info, task_queue=TaskQueue.RENDER, start_to_close_timeout=timedelta(minutes=5))
    answer: Answer = await environment.run(timed)
    return answer

"""A long output in parts: each is found or made once, and whatever goes is made again, with real renders and rows."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from activities.declarations import (
    AssembleOutput,
    AwaitVideo,
    BeginParts,
    BegunParts,
    RenderedOutput,
    RenderedPart,
    RenderPart,
    SegmentSpan,
)
from activities.rendering_parts import PartActivities
from activities.videos import VideoActivities
from schemas.cost import Outcome
from schemas.edl import EDL
from schemas.errors import CinemaError, ErrorCode, VideoBeingMade
from schemas.jobs import OutputStatus, Project
from stores import Bucket, LocalObjects, Outputs, Pool, Segments
from tests.activities.studio import FIRSTS, SHOT, Studio, cut, open_studio, run
from tests.render.render_media import Media

pytestmark = pytest.mark.postgres

SPANS = tuple(SegmentSpan(first=SHOT * n, end=SHOT * n + SHOT) for n in range(len(FIRSTS)))
EVERY_PART = tuple(range(len(SPANS) + 1))


@dataclass(frozen=True)
class PartsStudio(Studio):
    """A studio whose outputs are rendered in parts."""

    @property
    def activities(self) -> PartActivities:
        return PartActivities(self.context)

    async def order(self, edl: EDL) -> AssembleOutput:
        """A new job whose only output is planned to be this edit."""
        return AssembleOutput(**dict(await self.ordered(edl)), segments=SPANS)

    async def begin(self, asked: AssembleOutput) -> BegunParts:
        return await run(lambda: self.activities.begin_parts(BeginParts(**_common(asked), segments=SPANS)))

    async def part(self, asked: AssembleOutput, begun: BegunParts, number: int) -> RenderedPart:
        span = SPANS[number - 1] if number else SegmentSpan(first=0, end=SPANS[-1].end)
        part = RenderPart(**_common(asked), attempt=begun.attempt, number=number, span=span)
        make = self.activities.render_segment if number else self.activities.render_sound
        return await run(lambda: make(part))

    async def join(self, asked: AssembleOutput) -> RenderedOutput:
        return await run(lambda: self.activities.assemble_output(asked))

    async def make(self, asked: AssembleOutput) -> tuple[int, ...]:
        """All of it; the parts that were missing."""
        begun = await self.begin(asked)
        for number in begun.missing:
            await self.part(asked, begun, number)
        await self.join(asked)
        return begun.missing


@pytest.fixture
async def studio(
    pool: Pool, local_objects: LocalObjects, project: Project, counted: Media, tmp_path: Path
) -> PartsStudio:
    opened = await open_studio(pool, local_objects, project, counted, tmp_path)
    return PartsStudio(opened.context, opened.pool, opened.objects, opened.project)


async def test_every_part_is_made_once_and_the_output_is_the_edit(
    studio: PartsStudio, counted: Media, tmp_path: Path
) -> None:
    asked = await studio.order(cut(counted))
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


async def test_one_changed_caption_renders_its_segment_alone(studio: PartsStudio, counted: Media) -> None:
    await studio.make(await studio.order(cut(counted)))
    revised = await studio.order(cut(counted, ("one", "two", "other", "four")))
    assert await studio.make(revised) == (3,)
    assert await studio.entries(revised) == [("segment 3", Outcome.SUCCEEDED), ("join", Outcome.SUCCEEDED)]
    again = await studio.order(cut(counted))
    assert await studio.make(again) == ()
    assert await studio.entries(again) == [("join", Outcome.REUSED)], "the very same output is copied"


async def test_a_worker_that_is_asked_for_what_another_is_at_leaves_it_to_that_one(
    studio: PartsStudio, counted: Media
) -> None:
    asked = await studio.order(cut(counted))
    begun = await studio.begin(asked)
    answers = await asyncio.gather(*(studio.part(asked, begun, 1) for _ in range(3)), return_exceptions=True)
    waiting = [answer for answer in answers if isinstance(answer, VideoBeingMade)]
    assert (answers.count(RenderedPart(reused=False)), len(waiting)) == (1, 2)
    awaited = AwaitVideo(owner_id=asked.owner_id, render_key=waiting[0].render_key, part=True)
    await run(lambda: VideoActivities(studio.context).await_video(awaited))
    assert (await studio.part(asked, begun, 1)).reused
    assert await studio.entries(asked) == [("segment 1", Outcome.SUCCEEDED)], "nobody is charged for waiting"


async def test_a_part_is_waited_for_as_long_as_somebody_makes_it(studio: PartsStudio) -> None:
    owner_id, key = studio.project.owner_id, "ab" * 32
    awaited = AwaitVideo(owner_id=owner_id, render_key=key, part=True)
    async with Segments(studio.pool).making(owner_id, key) as had:
        assert had
        with pytest.raises(VideoBeingMade):
            await run(lambda: VideoActivities(studio.context).await_video(awaited))
    await run(lambda: VideoActivities(studio.context).await_video(awaited))


@pytest.mark.parametrize("harm", ["gone", "damaged"])
async def test_a_part_that_is_lost_before_it_is_joined_is_made_again(
    studio: PartsStudio, counted: Media, harm: str
) -> None:
    asked = await studio.order(cut(counted))
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


async def test_what_was_made_of_an_output_that_is_damaged_by_now_is_made_again(
    studio: PartsStudio, counted: Media
) -> None:
    first, second = await studio.order(cut(counted)), await studio.order(cut(counted))
    await studio.make(first)
    await studio.pool.execute("update segments set usable = false")
    video = await studio.objects.local_path(Bucket.OUTPUTS, (await studio.files(first)).video_key)
    video.write_bytes(video.read_bytes()[:-1] + b"?")
    assert (await studio.begin(second)).missing == (), "the whole is there, as far as anybody knows"
    with pytest.raises(CinemaError) as lost:
        await studio.join(second)
    assert lost.value.code is ErrorCode.OBJECT_MISSING
    assert await studio.make(second) == EVERY_PART
    assert await studio.numbers(second) == [first + n for first in FIRSTS for n in range(SHOT)]


async def test_a_video_whose_notes_call_a_file_otherwise_spares_no_part(studio: PartsStudio, counted: Media) -> None:
    edl = cut(counted)
    renamed = edl.model_copy(update={"sources": (edl.sources[0].model_copy(update={"name": "final talk.mp4"}),)})
    await studio.make(await studio.order(edl))
    note = ["The sound of “counted.mp4” is damaged in places."]
    await studio.pool.execute("update job_outputs set files = jsonb_set(files, '{report,notes}', $1)", note)
    await studio.pool.execute("update segments set usable = false")
    assert (await studio.begin(await studio.order(renamed))).missing == EVERY_PART


async def test_a_part_of_an_attempt_that_was_superseded_is_ended(studio: PartsStudio, counted: Media) -> None:
    asked = await studio.order(cut(counted))
    stale = await studio.begin(asked)
    begun = await studio.begin(asked)
    assert begun.attempt == stale.attempt + 1
    with pytest.raises(CinemaError) as refused:
        await studio.part(asked, stale, 1)
    assert refused.value.code is ErrorCode.STALE_ATTEMPT
    assert ("segment 1", Outcome.SUCCEEDED) not in await studio.entries(asked)


async def test_progress_rises_with_every_part(studio: PartsStudio, counted: Media) -> None:
    asked = await studio.order(cut(counted))
    begun = await studio.begin(asked)
    seen = []
    for number in begun.missing:
        await studio.part(asked, begun, number)
        seen.append((await Outputs(studio.pool).get(asked.output.output_id)).progress)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(0.9)


def _common(asked: AssembleOutput) -> dict[str, object]:
    return {name: getattr(asked, name) for name in ("owner_id", "project_id", "output", "edl_key")}

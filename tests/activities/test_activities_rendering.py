"""Whole outputs: a video is rendered once, and an output that has the same one is published with its own words."""

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import pytest

from activities import rendering
from activities.artifacts import read_object
from activities.declarations import AwaitVideo, OutputFailure, PlanOutput, RenderedOutput, RenderOutput
from activities.jobs import JobActivities
from activities.output_keys import OutputKeys
from activities.planning import PlanningActivities
from activities.rendering import RenderActivities
from activities.sandbox import ChildTask
from activities.uploads import upload_bytes
from activities.videos import VideoActivities
from director import explain, export_otio
from render import video_key
from schemas.cost import Outcome
from schemas.delivery import DeliveryCheck
from schemas.edl import EDL, Evidence
from schemas.errors import CinemaError, ConflictError, ErrorCode, ErrorInfo, TransientError, VideoBeingMade
from schemas.jobs import Output, OutputFiles, OutputStatus, Project
from schemas.rendering import RenderRequest
from stores import Bucket, Jobs, Ledger, LocalObjects, Outputs, Pool, Projects, Videos
from tests.activities.kept_things import KeptThings
from tests.activities.lying_child import CLAIMED
from tests.activities.studio import FIRSTS, SHOT, Studio, cut, open_studio, run
from tests.conftest import REPOSITORY
from tests.render.render_media import Media

pytestmark = pytest.mark.postgres

SHOWN = [first + n for first in FIRSTS for n in range(SHOT)]


@dataclass(frozen=True)
class OutputStudio(Studio):
    """A studio whose outputs are rendered in one piece."""

    async def render(self, asked: RenderOutput) -> RenderedOutput:
        return await run(lambda: RenderActivities(self.context).render_output(asked))

    async def lose_footage(self) -> None:
        """From now on whatever is decoded of it fails."""
        await self.objects.delete(Bucket.ASSETS, self.footage_key)

    async def text(self, key: str) -> str:
        return (await read_object(self.objects, Bucket.OUTPUTS, key)).decode()

    async def whole(self, files: OutputFiles) -> None:
        """Every file of the output is there, as it was stored."""
        for key in (files.video_key, files.edl_key, files.otio_key, files.srt_key, files.vtt_key):
            assert await read_object(self.objects, Bucket.OUTPUTS, key)
        assert files.storyboard is not None
        for key in (files.thumbnail_key, files.storyboard.image_key):
            assert await read_object(self.objects, Bucket.THUMBS, key)

    async def settle(self, *orders: RenderOutput) -> None:
        for asked in orders:
            await Jobs(self.pool).settle(asked.job_id)


@pytest.fixture
async def studio(
    pool: Pool, local_objects: LocalObjects, project: Project, counted: Media, tmp_path: Path
) -> OutputStudio:
    opened = await open_studio(pool, local_objects, project, counted, tmp_path)
    return OutputStudio(opened.context, opened.pool, opened.objects, opened.project)


def in_other_words(edl: EDL) -> EDL:
    """The same cuts, planned by another release of the director, which says other things of them."""
    (decision,) = edl.decisions
    evidence = (Evidence(fact="speech", value="all of it"),)
    told = decision.model_copy(update={"id": "why", "sentence": "Kept because it says it all", "evidence": evidence})
    reworded = [clip.model_copy(update={"id": f"shot-{clip.id}", "reason": "why"}) for clip in edl.video]
    heard = [
        track.model_copy(update={"clips": tuple(clip.model_copy(update={"reason": "why"}) for clip in track.clips)})
        for track in edl.audio
    ]
    changes = {"title": "Another title", "director_version": "next", "decisions": (told,)}
    return EDL.model_validate({**dict(edl), **changes, "video": tuple(reworded), "audio": tuple(heard)})


async def test_a_plan_in_other_words_decodes_nothing_and_is_published_with_its_own(
    studio: OutputStudio, counted: Media
) -> None:
    edl = cut(counted)
    first, second = await studio.ordered(edl), await studio.ordered(in_other_words(edl))
    assert not (await studio.render(first)).reused
    await studio.lose_footage()
    review = DeliveryCheck(name="dead air", measured="0.2", limit="0.4", unit="s", passed=True)
    rendered = await studio.render(second.model_copy(update={"review": (review,)}))
    assert rendered.reused
    (entry,) = await Ledger(studio.pool).of_job(second.job_id)
    assert (entry.outcome, entry.usage.cpu_s, entry.media_us) == (Outcome.REUSED, 0, None)
    made, found = await studio.files(first), await studio.files(second)
    assert found.video_sha256 == made.video_sha256
    assert found.video_key != made.video_key
    assert (made.report.reused, found.report.reused) == (False, True)
    assert found.report.checks == (*made.report.checks, review)
    assert found.report.metrics == made.report.metrics
    assert await studio.numbers(second) == SHOWN
    for asked, told in ((first, edl), (second, in_other_words(edl))):
        files = await studio.files(asked)
        stored = EDL.model_validate_json(await studio.text(files.edl_key))
        assert stored == told
        assert await studio.text(files.otio_key) == export_otio(told, media_url=lambda source: source.name)
    assert "Kept because it says it all" in explain(stored)


async def test_other_captions_that_are_not_drawn_go_with_the_same_video(studio: OutputStudio, counted: Media) -> None:
    first = await studio.ordered(cut(counted, burn_in=False))
    corrected = cut(counted, ("won", "two", "three and a half", "four"), burn_in=False)
    second = await studio.ordered(corrected)
    await studio.render(first)
    await studio.lose_footage()
    assert (await studio.render(second)).reused
    made, found = await studio.files(first), await studio.files(second)
    assert "won" in await studio.text(found.srt_key)
    assert "three and a half" in await studio.text(found.vtt_key)
    assert "one" in await studio.text(made.srt_key), "what the first delivered stays"
    assert found.report.metrics.words_per_minute == 2 * made.report.metrics.words_per_minute * 7 / 8
    speeds = [check for check in found.report.checks if check.name == "caption reading speed"]
    assert [speed.measured for speed in speeds] == [f"{len('three and a half') * 30 / 26:.1f}"]


async def test_what_shows_or_is_heard_otherwise_is_rendered(studio: OutputStudio, counted: Media) -> None:
    edl = cut(counted)
    await studio.render(await studio.ordered(edl))
    later = edl.video[-1].model_copy(update={"source_in": edl.video[-1].source_in + 3000})
    later = later.model_copy(update={"source_out": later.source_out + 3000})
    quieter = edl.audio[0].model_copy(update={"clips": edl.audio[0].clips[:-1]})
    for changes in (
        {"video": (*edl.video[:-1], later)},
        {"audio": (quieter,)},
        {"captions": edl.captions[:-1]},
    ):
        asked = await studio.ordered(EDL.model_validate({**dict(edl), **changes}))
        assert not (await studio.render(asked)).reused, changes
    louder = replace(studio.context, encoder=studio.context.encoder.model_copy(update={"audio_bitrate": 96_000}))
    other = OutputStudio(louder, studio.pool, studio.objects, studio.project)
    assert not (await other.render(await other.ordered(edl))).reused


async def test_an_output_stays_whole_when_the_one_that_was_rendered_for_it_goes_with_its_project(
    studio: OutputStudio, counted: Media
) -> None:
    edl = cut(counted)
    kept = KeptThings(studio.pool, studio.objects)
    another = await Projects(studio.pool).create(studio.project.owner_id, "The same again")
    beside = OutputStudio(studio.context, studio.pool, studio.objects, another)
    await beside.add(counted)
    first, second = await studio.ordered(edl), await beside.ordered(in_other_words(edl))
    await studio.render(first)
    assert (await beside.render(second)).reused
    await studio.settle(first, second)
    assert (await kept.delete(studio.project)).finished_at is not None
    await kept.check()
    files = await beside.files(second)
    await beside.whole(files)
    assert await beside.numbers(second) == SHOWN
    third = await beside.ordered(edl)
    await beside.lose_footage()
    assert (await beside.render(third)).reused, "and the next is made of it"


@pytest.mark.parametrize("harm", ["gone", "damaged"])
async def test_a_video_that_is_lost_is_rendered_again_and_not_found_any_more(
    studio: OutputStudio, counted: Media, harm: str
) -> None:
    first, second = await studio.ordered(cut(counted)), await studio.ordered(cut(counted))
    await studio.render(first)
    lost = await studio.files(first)
    if harm == "gone":
        await studio.objects.delete(Bucket.OUTPUTS, lost.video_key)
    else:
        path = await studio.objects.local_path(Bucket.OUTPUTS, lost.video_key)
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert not (await studio.render(second)).reused
    assert await studio.numbers(second) == SHOWN
    found = await Videos(studio.pool).find(second.owner_id, lost.render_key)
    assert found is not None
    assert found.id == second.output.output_id
    assert (await studio.files(first)).render_key == ""


async def test_a_note_that_calls_a_file_by_another_name_is_not_taken_over(studio: OutputStudio, counted: Media) -> None:
    edl = cut(counted)
    renamed = edl.model_copy(update={"sources": (edl.sources[0].model_copy(update={"name": "final talk.mp4"}),)})
    first, second, third = await studio.ordered(edl), await studio.ordered(renamed), await studio.ordered(renamed)
    await studio.render(first)
    assert (await studio.render(second)).reused
    note = ["The sound of “counted.mp4” is damaged in places."]
    await studio.pool.execute("update job_outputs set files = jsonb_set(files, '{report,notes}', $1)", note)
    assert not (await studio.render(third)).reused


async def test_a_planner_that_comes_late_leaves_the_edit_that_the_video_was_made_from(
    studio: OutputStudio, counted: Media
) -> None:
    edl = cut(counted)
    asked = await studio.ordered(edl)
    keys = OutputKeys(asked.owner_id, asked.project_id, asked.job_id, asked.output.output_id)
    late = PlanningActivities(studio.context)
    plan = PlanOutput(
        **{name: getattr(asked, name) for name in ("job_id", "owner_id", "project_id", "output")},
        project_name="Glass",
        request=(await Jobs(studio.pool).get(asked.job_id)).request,
        assets=(),
    )
    await studio.render(asked)
    with pytest.raises(ConflictError) as refused:
        await late._store(plan, in_other_words(edl))
    assert refused.value.code is ErrorCode.INVALID_TRANSITION
    assert EDL.model_validate_json(await studio.text(keys.edl)) == edl


@pytest.mark.parametrize("found", [False, True], ids=["rendered", "found"])
async def test_an_answer_that_is_lost_with_the_publishing_done_is_not_a_failure(
    studio: OutputStudio, counted: Media, monkeypatch: pytest.MonkeyPatch, found: bool
) -> None:
    if found:
        await studio.render(await studio.ordered(cut(counted)))
    complete, lost = Outputs.complete, []

    async def unheard(outputs: Outputs, output_id: UUID, attempt: int, files: OutputFiles) -> Output:
        output = await complete(outputs, output_id, attempt, files)
        if not lost:
            lost.append(output)
            raise TransientError.store("The database cannot be reached at the moment.")
        return output

    monkeypatch.setattr(Outputs, "complete", unheard)
    asked = await studio.ordered(cut(counted))
    rendered = await studio.render(asked)
    assert len(lost) == 1
    assert (rendered.attempt, rendered.reused) == (1, found)
    (entry,) = await Ledger(studio.pool).of_job(asked.job_id)
    assert entry.outcome is (Outcome.REUSED if found else Outcome.SUCCEEDED)
    assert await studio.numbers(asked) == SHOWN


async def test_an_output_that_was_finished_in_time_is_not_failed(studio: OutputStudio, counted: Media) -> None:
    asked = await studio.ordered(cut(counted))
    await studio.render(asked)
    late = ErrorInfo(code=ErrorCode.PROCESS_TIMED_OUT, message="This took too long.", retryable=True)
    failing = OutputFailure(output_id=asked.output.output_id, error=late)
    (state,) = (await run(lambda: JobActivities(studio.context).fail_output(failing))).outputs
    assert state.status is OutputStatus.COMPLETED


async def test_what_a_child_names_as_its_work_but_has_not_made_is_never_published(
    studio: OutputStudio, counted: Media, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("CINEMA_SIGNING_KEY=secret")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    lying = ChildTask("tests.activities.lying_child", RenderRequest, {CLAIMED: str(secret)})
    monkeypatch.setattr(rendering, "RENDER", lying)
    asked = await studio.ordered(cut(counted))
    with pytest.raises(TransientError, match="which it has not made") as caught:
        await studio.render(asked)
    assert caught.value.code is ErrorCode.PROCESS_CRASHED
    output = await Outputs(studio.pool).get(asked.output.output_id)
    assert output.files is None
    assert [kept async for kept in studio.objects.list(Bucket.THUMBS, "")] == []


async def test_one_video_asked_for_side_by_side_is_rendered_once(studio: OutputStudio, counted: Media) -> None:
    orders = [await studio.ordered(cut(counted)), *[await studio.ordered(in_other_words(cut(counted))) for _ in "ab"]]
    answers = await asyncio.gather(*map(studio.render, orders), return_exceptions=True)
    waiting = [asked for asked, answer in zip(orders, answers, strict=True) if isinstance(answer, VideoBeingMade)]
    assert len(waiting) == 2
    await studio.lose_footage()
    assert [(await studio.render(asked)).reused for asked in waiting] == [True, True]
    outcomes = [outcome for asked in orders for _, outcome in await studio.entries(asked)]
    assert Counter(outcomes) == {Outcome.SUCCEEDED: 1, Outcome.REUSED: 2}


async def test_an_output_waits_for_its_video_without_a_worker_and_says_so(studio: OutputStudio, counted: Media) -> None:
    asked = await studio.ordered(cut(counted))
    key = video_key(cut(counted), studio.context.encoder)
    awaited = AwaitVideo(owner_id=asked.owner_id, render_key=key)
    async with Videos(studio.pool).making(asked.owner_id, key) as had:
        assert had
        with pytest.raises(VideoBeingMade) as waits:
            await studio.render(asked)
        assert waits.value.render_key == key
        with pytest.raises(VideoBeingMade):
            await run(lambda: VideoActivities(studio.context).await_video(awaited))
        output = await Outputs(studio.pool).get(asked.output.output_id)
        assert (output.status, output.attempt, output.stage) == ("planned", 0, "waiting for the same video")
    await run(lambda: VideoActivities(studio.context).await_video(awaited))
    assert (await studio.render(asked)).attempt == 1
    assert await studio.entries(asked) == [("", Outcome.SUCCEEDED)], "nobody is charged for waiting"


@pytest.mark.parametrize("other", [False, True], ids=["as planned", "planned in other words"])
async def test_a_video_that_was_uploaded_by_a_worker_that_died_is_published_and_not_rendered_again(
    studio: OutputStudio, counted: Media, monkeypatch: pytest.MonkeyPatch, other: bool
) -> None:
    asked = await died_before_completion(studio, cut(counted), monkeypatch)
    edl = in_other_words(cut(counted)) if other else cut(counted)
    await upload_bytes(studio.objects, Bucket.OUTPUTS, asked.edl_key, edl.model_dump_json().encode())
    await studio.lose_footage()
    rendered = await studio.render(asked)
    assert (rendered.attempt, rendered.reused) == (2, True)
    assert [outcome for _, outcome in await studio.entries(asked)] == [Outcome.FAILED, Outcome.REUSED]
    files = await studio.files(asked)
    await studio.whole(files)
    assert not files.report.reused, "it was rendered for this output"
    assert EDL.model_validate_json(await studio.text(files.edl_key)) == edl
    assert await studio.numbers(asked) == SHOWN


@pytest.mark.parametrize("harm", ["cut short", "another edit"])
async def test_what_did_not_arrive_or_is_not_wanted_any_more_is_rendered(
    studio: OutputStudio, counted: Media, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    asked = await died_before_completion(studio, cut(counted), monkeypatch)
    if harm == "cut short":
        await studio.objects.delete(Bucket.OUTPUTS, rendered_key(asked))
    else:
        fewer = EDL.model_validate({**dict(cut(counted)), "captions": cut(counted).captions[:-1]})
        await upload_bytes(studio.objects, Bucket.OUTPUTS, asked.edl_key, fewer.model_dump_json().encode())
    rendered = await studio.render(asked)
    assert (rendered.attempt, rendered.reused) == (2, False)
    assert await studio.numbers(asked) == SHOWN


async def test_a_video_whose_pictures_were_replaced_meanwhile_is_not_published_with_them(
    studio: OutputStudio, counted: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    edl = cut(counted)
    asked = await died_before_completion(studio, edl, monkeypatch)
    other = EDL.model_validate({**dict(edl), "captions": edl.captions[:-1]})
    await upload_bytes(studio.objects, Bucket.OUTPUTS, asked.edl_key, other.model_dump_json().encode())
    with monkeypatch.context() as patched, pytest.raises(CinemaError):
        patched.setattr(Videos, "announce", dies)
        await studio.render(asked)
    await upload_bytes(studio.objects, Bucket.OUTPUTS, asked.edl_key, edl.model_dump_json().encode())
    rendered = await studio.render(asked)
    assert (rendered.attempt, rendered.reused) == (3, False)


async def dies(*_: object) -> Output:
    raise CinemaError(ErrorCode.INTERNAL, "The worker died.")


async def died_before_completion(studio: OutputStudio, edl: EDL, monkeypatch: pytest.MonkeyPatch) -> RenderOutput:
    """An order whose first attempt ended with everything uploaded and nothing on record."""
    asked = await studio.ordered(edl)
    with monkeypatch.context() as patched, pytest.raises(CinemaError):
        patched.setattr(Outputs, "complete", dies)
        await studio.render(asked)
    return asked


def rendered_key(asked: RenderOutput) -> str:
    return OutputKeys(asked.owner_id, asked.project_id, asked.job_id, asked.output.output_id).video

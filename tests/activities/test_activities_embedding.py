"""Matching pictures to what is said: in the sandbox, once, and not at all where no model for it is installed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import av
import numpy as np
import pytest
from structlog.testing import capture_logs

from activities.analysing import AnalysisActivities
from activities.artifacts import read_facts, read_object, write_artifact
from activities.context import ActivityContext
from activities.declarations import AnalysedAsset, AnalysedPass, AnalysePass, AssetRef, ProbedAsset
from activities.uploads import upload_file
from activities.webhook_sending import WebhookSending
from analysis.image_text import FOLDER
from schemas.analysing import AnalysisPass, passes_of
from schemas.facts import AssetFacts, Transcript, Word
from schemas.jobs import Job
from schemas.media import AssetKind
from schemas.speech import WhisperChoice
from stores import Bucket, LocalObjects, Pool
from stores.sealing import Seal, new_key
from tests.activities.at_work import at_work
from tests.activities.kept_things import KeptThings
from tests.analysis.image_text_models import declare, install, plain

pytestmark = pytest.mark.postgres

Answer = TypeVar("Answer")

SPOKEN = Transcript(
    model="by hand",
    language="en",
    words=tuple(
        Word(start_us=400_000 * n, end_us=400_000 * n + 300_000, text=text, probability=1.0)
        for n, text in enumerate(["The", "door", "here", "is", "red.", "It", "is", "blue", "in", "there."])
    ),
)


@dataclass(frozen=True)
class Worker:
    """What a job asks of a worker for analyses."""

    context: ActivityContext
    job: Job

    async def upload(self, path: Path, kind: AssetKind) -> AssetRef:
        key = f"{self.job.owner_id}/{path.stem}"
        stored = await upload_file(self.context.objects, Bucket.ASSETS, key, path)
        return AssetRef(asset_id=self.job.id, name=path.name, kind=kind, object_key=key, sha256=stored.sha256)

    async def probe(self, asset: AssetRef) -> ProbedAsset:
        return await at_work(self.job, lambda: AnalysisActivities(self.context).probe_asset(asset))

    async def analyse(self, asset: AssetRef, name: AnalysisPass) -> AnalysedPass:
        return await self.run_pass(await self.asked(asset, name))

    async def asked(self, asset: AssetRef, name: AnalysisPass) -> AnalysePass:
        """The pass as the workflow asks for it: with the analyzers that the probe named."""
        probed = await self.probe(asset)
        analyzers = passes_of(probed.analyzers)[name]
        return AnalysePass(asset=asset, name=name, analyzers=analyzers, probe=probed.probe.ref, language="en")

    async def run_pass(self, asked: AnalysePass) -> AnalysedPass:
        return await at_work(self.job, lambda: AnalysisActivities(self.context).analyse_pass(asked))

    async def facts(self, asset: AssetRef, found: AnalysedPass) -> AssetFacts:
        probed = await self.probe(asset)
        refs = (probed.probe.ref, *(artifact.ref for artifact in found.artifacts))
        return await read_facts(self.context.objects, AnalysedAsset(asset=asset, artifacts=refs))


@pytest.fixture
async def worker(
    pool: Pool, local_objects: LocalObjects, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Worker]:
    monkeypatch.setattr("analysis.models.REACH_S", 0.1)
    context = ActivityContext(
        database=pool,
        objects=local_objects,
        models=tmp_path / "models",
        scratch=tmp_path / "scratch",
        webhooks=WebhookSending(Seal([new_key()])),
        whisper=WhisperChoice(name="none"),
    )
    yield Worker(context, job)
    await context.speech.aclose()


@pytest.fixture
def door(tmp_path: Path) -> Path:
    """Two seconds of a red picture."""
    path = tmp_path / "door.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for _ in range(50):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(plain(220, 10, 10), format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Four seconds of a quiet room."""
    path = tmp_path / "talk.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=48_000, layout="mono")
        samples = np.random.default_rng(1).normal(0, 300, (1, 4 * 48_000)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


async def test_a_picture_is_embedded_once(worker: Worker, door: Path) -> None:
    model = install(worker.context.models)
    asset = await worker.upload(door, AssetKind.B_ROLL)
    found = await worker.analyse(asset, AnalysisPass.SEEING)
    embeddings = (await worker.facts(asset, found)).image_embeddings
    assert embeddings is not None
    assert embeddings.space == model.space
    assert [len(frame.vector) for frame in embeddings.frames] == [3]
    again = await worker.analyse(asset, AnalysisPass.SEEING)
    assert [one.ref for one in again.artifacts] == [one.ref for one in found.artifacts]
    assert not any(one.computed for one in again.artifacts)


async def test_a_model_that_is_installed_later_adds_its_own_and_hears_nothing_anew(worker: Worker, talk: Path) -> None:
    asset = await worker.upload(talk, AssetKind.A_ROLL)
    before = await worker.analyse(asset, AnalysisPass.HEARING)
    heard = next(one.ref for one in before.artifacts if one.ref.analyzer == "transcript")
    await write_artifact(worker.context.objects, heard, SPOKEN)

    install(worker.context.models)
    after = await worker.analyse(asset, AnalysisPass.HEARING)
    assert {one.ref.analyzer: one.computed for one in after.artifacts} == {
        "sound": False,
        "transcript": False,
        "speech_embeddings": True,
    }
    embeddings = (await worker.facts(asset, after)).speech_embeddings
    assert embeddings is not None
    assert [(one.start_us, one.end_us) for one in embeddings.passages] == [(0, 1_900_000), (2_000_000, 3_900_000)]


async def test_other_words_are_embedded_anew(worker: Worker, talk: Path) -> None:
    install(worker.context.models)
    asset = await worker.upload(talk, AssetKind.A_ROLL)
    first = await worker.analyse(asset, AnalysisPass.HEARING)
    tiny = Worker(replace(worker.context, whisper=WhisperChoice(name="tiny.en")), worker.job)
    second = await tiny.analyse(asset, AnalysisPass.HEARING)
    keys = [{one.ref.analyzer: one.ref.key for one in found.artifacts} for found in (first, second)]
    assert keys[0]["sound"] == keys[1]["sound"]
    assert (keys[0]["transcript"] == keys[1]["transcript"]) == (
        keys[0]["speech_embeddings"] == keys[1]["speech_embeddings"]
    )


async def test_without_a_model_nothing_is_asked_for_and_nothing_stored(worker: Worker, door: Path, talk: Path) -> None:
    picture, speech = await worker.upload(door, AssetKind.B_ROLL), await worker.upload(talk, AssetKind.A_ROLL)
    assert (await worker.probe(picture)).analyzers == ("shots", "faces", "picture")
    assert (await worker.probe(speech)).analyzers == ("sound", "transcript")
    await worker.analyse(picture, AnalysisPass.SEEING)
    await worker.analyse(speech, AnalysisPass.HEARING)
    kept = KeptThings(worker.context.database, worker.context.objects)
    stored = [
        await read_object(worker.context.objects, Bucket.ANALYSIS, key) for key in await kept.stored(Bucket.ANALYSIS)
    ]
    assert len(stored) == 2 + 3 + 2
    assert not any(b'"space"' in content for content in stored)


async def test_footage_is_not_refused_for_a_model_that_was_damaged_and_the_operator_is_told(
    worker: Worker, door: Path
) -> None:
    install(worker.context.models)
    asset = await worker.upload(door, AssetKind.B_ROLL)
    (worker.context.models / FOLDER / "vision_model_quantized.onnx").write_bytes(b"damaged")
    with capture_logs() as logs:
        found = await worker.analyse(asset, AnalysisPass.SEEING)
    assert {artifact.ref.analyzer for artifact in found.artifacts} == {"shots", "faces", "picture"}
    assert any(
        line["event"] == "pictures are not matched to what is said"
        and "vision_model_quantized.onnx is not the file that" in line["error"]
        for line in logs
    )


@pytest.mark.parametrize("damage", ["its file", "its network"])
async def test_nor_for_one_that_turns_out_to_be_damaged_when_it_is_used(
    worker: Worker, door: Path, damage: str
) -> None:
    """``its network``: what was installed is what was declared, and nothing that can be run."""
    asset = await worker.upload(door, AssetKind.B_ROLL)
    install(worker.context.models)
    asked = await worker.asked(asset, AnalysisPass.SEEING)
    assert "image_embeddings" in asked.analyzers
    network = worker.context.models / FOLDER / "vision_model_quantized.onnx"
    network.write_bytes(b"damaged")
    if damage == "its network":
        declare(worker.context.models)
    found = await worker.run_pass(asked)
    assert {artifact.ref.analyzer for artifact in found.artifacts} == {"shots", "faces", "picture"}

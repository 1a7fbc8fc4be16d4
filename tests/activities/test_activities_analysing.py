"""What one worker is measuring, nobody else makes or removes."""

from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import av
import numpy as np
import pytest

from activities.analysing import AnalysisActivities
from activities.artifacts import read_object
from activities.context import ActivityContext
from activities.declarations import AnalysedPass, AnalysePass, AssetRef, ProbedAsset
from activities.uploads import upload_file
from schemas.analysing import AnalysisPass
from schemas.errors import ErrorCode, ErrorInfo
from schemas.jobs import Job
from schemas.media import AssetKind
from schemas.speech import SpeechArithmetic, SpeechDevice, WhisperChoice
from stores import Assets, Bucket, LocalObjects, ObjectStat
from tests.activities.at_work import at_work
from tests.activities.kept_things import KeptThings, days

pytestmark = pytest.mark.postgres

Answer = TypeVar("Answer")


@pytest.fixture
async def tone(local_objects: LocalObjects, job: Job, tmp_path: Path) -> AssetRef:
    """A second of sound that was uploaded."""
    path = tmp_path / "tone.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=48_000, layout="mono")
        samples = (np.sin(np.arange(48_000) / 20) * 8000).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    key = f"{job.owner_id}/tone"
    stored = await upload_file(local_objects, Bucket.ASSETS, key, path)
    return AssetRef(asset_id=job.id, name=path.name, kind=AssetKind.AUDIO, object_key=key, sha256=stored.sha256)


async def probed(context: ActivityContext, job: Job, asset: AssetRef) -> ProbedAsset:
    return await at_work(job, lambda: AnalysisActivities(context).probe_asset(asset))


async def heard(context: ActivityContext, job: Job, asset: AssetRef) -> AnalysedPass:
    probe = (await probed(context, job, asset)).probe.ref
    asked = AnalysePass(
        asset=asset, name=AnalysisPass.HEARING, analyzers=("sound", "transcript"), probe=probe, language="en"
    )
    return await at_work(job, lambda: AnalysisActivities(context).analyse_pass(asked))


async def test_workers_that_run_a_model_differently_find_each_others_transcripts(
    context: ActivityContext, job: Job, tone: AssetRef
) -> None:
    on_cpu = WhisperChoice(name="none", device=SpeechDevice.CPU, arithmetic=SpeechArithmetic.INT8)
    on_gpu = WhisperChoice(name="none", device=SpeechDevice.CUDA, arithmetic=SpeechArithmetic.FLOAT16)
    with_more_beams = on_gpu.model_copy(update={"beam_size": on_gpu.beam_size + 1})
    made, found, searched = [
        await heard(replace(context, whisper=whisper), job, tone) for whisper in (on_cpu, on_gpu, with_more_beams)
    ]
    assert [artifact.computed for artifact in made.artifacts] == [True, True]
    assert [artifact.computed for artifact in found.artifacts] == [False, False]
    assert [artifact.computed for artifact in searched.artifacts] == [False, True], "it searches otherwise"


async def test_footage_that_was_refused_for_a_reason_that_has_passed_is_refused_no_more(
    context: ActivityContext, job: Job, tone: AssetRef
) -> None:
    assets = Assets(context.database)
    added = await assets.add(
        owner_id=job.owner_id,
        project_id=job.project_id,
        name=tone.name,
        kind=tone.kind,
        object_key=tone.object_key,
        size_bytes=96_044,
        sha256=tone.sha256,
        position=0,
    )
    full = ErrorInfo(code=ErrorCode.DISK_FULL, message="The worker's disk is full.", retryable=True)
    await assets.refuse(added.id, full)
    await probed(context, job, tone.model_copy(update={"asset_id": added.id}))
    assert await assets.for_project(job.project_id) == (added,)


async def test_a_sweep_that_comes_by_while_an_artifact_is_stored_leaves_it(
    context: ActivityContext, job: Job, tone: AssetRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_objects, removed = context.objects, []
    kept, put = KeptThings(context.database, local_objects), local_objects.put

    async def put_and_swept(*arguments: Any, **options: Any) -> ObjectStat:
        stored = await put(*arguments, **options)
        removed.append((await kept.sweep(days(0))).analyses)
        return stored

    monkeypatch.setattr(local_objects, "put", put_and_swept)
    object_key = (await probed(context, job, tone)).probe.ref.object_key
    assert removed == [0]
    assert await kept.stored(Bucket.ANALYSIS) == {object_key}


@pytest.mark.parametrize("damage", [slice(0, 40), slice(1, None)], ids=["its end", "a byte"])
async def test_an_artifact_of_which_the_disk_has_lost_something_is_made_again(
    context: ActivityContext, job: Job, tone: AssetRef, damage: slice
) -> None:
    made = await probed(context, job, tone)
    ref = made.probe.ref
    whole = await read_object(context.objects, Bucket.ANALYSIS, ref.object_key)
    stored = await context.objects.local_path(Bucket.ANALYSIS, ref.object_key)
    stored.chmod(0o600)
    stored.write_bytes(whole[damage].rjust(len(whole) if damage.start else 0))
    assert (await probed(context, job, tone)).duration_us == made.duration_us
    assert await read_object(context.objects, Bucket.ANALYSIS, ref.object_key) == whole

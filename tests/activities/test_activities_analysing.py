"""What one worker is measuring, nobody else makes or removes."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from temporalio.testing import ActivityEnvironment

from activities.analysing import AnalysisActivities
from activities.context import ActivityContext
from activities.declarations import AssetRef
from activities.time_limit import start_time_limit
from activities.uploads import upload_file
from activities.webhook_sending import WebhookSending
from schemas.jobs import Job
from schemas.media import AssetKind
from stores import Bucket, LocalObjects, ObjectStat, Pool
from stores.sealing import Seal, new_key
from tests.activities.kept_things import KeptThings, days

pytestmark = pytest.mark.postgres


@pytest.fixture
def context(pool: Pool, local_objects: LocalObjects, tmp_path: Path) -> ActivityContext:
    return ActivityContext(
        database=pool,
        objects=local_objects,
        models=tmp_path / "models",
        scratch=tmp_path / "scratch",
        webhooks=WebhookSending(Seal([new_key()])),
    )


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
    activities = AnalysisActivities(context)

    async def probed() -> str:
        start_time_limit()
        return (await activities.probe_asset(tone)).probe.ref.object_key

    environment = ActivityEnvironment()
    environment.info = replace(
        ActivityEnvironment.default_info(), workflow_id=f"job-{job.id}", start_to_close_timeout=timedelta(minutes=5)
    )
    object_key = await environment.run(probed)
    assert removed == [0]
    assert await kept.stored(Bucket.ANALYSIS) == {object_key}

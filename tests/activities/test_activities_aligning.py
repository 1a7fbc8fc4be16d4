"""One recorder beside several cameras: each pair is measured once, and what is known of a project holds all of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from activities.analysing import AnalysisActivities
from activities.artifacts import read_object
from activities.context import ActivityContext
from activities.declarations import AnalysedPass, AnalysePass, AssetRef, Reference
from activities.uploads import upload_file
from schemas.analysing import ALIGNMENT
from schemas.facts import Alignment
from schemas.jobs import Job
from schemas.media import AssetKind
from stores import Bucket
from tests.activities.at_work import at_work

pytestmark = pytest.mark.postgres

Answer = TypeVar("Answer")

RATE = 48_000
#: When each camera was switched on, in seconds of the recorder's time, and for how long.
CAMERAS = {"first": (3.25, 8.0), "second": (14.5, 9.0)}


def said(seconds: float) -> NDArray[np.float64]:
    """Noise that is louder and softer as speech is, never the same twice."""
    random = np.random.default_rng(7)
    steps = np.repeat(random.uniform(0.02, 1, int(seconds * 6)), RATE // 6)
    return random.normal(0, 0.15, len(steps)) * steps


@dataclass(frozen=True)
class Recordings:
    """A recorder that ran on, and cameras beside it in a noisier place."""

    context: ActivityContext
    job: Job
    folder: Path

    async def recorder(self) -> AssetRef:
        return await self._upload("recorder", AssetKind.AUDIO, said(26))

    async def camera(self, name: str) -> Reference:
        start, length = (int(seconds * RATE) for seconds in CAMERAS[name])
        heard = said(26)[start : start + length]
        room = np.random.default_rng(start).normal(0, 0.004, len(heard))
        asset = await self._upload(name, AssetKind.A_ROLL, heard * 0.5 + room)
        probed = await at_work(self.job, lambda: AnalysisActivities(self.context).probe_asset(asset))
        return Reference(asset=asset, probe=probed.probe.ref)

    async def align(self, track: AssetRef, references: tuple[Reference, ...]) -> AnalysedPass:
        probed = await at_work(self.job, lambda: AnalysisActivities(self.context).probe_asset(track))
        asked = AnalysePass(
            asset=track, name=ALIGNMENT, analyzers=(ALIGNMENT,), probe=probed.probe.ref, references=references
        )
        return await at_work(self.job, lambda: AnalysisActivities(self.context).analyse_pass(asked))

    async def offsets(self, aligned: AnalysedPass) -> list[float]:
        """Seconds of the recorder at which each reference begins."""
        stored = [
            await read_object(self.context.objects, Bucket.ANALYSIS, one.ref.object_key) for one in aligned.artifacts
        ]
        return [Alignment.model_validate_json(one).offset_us / 1e6 for one in stored]

    async def _upload(self, name: str, kind: AssetKind, sound: NDArray[np.float64]) -> AssetRef:
        path = self.folder / f"{name}.wav"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
            frame = av.AudioFrame.from_ndarray((sound * 32_000).astype(np.int16)[None], format="s16", layout="mono")
            frame.sample_rate = RATE
            container.mux(stream.encode(frame))
            container.mux(stream.encode())
        key = f"{self.job.owner_id}/{name}"
        stored = await upload_file(self.context.objects, Bucket.ASSETS, key, path)
        return AssetRef(asset_id=self.job.id, name=path.name, kind=kind, object_key=key, sha256=stored.sha256)


@pytest.fixture
def recordings(context: ActivityContext, job: Job, tmp_path: Path) -> Recordings:
    return Recordings(context, job, tmp_path)


async def test_one_recorder_is_found_beside_each_camera_and_each_pair_is_measured_once(recordings: Recordings) -> None:
    recorder, first, second = await recordings.recorder(), *[await recordings.camera(name) for name in CAMERAS]
    alone = await recordings.align(recorder, (first,))
    both = await recordings.align(recorder, (second, first))
    assert [one.computed for one in alone.artifacts] == [True]
    assert [one.computed for one in both.artifacts] == [True, False], "only the new camera's"
    assert both.artifacts[1].ref == alone.artifacts[0].ref
    assert await recordings.offsets(both) == pytest.approx([CAMERAS["second"][0], CAMERAS["first"][0]], abs=0.005)

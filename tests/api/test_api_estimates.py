"""Estimates as a creator asks for them before ordering."""

from collections.abc import AsyncIterator
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from activities.artifacts import write_artifact
from schemas.analysing import ArtifactRef, version_of
from schemas.cost import Outcome, Usage
from schemas.errors import ErrorCode, ErrorInfo
from schemas.jobs import Asset, JobRequest
from schemas.media import AssetKind, AudioStream, MediaProbe
from stores import Analyses, AnalysisWork, Assets, Bucket, Jobs, Ledger, RenderWork
from tests.api.gateway import Gateway

pytestmark = pytest.mark.postgres

MINUTE_US = 60_000_000
ORDER = {"variants": ["hook_cut", "cinematic_full"]}


def talk(duration_us: int) -> MediaProbe:
    """A recording of sound alone."""
    stream = AudioStream(
        index=0, codec="aac", sample_rate=48_000, channels=2, layout="stereo", start_us=0, end_us=duration_us
    )
    return MediaProbe(
        container="mp4",
        size_bytes=1,
        origin=Fraction(0),
        duration_us=duration_us,
        video=None,
        audio=(stream,),
        dialogue_stream=0,
    )


@pytest.fixture
async def project_id(creator: httpx.AsyncClient) -> UUID:
    return UUID((await creator.post("/projects", json={"name": "Kitchen talk"})).json()["id"])


async def asset(gateway: Gateway, project_id: UUID, *, sha256: str, size_bytes: int = 150_000_000) -> Asset:
    owner_id = await gateway.pool.fetchval("select owner_id from projects where id = $1", project_id)
    return await Assets(gateway.pool).add(
        owner_id=owner_id,
        project_id=project_id,
        name="talk.mp4",
        kind=AssetKind.A_ROLL,
        object_key=f"a/{sha256}.mp4",
        size_bytes=size_bytes,
        sha256=sha256,
        position=0,
    )


async def probed(gateway: Gateway, sha256: str, duration_us: int) -> None:
    ref = ArtifactRef(analyzer="probe", key=sha256, object_key=f"{sha256}.json")
    await write_artifact(gateway.objects, ref, talk(duration_us))
    await Analyses(gateway.pool).record(ref, asset_sha256=sha256, analyzer_version=version_of("probe"))


async def estimate(creator: httpx.AsyncClient, project_id: UUID) -> dict[str, Any]:
    answer = await creator.post(f"/projects/{project_id}/estimate", json=ORDER)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def width(spread: dict[str, float]) -> float:
    return spread["high"] / spread["low"]


async def test_footage_that_was_looked_into_is_estimated_by_its_length(
    gateway: Gateway, creator: httpx.AsyncClient, project_id: UUID
) -> None:
    await asset(gateway, project_id, sha256="a" * 64)
    await probed(gateway, "a" * 64, MINUTE_US)
    short = await estimate(creator, project_id)
    assert [output["variant"] for output in short["outputs"]] == ORDER["variants"]
    assert short["outputs"][1]["length_s"]["typical"] == pytest.approx(51), "of a minute of talk some is cut out"
    assert (short["basis"], short["measured"], short["unknown_assets"]) == ("prior", 0, [])
    assert short["finished_s"]["low"] < short["finished_s"]["typical"] < short["finished_s"]["high"]
    await asset(gateway, project_id, sha256="b" * 64)
    await probed(gateway, "b" * 64, 9 * MINUTE_US)
    longer = await estimate(creator, project_id)
    assert longer["compute_s"]["typical"] > 3 * short["compute_s"]["typical"]
    assert await gateway.pool.fetchval("select count(*) from jobs") == 0


async def test_footage_that_nobody_looked_into_is_guessed_widely_and_named(
    gateway: Gateway, creator: httpx.AsyncClient, project_id: UUID
) -> None:
    known = await asset(gateway, project_id, sha256="a" * 64)
    await probed(gateway, known.sha256, MINUTE_US)
    sure = await estimate(creator, project_id)
    new = await asset(gateway, project_id, sha256="b" * 64)
    guessed = await estimate(creator, project_id)
    assert guessed["unknown_assets"] == [str(new.id)]
    assert width(guessed["compute_s"]) > 3 * width(sure["compute_s"])
    error = ErrorInfo(code=ErrorCode.MEDIA_UNREADABLE, message="This file cannot be read.", retryable=False)
    await Assets(gateway.pool).refuse(new.id, error)
    assert await estimate(creator, project_id) == sure, "what cannot be used is not counted"


async def test_what_was_finished_here_is_what_it_goes_by(
    gateway: Gateway, creator: httpx.AsyncClient, project_id: UUID
) -> None:
    await asset(gateway, project_id, sha256="a" * 64)
    await probed(gateway, "a" * 64, MINUTE_US)
    before = await estimate(creator, project_id)
    for _ in range(3):
        await _finish_work(gateway, project_id)
    told = await estimate(creator, project_id)
    assert (told["basis"], told["measured"]) == ("mixed", 15)
    assert [output["basis"] for output in told["outputs"]] == ["measured", "prior"]
    assert told["outputs"][0]["compute_s"]["typical"] > 10 * before["outputs"][0]["compute_s"]["typical"]


async def _finish_work(gateway: Gateway, project_id: UUID) -> None:
    """All analyses of a sound, and one very slow render."""
    owner_id = await gateway.pool.fetchval("select owner_id from projects where id = $1", project_id)
    job = await Jobs(gateway.pool).create(owner_id, project_id, JobRequest.model_validate(ORDER))
    ledger = Ledger(gateway.pool)
    for analyzer in ("probe", "sound", "transcript", "shots"):
        entry = await ledger.begin_analysis(AnalysisWork(job.id, uuid4(), analyzer))
        await ledger.end(entry, Outcome.SUCCEEDED, Usage(wall_s=2, cpu_s=2), MINUTE_US)
    entry = await ledger.begin_render(RenderWork(job.outputs[0].id, 1))
    await ledger.end(entry, Outcome.SUCCEEDED, Usage(wall_s=9000, cpu_s=9000), MINUTE_US)
    await Jobs(gateway.pool).cancel(job.id)


async def test_without_footage_there_is_nothing_to_estimate(creator: httpx.AsyncClient, project_id: UUID) -> None:
    answer = await creator.post(f"/projects/{project_id}/estimate", json=ORDER)
    assert (answer.status_code, answer.json()["code"]) == (409, "invalid_transition")


async def test_estimates_of_other_peoples_projects_do_not_exist(
    gateway: Gateway, creator: httpx.AsyncClient, other: httpx.AsyncClient, project_id: UUID
) -> None:
    await asset(gateway, project_id, sha256="a" * 64)
    assert (await other.post(f"/projects/{project_id}/estimate", json=ORDER)).status_code == 404
    assert (await creator.post(f"/projects/{project_id}/estimate", json={"variants": []})).status_code == 422


async def test_a_probe_that_is_gone_or_of_another_version_is_as_good_as_none(
    gateway: Gateway, creator: httpx.AsyncClient, project_id: UUID
) -> None:
    gone, odd = [await asset(gateway, project_id, sha256=letter * 64) for letter in "ab"]
    for known in (gone, odd):
        ref = ArtifactRef(analyzer="probe", key=known.sha256, object_key=f"{known.sha256}.json")
        await Analyses(gateway.pool).record(ref, asset_sha256=known.sha256, analyzer_version="0")
    await gateway.objects.put(Bucket.ANALYSIS, f"{odd.sha256}.json", _once(b'{"length": 7}'))
    told = await estimate(creator, project_id)
    assert sorted(told["unknown_assets"]) == sorted([str(gone.id), str(odd.id)])


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content

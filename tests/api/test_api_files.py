"""What outputs delivered, fetched as a creator does it."""

import hashlib
import io
import zipfile
from typing import Any

import httpx
import pytest

from schemas.errors import TransientError
from schemas.jobs import Job
from stores import Bucket, Jobs, Outputs, Removals
from tests.api.delivered_output import CONTENT, delivered_job
from tests.api.gateway import Gateway

pytestmark = pytest.mark.postgres


@pytest.fixture
async def job(gateway: Gateway, creator: httpx.AsyncClient) -> Job:
    return await delivered_job(gateway, creator, project="Küche / talk")


async def test_every_file_is_what_its_address_gives(gateway: Gateway, creator: httpx.AsyncClient, job: Job) -> None:
    answer = await creator.get(f"/outputs/{job.outputs[0].id}/files")
    assert answer.status_code == 200
    files = answer.json()
    assert files["video"]["name"] == "Küche___talk_hook_cut.mp4"
    async with gateway.stranger() as anyone:
        for name, content in CONTENT.items():
            got = await anyone.get(files[name]["url"])
            assert got.content == content
            assert (files[name]["size_bytes"], files[name]["sha256"]) == (
                len(content),
                hashlib.sha256(content).hexdigest(),
            )


async def test_all_of_a_job_comes_as_one_archive(creator: httpx.AsyncClient, job: Job) -> None:
    answer = await creator.get(f"/jobs/{job.id}/archive")
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(answer.content)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        found = {name.rpartition("hook_cut.")[2]: archive.read(name) for name in archive.namelist()}
    assert found == dict(zip(("mp4", "jpg", "srt", "vtt", "edl.json", "otio"), CONTENT.values(), strict=True))


async def test_what_is_not_completed_has_no_files(creator: httpx.AsyncClient, job: Job) -> None:
    for path in (f"/outputs/{job.outputs[1].id}/files", f"/outputs/{job.outputs[1].id}/edl"):
        answer = await creator.get(path)
        assert (answer.status_code, answer.json()["code"]) == (409, "invalid_transition")


async def test_a_file_that_is_gone_is_said_to_be(gateway: Gateway, creator: httpx.AsyncClient, job: Job) -> None:
    files = job.outputs[0].files
    assert files is not None
    await gateway.objects.delete(Bucket.OUTPUTS, files.srt_key)
    for path in (f"/outputs/{job.outputs[0].id}/files", f"/jobs/{job.id}/archive"):
        answer = await creator.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "object_missing")


async def test_what_is_kept_no_longer_is_told_and_spoils_no_archive(
    gateway: Gateway, creator: httpx.AsyncClient, job: Job
) -> None:
    gone, kept = (output.id for output in job.outputs)
    outputs = Outputs(gateway.pool)
    await outputs.plan(kept, "edl.json")
    files = job.outputs[0].files
    assert files is not None
    await outputs.complete(kept, await outputs.begin_attempt(kept), files.model_copy(update={"render_key": "1" * 64}))
    await Jobs(gateway.pool).settle(job.id)
    assert {(told["expires_at"], told["expired"]) for told in await _outputs(creator, job)} == {(None, False)}
    going = "2030-01-01T00:00:00Z"
    await gateway.pool.execute("update job_outputs set expires_at = $2::text::timestamptz where id = $1", gone, going)
    assert (await _outputs(creator, job))[0]["expires_at"] == going
    await gateway.pool.execute("update job_outputs set expiring_since = now() where id = $1", gone)
    assert [told["expired"] for told in await _outputs(creator, job)] == [True, False]
    for path in ("files", "edl", "storyboard"):
        answer = await creator.get(f"/outputs/{gone}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "object_missing")
        assert "no longer kept" in answer.json()["detail"]
    answer = await creator.get(f"/jobs/{job.id}/archive")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert {name.partition(".")[0] for name in archive.namelist()} == {"Küche___talk_vertical_reel"}


async def test_a_deleted_output_leaves_nothing_but_its_place_in_the_job(
    gateway: Gateway, creator: httpx.AsyncClient, other: httpx.AsyncClient, job: Job
) -> None:
    path = f"/outputs/{job.outputs[0].id}"
    early = await creator.delete(path)
    assert (early.status_code, early.json()["code"]) == (409, "invalid_transition")
    await Jobs(gateway.pool).cancel(job.id)
    link = (await creator.post(f"{path}/shares", json={})).json()["url"]
    signed = (await creator.get(f"{path}/files")).json()["video"]["url"]
    assert (await other.delete(path)).status_code == 404
    assert (await creator.get(signed)).status_code == 200
    for _ in range(2):
        assert (await creator.delete(path)).status_code == 204
    for bucket in Bucket:
        assert [item async for item in gateway.objects.list(bucket)] == []
    assert (await creator.get(link)).status_code == 404
    assert (await creator.get(signed)).status_code == 404
    told = (await _outputs(creator, job))[0]
    assert (told["status"], told["expired"], told["report"] is None) == ("completed", True, False)


async def test_an_output_that_cannot_be_removed_now_is_removed_by_a_sweep(
    gateway: Gateway, creator: httpx.AsyncClient, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_asked: object) -> bool:
        raise TransientError.store("The object store does not answer.")

    await Jobs(gateway.pool).cancel(job.id)
    with monkeypatch.context() as outage:
        outage.setattr(gateway.objects, "delete", away)
        assert (await creator.delete(f"/outputs/{job.outputs[0].id}")).status_code == 204
    assert (await creator.get(f"/outputs/{job.outputs[0].id}/files")).status_code == 404
    assert await Removals(gateway.pool).unfinished_outputs(None, 10) == (job.outputs[0].id,)


async def _outputs(creator: httpx.AsyncClient, job: Job) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = (await creator.get(f"/jobs/{job.id}")).json()["outputs"]
    assert told[0] == (await creator.get(f"/outputs/{job.outputs[0].id}")).json()
    return told


async def test_nobody_else_gets_them(other: httpx.AsyncClient, job: Job) -> None:
    for path in (f"/outputs/{job.outputs[0].id}/files", f"/outputs/{job.outputs[0].id}/edl", f"/jobs/{job.id}/archive"):
        assert (await other.get(path)).status_code == 404

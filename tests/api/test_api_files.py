"""What outputs delivered, fetched as a creator does it."""

import hashlib
import io
import zipfile
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest

from activities.output_keys import OutputKeys
from schemas.jobs import Job, OutputFiles
from stores import Bucket, Jobs, Outputs
from tests.api.gateway import Gateway
from tests.stores.samples import delivered

pytestmark = pytest.mark.postgres

CONTENT = {
    "video": b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 900,
    "thumbnail": b"\xff\xd8\xff jpeg",
    "srt": b"1\n00:00:00,000 --> 00:00:01,000\nHello\n",
    "vtt": b"WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nHello\n",
    "edl": b"{}",
    "otio": b'{"OTIO_SCHEMA": "Timeline.1"}',
}


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


@pytest.fixture
async def job(gateway: Gateway, creator: httpx.AsyncClient) -> Job:
    """A job with one completed output and one that is still queued."""
    project_id = (await creator.post("/projects", json={"name": "Küche / talk"})).json()["id"]
    order = {"variants": ["hook_cut", "vertical_reel"]}
    job_id = UUID((await creator.post(f"/projects/{project_id}/jobs", json=order)).json()["id"])
    made = await Jobs(gateway.pool).get(job_id)
    output = made.outputs[0]
    keys = OutputKeys(made.owner_id, made.project_id, made.id, output.id)
    places = {name: getattr(keys, name) for name in CONTENT}
    for name, content in CONTENT.items():
        bucket = Bucket.THUMBS if name == "thumbnail" else Bucket.OUTPUTS
        await gateway.objects.put(bucket, places[name], _once(content))
    outputs = Outputs(gateway.pool)
    await outputs.plan(output.id, keys.edl)
    attempt = await outputs.begin_attempt(output.id)
    files = OutputFiles(
        render_key="0" * 64,
        video_bytes=len(CONTENT["video"]),
        video_sha256=hashlib.sha256(CONTENT["video"]).hexdigest(),
        report=delivered().report,
        **{f"{name}_key": key for name, key in places.items()},
    )
    await outputs.complete(output.id, attempt, files)
    return await Jobs(gateway.pool).get(job_id)


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


async def test_nobody_else_gets_them(other: httpx.AsyncClient, job: Job) -> None:
    for path in (f"/outputs/{job.outputs[0].id}/files", f"/outputs/{job.outputs[0].id}/edl", f"/jobs/{job.id}/archive"):
        assert (await other.get(path)).status_code == 404

"""What outputs delivered, fetched as a creator does it."""

import hashlib
import io
import zipfile

import httpx
import pytest

from schemas.jobs import Job
from stores import Bucket
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


async def test_nobody_else_gets_them(other: httpx.AsyncClient, job: Job) -> None:
    for path in (f"/outputs/{job.outputs[0].id}/files", f"/outputs/{job.outputs[0].id}/edl", f"/jobs/{job.id}/archive"):
        assert (await other.get(path)).status_code == 404

"""The Python client against the real API: the same with and without asyncio, through whatever the network does."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from activities.output_keys import OutputKeys
from activities.uploads import upload_bytes
from api import upload_ends
from api.problems import problem_of
from cinema.client import (
    AsyncClient,
    CinemaError,
    Client,
    ConflictError,
    ErrorCode,
    InvalidInput,
    TransientError,
    uploading,
)
from cinema.client.server_events import EventParser, ServerEvent
from demo.small import make_small_talk, write_variation
from director import PlanOptions, plan
from schemas.edl import Variant
from schemas.jobs import JobRequest, JobStatus
from schemas.resources.assets import AssetState
from schemas.resources.files import SignedFile
from schemas.resources.jobs import JobResource
from schemas.resources.uploads import UploadTicket
from stores import Assets, Bucket, Jobs, Outputs, Pool
from tests.api.gateway import Gateway, serving
from tests.api.test_api_revisions import analysed
from tests.director.test_director_review import recut, talk_of_two_lines
from tests.stores.conftest import dsn, pool

__all__ = ["dsn", "pool"]

pytestmark = pytest.mark.postgres

HOOK = JobRequest(variants=(Variant.HOOK_CUT,))


@pytest.fixture
async def gateway(pool: Pool, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with serving(pool, tmp_path / "objects") as served:
        yield served


@pytest.fixture
def token(gateway: Gateway) -> str:
    return gateway.issuer.token(uuid4())


@pytest.fixture
async def client(gateway: Gateway, token: str) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(gateway.url, token) as client:
        yield client


class Flaky(httpx.AsyncHTTPTransport):
    """A network that does something else with some requests."""

    def __init__(self, *troubles: Callable[[], httpx.Response | None]) -> None:
        super().__init__()
        self.troubles = list(troubles)
        self.sent: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        trouble = self.troubles.pop(0) if self.troubles else None
        made = trouble() if trouble else None
        return made or await super().handle_async_request(request)


class Deaf(Flaky):
    """A network that loses the answers to the first requests, which are heard."""

    def __init__(self, lost: int) -> None:
        super().__init__()
        self.lost = lost

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if len(self.sent) <= self.lost:
            await response.aread()
            raise httpx.ReadError("the connection broke")
        return response


class Cutting(Flaky):
    """A network that ends the first answers after some bytes."""

    def __init__(self, *lengths: int) -> None:
        super().__init__()
        self.lengths = list(lengths)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if not self.lengths:
            return response
        length = self.lengths.pop(0)
        headers = [(name, value) for name, value in response.headers.raw]
        return httpx.Response(response.status_code, headers=headers, stream=_Cut(response, length))


class _Cut(httpx.AsyncByteStream):
    def __init__(self, response: httpx.Response, length: int) -> None:
        self._response, self._left = response, length

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._response.aiter_raw():
            yield chunk[: self._left]
            self._left -= len(chunk)
            if self._left <= 0:
                raise httpx.ReadError("the connection broke")

    async def aclose(self) -> None:
        await self._response.aclose()


def over(gateway: Gateway, token: str, network: Flaky) -> AsyncClient:
    return AsyncClient(gateway.url, token, http=httpx.AsyncClient(transport=network, timeout=60))


def busy() -> httpx.Response:
    return httpx.Response(503, headers={"Retry-After": "0"}, text="busy")


def unreachable() -> httpx.Response:
    raise httpx.ConnectError("nobody answers")


async def test_projects_and_jobs_awaited(client: AsyncClient) -> None:
    project = await client.projects.create("Kitchen talk")
    renamed = await client.projects.rename(project.id, "Kitchen talk, cut")
    assert (await client.projects.get(project.id)) == renamed
    assert [found.name for found in (await client.projects.list()).items] == ["Kitchen talk, cut"]
    job = await client.jobs.create(project.id, HOOK)
    assert (await client.jobs.get(job.id)) == job
    assert (await client.jobs.list(project_id=project.id, status=JobStatus.QUEUED)).items == (job,)
    assert (await client.outputs.get(job.outputs[0].id)) == job.outputs[0]
    assert (await client.jobs.cancel(job.id)).status is JobStatus.CANCELLED


async def test_the_same_without_asyncio(gateway: Gateway, token: str) -> None:
    def work() -> JobResource:
        with Client(gateway.url, lambda: token) as client:
            project = client.projects.create("Kitchen talk")
            assert client.projects.list(limit=1).items == (client.projects.get(project.id),)
            job = client.jobs.create(project.id, HOOK)
            client.jobs.cancel(job.id)
            return client.jobs.wait(job.id, longest_s=60)

    assert (await asyncio.to_thread(work)).status is JobStatus.CANCELLED


async def test_errors_have_codes_and_fields(gateway: Gateway, client: AsyncClient) -> None:
    with pytest.raises(CinemaError) as missing:
        await client.jobs.get(uuid4())
    assert missing.value.code is ErrorCode.NOT_FOUND
    with pytest.raises(InvalidInput) as bad:
        await client.projects.list(limit=1000)
    assert [found.field for found in bad.value.problems] == ["query.limit"]
    with pytest.raises(InvalidInput) as nameless:
        await client.projects.create("")
    assert [found.field for found in nameless.value.problems] == ["name"]
    project = await client.projects.create("Kitchen talk")
    job = await client.jobs.create(project.id, HOOK)
    with pytest.raises(ConflictError):
        await client.outputs.files(job.outputs[0].id)
    async with AsyncClient(gateway.url, "nonsense") as stranger:
        with pytest.raises(CinemaError) as unknown:
            await stranger.projects.list()
    assert unknown.value.code is ErrorCode.UNAUTHENTICATED


async def test_an_edit_is_changed_judged_and_ordered(gateway: Gateway, client: AsyncClient) -> None:
    footage = talk_of_two_lines()
    project = await client.projects.create("Kitchen talk")
    reel = (await client.jobs.create(project.id, JobRequest(variants=(Variant.VERTICAL_REEL,)))).outputs[0]
    job = await Jobs(gateway.pool).get(reel.job_id)
    await Assets(gateway.pool).add(
        owner_id=job.owner_id,
        project_id=project.id,
        name=footage.name,
        kind=footage.kind,
        object_key=f"{job.owner_id}/{footage.sha256}",
        size_bytes=1000,
        sha256=footage.sha256,
        position=0,
    )
    await analysed(gateway, footage)
    planned = plan([footage], Variant.VERTICAL_REEL, PlanOptions())
    key = OutputKeys(job.owner_id, project.id, job.id, reel.id).edl
    await upload_bytes(gateway.objects, Bucket.OUTPUTS, key, planned.model_dump_json().encode())
    await Outputs(gateway.pool).plan(reel.id, key)

    edl = await client.outputs.edl(reel.id)
    assert (await client.outputs.check(reel.id, edl)).renderable
    bitten = recut(edl, (1.1, 3.1))
    judged = await client.outputs.check(reel.id, bitten)
    assert (judged.renderable, judged.renderable_if_accepted) == (False, True)
    with pytest.raises(InvalidInput):
        await client.outputs.revise(reel.id, edl=bitten)
    accepted = await client.outputs.revise(reel.id, edl=bitten, accept_findings=True)
    captioned = await client.outputs.revise(reel.id, captions=edl.captions[:1])
    assert {made.request.plans[0].revised_from for made in (accepted, captioned)} == {reel.id}
    with pytest.raises(InvalidInput):
        await client.outputs.revise(reel.id)


async def test_something_else_than_the_api_is_told_apart(gateway: Gateway, token: str) -> None:
    answers = (lambda: httpx.Response(200, text="<html>Sign in to this network"), lambda: httpx.Response(302))
    async with over(gateway, token, Flaky(*answers)) as client:
        for _ in answers:
            with pytest.raises(CinemaError) as error:
                await client.projects.list()
            assert error.value.code is ErrorCode.INTERNAL


async def test_reading_goes_on_through_a_bad_network(gateway: Gateway, token: str) -> None:
    async with over(gateway, token, Flaky(busy, unreachable, busy)) as client:
        assert (await client.projects.list()).items == ()


async def test_it_gives_up_after_a_while(gateway: Gateway, token: str) -> None:
    network = Flaky(*[busy] * 50)
    async with over(gateway, token, network) as client:
        with pytest.raises(TransientError) as error:
            await client.projects.list()
    assert error.value.code is ErrorCode.STACK_UNAVAILABLE
    assert len(network.sent) == 5


async def test_a_full_disk_passes_and_is_not_tried_at_once(gateway: Gateway, token: str) -> None:
    full = problem_of(TransientError(ErrorCode.DISK_FULL, "There is no room for it at the moment."))
    network = Flaky(lambda: httpx.Response(full.status_code, content=bytes(full.body)))
    async with over(gateway, token, network) as client:
        with pytest.raises(TransientError) as error:
            await client.projects.list()
    assert error.value.code is ErrorCode.DISK_FULL
    assert len(network.sent) == 1


async def test_a_job_is_ordered_once_though_its_answer_was_lost(gateway: Gateway, token: str) -> None:
    async with over(gateway, token, Deaf(lost=0)) as client:
        project = await client.projects.create("Kitchen talk")
    async with over(gateway, token, Deaf(lost=2)) as client:
        job = await client.jobs.create(project.id, HOOK)
        assert (await client.jobs.list()).items == (job,)


async def test_what_might_be_done_twice_is_not_sent_again(gateway: Gateway, token: str) -> None:
    async with over(gateway, token, Deaf(lost=1)) as client:
        with pytest.raises(TransientError):
            await client.projects.create("Kitchen talk")
        assert len((await client.projects.list()).items) == 1


async def test_the_token_is_asked_for_before_each_request(gateway: Gateway, token: str) -> None:
    asked: list[str] = []

    async def current() -> str:
        asked.append("again")
        return token

    async with AsyncClient(gateway.url, current) as client:
        await client.projects.list()
        await client.projects.list()
    assert len(asked) == 2


async def test_waiting_tells_each_change_and_survives_broken_streams(gateway: Gateway, token: str) -> None:
    network = Cutting(2000, 300, 10)
    seen: list[JobStatus] = []
    async with over(gateway, token, Flaky()) as client:
        project = await client.projects.create("Kitchen talk")
        job = await client.jobs.create(project.id, HOOK)
    jobs = Jobs(gateway.pool)

    def changed(now: JobResource) -> None:
        seen.append(now.status)
        if now.status is JobStatus.QUEUED:
            tasks.append(asyncio.create_task(jobs.set_status(job.id, JobStatus.ANALYSING)))
        if now.status is JobStatus.ANALYSING:
            tasks.append(asyncio.create_task(jobs.cancel(job.id)))

    tasks: list[asyncio.Task[Any]] = []
    async with over(gateway, token, network) as client:
        settled = await client.jobs.wait(job.id, changed, longest_s=120)
    await asyncio.gather(*tasks)
    assert settled.status is JobStatus.CANCELLED
    assert list(dict.fromkeys(seen)) == [JobStatus.QUEUED, JobStatus.ANALYSING, JobStatus.CANCELLED]
    assert any("last-event-id" in request.headers for request in network.sent)


async def test_waiting_ends_in_time_and_not_for_nothing(client: AsyncClient) -> None:
    project = await client.projects.create("Kitchen talk")
    job = await client.jobs.create(project.id, HOOK)
    with pytest.raises(TimeoutError):
        await client.jobs.wait(job.id, longest_s=0)
    with pytest.raises(CinemaError) as missing:
        await client.jobs.wait(uuid4())
    assert missing.value.code is ErrorCode.NOT_FOUND


CONTENT = bytes(range(256)) * 8000


@pytest.fixture
async def file(gateway: Gateway) -> SignedFile:
    async def once() -> AsyncIterator[bytes]:
        yield CONTENT

    stat = await gateway.objects.put(Bucket.OUTPUTS, "a/video.mp4", once())
    url = await gateway.objects.signed_download_url(
        Bucket.OUTPUTS, "a/video.mp4", expires_in=timedelta(minutes=5), filename="video.mp4"
    )
    return SignedFile(name="video.mp4", url=url, size_bytes=stat.size_bytes, sha256=stat.sha256)


async def test_a_download_is_taken_up_where_it_broke_off(
    gateway: Gateway, token: str, file: SignedFile, tmp_path: Path
) -> None:
    network = Cutting(70_000, 1, 0, 900_000)
    async with over(gateway, token, network) as client:
        path = await client.outputs.download(file, tmp_path / "video.mp4")
    assert path.read_bytes() == CONTENT
    assert [found.name for found in tmp_path.glob("video*")] == ["video.mp4"]
    assert [request.headers.get("range") for request in network.sent][:2] == [None, "bytes=70000-"]
    assert not any("authorization" in request.headers for request in network.sent)


async def test_bytes_that_are_not_those_delivered_are_never_there(
    client: AsyncClient, file: SignedFile, tmp_path: Path
) -> None:
    other = file.model_copy(update={"sha256": hashlib.sha256(b"other").hexdigest()})
    with pytest.raises(CinemaError) as error:
        await client.outputs.download(other, tmp_path / "video.mp4")
    assert error.value.code is ErrorCode.OBJECT_CORRUPT
    assert list(tmp_path.glob("video*")) == []


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_events_are_read_however_they_are_cut(size: int) -> None:
    wire = ": hello\r\n\r\nevent: job\nid: 1\ndata: {\ndata: é}\n\nid: 2\n\nevent: job\ndata:x\n\nevent: ha".encode()
    parser = EventParser()
    events = [event for at in range(0, len(wire), size) for event in parser.feed(wire[at : at + size])]
    assert events == [ServerEvent("job", "1", "{\né}"), ServerEvent("job", "", "x")]


@pytest.fixture(scope="module")
def small_talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("client") / "small.mp4"
    make_small_talk(path)
    return path


@pytest.fixture
def talk(small_talk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Footage of several pieces."""
    monkeypatch.setattr(uploading, "CHUNK", small_talk.stat().st_size // 2)
    path = tmp_path / "talk.mp4"
    write_variation(small_talk, path, b"another")
    return path


async def test_an_upload_goes_on_through_broken_connections(gateway: Gateway, token: str, talk: Path) -> None:
    told: list[int] = []
    network = Deaf(lost=3)
    async with over(gateway, token, Flaky()) as client:
        project = await client.projects.create("Kitchen talk")
        ticket = await client.assets.permit(project.id, talk)
    async with over(gateway, token, network) as client:
        asset = await client.assets.send(ticket, talk, lambda sent, _size: told.append(sent))
        assert (await client.assets.list(project.id)).items == (asset,)
    assert asset.state is AssetState.READY, asset.error
    assert asset.sha256 == hashlib.sha256(talk.read_bytes()).hexdigest()
    assert told == sorted(told)
    assert told[-1] == talk.stat().st_size


async def test_an_upload_is_taken_up_by_another_program(gateway: Gateway, token: str, talk: Path) -> None:
    async with AsyncClient(gateway.url, token) as client:
        project = await client.projects.create("Kitchen talk")
        ticket = await client.assets.permit(project.id, talk)
    pieces = [request for request in (await _stopped(gateway, token, ticket, talk)).sent if request.method == "PATCH"]
    assert len(pieces) == 6, "one that arrived, and five tries of the next"
    again = Flaky()
    async with over(gateway, token, again) as client:
        asset = await client.assets.send(ticket, talk)
    assert asset.state is AssetState.READY
    first = next(request for request in again.sent if request.method == "PATCH")
    assert int(first.headers["Upload-Offset"]) == uploading.CHUNK


async def _stopped(gateway: Gateway, token: str, ticket: UploadTicket, talk: Path) -> Flaky:
    """A network that let one piece through and none after it."""

    class Ending(Flaky):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            pieces = sum(sent.method == "PATCH" for sent in self.sent)
            if request.method == "PATCH" and pieces:
                self.sent.append(request)
                raise httpx.WriteError("the connection broke")
            return await super().handle_async_request(request)

    network = Ending()
    async with over(gateway, token, network) as client:
        with pytest.raises(TransientError):
            await client.assets.send(ticket, talk)
    return network


async def test_a_file_that_is_no_footage_is_refused_with_its_reason(client: AsyncClient, tmp_path: Path) -> None:
    page = tmp_path / "page.mp4"
    page.write_text("<html>" * 1000)
    project = await client.projects.create("Kitchen talk")
    with pytest.raises(CinemaError) as error:
        await client.assets.upload(project.id, page)
    assert error.value.code in {ErrorCode.MEDIA_UNREADABLE, ErrorCode.MEDIA_FORBIDDEN_FORMAT}


async def test_a_file_that_takes_long_to_be_looked_at_is_refused_with_its_reason_too(
    client: AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_ends, "PATIENCE", timedelta(0))
    (tmp_path / "talk.mp4").write_text("#EXTM3U\n")
    project = await client.projects.create("Kitchen talk")
    with pytest.raises(CinemaError) as refused:
        await client.assets.upload(project.id, tmp_path / "talk.mp4")
    assert refused.value.code.startswith("media_")

"""Uploads that break off and go on, and what is not let in."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from stores import Bucket, Pool
from tests.api.gateway import Gateway, serving
from tests.api.uploading import (
    PIECE,
    TUS,
    Line,
    assets,
    begin,
    begun,
    checksum,
    metadata,
    offset_of,
    recording,
    send,
    uploaded,
)

pytestmark = pytest.mark.postgres

SOUND = recording(20_000)
PLAYLIST = b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n"


@pytest.fixture
async def project_id(creator: httpx.AsyncClient) -> str:
    identifier: str = (await creator.post("/projects", json={"name": "Kitchen talk"})).json()["id"]
    return identifier


def partial_files(gateway: Gateway) -> list[UUID]:
    return list(gateway.objects.uploads.ids())


async def stored_keys(gateway: Gateway) -> list[str]:
    return [item.key async for item in gateway.objects.list(Bucket.ASSETS)]


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    ends_at = monotonic() + 60
    while not await holds():
        assert monotonic() < ends_at, "it never came about"
        await asyncio.sleep(0.02)


async def test_a_server_says_what_it_can_do(gateway: Gateway) -> None:
    async with gateway.stranger() as stranger:
        answer = await stranger.options("/uploads")
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == answer.headers["Tus-Resumable"] == "1.0.0"
    extensions = set(answer.headers["Tus-Extension"].split(","))
    assert extensions == {"creation", "creation-with-upload", "expiration", "checksum", "termination"}
    assert set(answer.headers["Tus-Checksum-Algorithm"].split(",")) == {"sha1", "sha256"}


async def test_an_upload_broken_fifty_times_arrives_byte_for_byte(
    gateway: Gateway, creator: httpx.AsyncClient, project_id: str
) -> None:
    chance = random.Random(20261123)
    data = recording(1_500_000)
    path = await begun(creator, project_id, len(data))
    at = 0
    for _ in range(50):
        line = await Line.to(creator)
        await line.promise(creator, path, at, len(data) - at)
        await line.say(data[at : at + chance.randrange(0, 40_000)])
        if chance.random() < 0.5:
            await asyncio.sleep(chance.random() * 0.02)
        line.cut()
        at = await free_offset(creator, path, at)
    assert 0 < at < len(data)
    answer = await send(creator, path, at, data[at:])
    assert answer.status_code == 204, answer.text
    (asset,) = await assets(creator, project_id)
    assert (asset["state"], asset["kind"], asset["sha256"]) == ("ready", "audio", sha256(data).hexdigest())
    key = (await stored_keys(gateway))[0]
    assert b"".join([chunk async for chunk in gateway.objects.get(Bucket.ASSETS, key)]) == data
    assert partial_files(gateway) == []


async def free_offset(client: httpx.AsyncClient, path: str, at: int) -> int:
    """Where to go on, once the broken request has let go of the upload, which an empty piece shows."""
    while True:
        now = await offset_of(client, path)
        assert now >= at, "what was counted stays counted"
        answer = await send(client, path, now, b"")
        if answer.status_code == 204:
            return int(answer.headers["Upload-Offset"])
        assert answer.status_code in {409, 423}, answer.text


async def test_an_upload_goes_on_after_a_restart_of_the_api(pool: Pool, tmp_path: Path) -> None:
    owner = uuid4()
    async with serving(pool, tmp_path / "objects") as before, before.client(owner) as client:
        project = (await client.post("/projects", json={"name": "Talk"})).json()["id"]
        path = await begun(client, project, len(SOUND))
        assert (await send(client, path, 0, SOUND[:7_000])).status_code == 204
    left = tmp_path / "objects" / ".uploads" / f"{path.rpartition('/')[2]}.upload"
    with left.open("ab") as file:
        file.write(b"written by a process that was killed before it could count it")
    async with serving(pool, tmp_path / "objects") as after, after.client(owner) as client:
        assert await offset_of(client, path) == 7_000
        assert (await send(client, path, 7_000, SOUND[7_000:])).status_code == 204
        (asset,) = await assets(client, project)
        assert (asset["state"], asset["sha256"]) == ("ready", sha256(SOUND).hexdigest())


async def test_a_whole_file_whose_judge_was_killed_is_judged_by_the_next(
    gateway: Gateway, creator: httpx.AsyncClient, project_id: str
) -> None:
    path = await begun(creator, project_id, len(SOUND))
    await send(creator, path, 0, SOUND[:-1])
    identifier = UUID(path.rpartition("/")[2])
    file = gateway.objects.uploads.open(identifier)
    file.append(SOUND[-1:])
    file.close()
    await gateway.pool.execute("update uploads set received_bytes = length_bytes, status = 'verifying'")
    (asset,) = await assets(creator, project_id)
    assert asset["state"] == "uploading"
    await gateway.app.state.context.finisher.tidy()
    (asset,) = await assets(creator, project_id)
    assert (asset["id"], asset["state"]) == (str(identifier), "ready")


async def test_a_file_comes_with_its_announcement(creator: httpx.AsyncClient, project_id: str) -> None:
    given = metadata(project=project_id, filename="talk.wav", kind="a_roll")
    headers = {**PIECE, "Upload-Length": str(len(SOUND)), "Upload-Metadata": given}
    answer = await creator.post("/uploads", headers=headers, content=SOUND)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Upload-Offset"] == str(len(SOUND))
    assert "Upload-Expires" in answer.headers
    (asset,) = await assets(creator, project_id)
    assert (asset["state"], asset["kind"]) == ("ready", "a_roll")
    seen = await creator.head(answer.headers["Location"], headers=TUS)
    assert (seen.status_code, seen.headers["Upload-Metadata"]) == (200, given)
    assert seen.headers["Cache-Control"] == "no-store"


async def test_a_permission_is_all_that_its_holder_needs(
    gateway: Gateway, creator: httpx.AsyncClient, project_id: str
) -> None:
    new = {"name": "talk.wav", "size_bytes": len(SOUND), "sha256": sha256(SOUND).hexdigest()}
    ticket = (await creator.post(f"/projects/{project_id}/uploads", json=new)).json()
    (asset,) = await assets(creator, project_id)
    assert (asset["id"], asset["state"], asset["received_bytes"]) == (ticket["asset_id"], "uploading", 0)
    another = await begun(creator, project_id, len(SOUND))
    async with gateway.stranger() as holder:
        holder.headers.update(ticket["headers"])
        headers = {**TUS, "Upload-Metadata": metadata(**ticket["metadata"])}
        small = await holder.post(ticket["url"], headers={**headers, "Upload-Length": "7"})
        assert small.status_code == 403
        made = await holder.post(ticket["url"], headers={**headers, "Upload-Length": str(len(SOUND))})
        assert made.headers["Location"] == f"/uploads/{ticket['asset_id']}"
        assert (await holder.head(another, headers=TUS)).status_code == 404
        assert (await holder.get("/projects")).status_code == 401
        assert (await send(holder, made.headers["Location"], 0, SOUND)).status_code == 204
        (token,) = ticket["headers"].values()
        for forged in (token[:-1] + ("0" if token[-1] != "0" else "1"), token.replace("?", "x?"), "x", "?"):
            holder.headers["Upload-Token"] = forged
            assert (await holder.head(made.headers["Location"], headers=TUS)).status_code == 401
    assert (await creator.get(f"/assets/{ticket['asset_id']}")).json()["state"] == "ready"


async def test_bytes_for_another_place_are_refused(creator: httpx.AsyncClient, project_id: str) -> None:
    path = await begun(creator, project_id, len(SOUND))
    await send(creator, path, 0, SOUND[:100])
    for wrong in (0, 99, 101):
        answer = await send(creator, path, wrong, b"xyz")
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (409, "100")
    assert await offset_of(creator, path) == 100


async def test_more_bytes_than_announced_are_refused(creator: httpx.AsyncClient, project_id: str) -> None:
    path = await begun(creator, project_id, 100)
    assert (await send(creator, path, 0, b"x" * 101)).status_code == 413

    async def endless() -> Any:
        for _ in range(3):
            yield b"x" * 50

    answer = await creator.patch(path, content=endless(), headers={**PIECE, "Upload-Offset": "0"})
    assert answer.status_code == 413
    assert await offset_of(creator, path) == 0


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
async def test_bytes_with_another_checksum_do_not_count(
    creator: httpx.AsyncClient, project_id: str, algorithm: str
) -> None:
    path = await begun(creator, project_id, len(SOUND))
    assert (await send(creator, path, 0, SOUND[:50])).status_code == 204
    announced = {"Upload-Checksum": checksum(SOUND[50:-1], algorithm)}
    answer = await send(creator, path, 50, b"x" * 70, announced)
    assert (answer.status_code, answer.headers["Tus-Resumable"]) == (460, "1.0.0")
    assert answer.json()["detail"]
    assert await offset_of(creator, path) == 50
    assert (await send(creator, path, 50, SOUND[50:-1], announced)).status_code == 204
    assert await offset_of(creator, path) == len(SOUND) - 1


async def test_a_checksum_that_cannot_be_checked_is_refused(creator: httpx.AsyncClient, project_id: str) -> None:
    path = await begun(creator, project_id, 100)
    for given in ("md5 AAAA", "sha256", "sha256 AAAA", "sha1 ####", ""):
        assert (await send(creator, path, 0, b"x", {"Upload-Checksum": given})).status_code == 400, given
    assert await offset_of(creator, path) == 0


async def test_an_upload_that_was_given_up_expires(
    gateway: Gateway, creator: httpx.AsyncClient, project_id: str
) -> None:
    path = await begun(creator, project_id, len(SOUND))
    await send(creator, path, 0, SOUND[:500])
    assert len(partial_files(gateway)) == 1
    await gateway.pool.execute("update uploads set expires_at = now() - interval '1 second'")
    for answer in (await creator.head(path, headers=TUS), await send(creator, path, 500, SOUND[500:])):
        assert answer.status_code == 410
    assert await gateway.app.state.context.finisher.tidy() == 1
    assert partial_files(gateway) == []
    (asset,) = await assets(creator, project_id)
    assert asset["state"] == "expired"
    assert (await creator.delete(f"/assets/{asset['id']}")).status_code == 204
    assert await assets(creator, project_id) == []


async def test_an_upload_is_given_up_by_its_client(
    gateway: Gateway, creator: httpx.AsyncClient, project_id: str
) -> None:
    path = await begun(creator, project_id, len(SOUND))
    await send(creator, path, 0, SOUND[:500])
    assert (await creator.delete(path, headers=TUS)).status_code == 204
    assert (await creator.head(path, headers=TUS)).status_code == 404
    assert partial_files(gateway) == []
    assert await assets(creator, project_id) == []


async def test_what_is_not_yours_does_not_exist(
    creator: httpx.AsyncClient, other: httpx.AsyncClient, project_id: str
) -> None:
    path = await begun(creator, project_id, len(SOUND))
    for answer in (
        await other.head(path, headers=TUS),
        await send(other, path, 0, SOUND),
        await other.delete(path, headers=TUS),
        await begin(other, project_id, 10),
        await other.post(f"/projects/{project_id}/uploads", json={"name": "x", "size_bytes": 1}),
    ):
        assert answer.status_code == 404
    assert await offset_of(creator, path) == 0


async def test_only_one_request_writes_at_a_time(creator: httpx.AsyncClient, project_id: str) -> None:
    path = await begun(creator, project_id, len(SOUND))
    lines: list[Line] = []

    async def is_held() -> bool:
        """Whoever comes while the other one looks is refused, the line too: then the next one may hold it."""
        lines.append(await Line.to(creator))
        await lines[-1].promise(creator, path, 0, len(SOUND))
        await lines[-1].say(SOUND[:1_000])
        return (await send(creator, path, 0, b"")).status_code == 423

    await eventually(is_held)
    assert (await creator.delete(path, headers=TUS)).status_code == 423
    for line in lines:
        line.cut()

    async def is_free() -> bool:
        return await offset_of(creator, path) == 1_000

    await eventually(is_free)
    assert await free_offset(creator, path, 1_000) == 1_000


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (PLAYLIST, "playlist"),
        (b"<!doctype html><script>alert(1)</script>", "web page"),
        (b"PK\x03\x04" + bytes(range(256)), "not a video"),
    ],
)
async def test_what_is_no_footage_is_refused_whatever_it_is_called(
    gateway: Gateway, creator: httpx.AsyncClient, project_id: str, data: bytes, reason: str
) -> None:
    path = await begun(creator, project_id, len(data), filename="talk.mp4", filetype="video/mp4")
    answer = await send(creator, path, 0, data)
    assert answer.status_code == 422, answer.text
    assert reason in answer.json()["detail"]
    assert answer.json()["code"].startswith("media_")
    (asset,) = await assets(creator, project_id)
    assert (asset["state"], asset["error"]["message"]) == ("refused", answer.json()["detail"])
    assert partial_files(gateway) == []
    assert await stored_keys(gateway) == []
    assert (await creator.head(path, headers=TUS)).status_code == 410


async def test_a_file_that_is_not_the_announced_one_is_refused(
    gateway: Gateway, creator: httpx.AsyncClient, project_id: str
) -> None:
    answer = await uploaded(creator, project_id, SOUND, sha256="0" * 64)
    assert (answer.status_code, answer.json()["code"]) == (422, "media_damaged")
    assert partial_files(gateway) == []
    assert await stored_keys(gateway) == []


async def test_an_empty_file_is_refused_before_it_begins(creator: httpx.AsyncClient, project_id: str) -> None:
    answer = await begin(creator, project_id, 0)
    assert (answer.status_code, answer.json()["code"]) == (422, "media_empty")
    assert await assets(creator, project_id) == []


async def test_the_same_content_is_stored_once(gateway: Gateway, creator: httpx.AsyncClient, project_id: str) -> None:
    second = (await creator.post("/projects", json={"name": "Again"})).json()["id"]
    for project in (project_id, second):
        assert (await uploaded(creator, project, SOUND)).status_code == 204
    assert len(await stored_keys(gateway)) == 1
    (first,), (other,) = await assets(creator, project_id), await assets(creator, second)
    assert (await creator.delete(f"/assets/{first['id']}")).status_code == 204
    assert len(await stored_keys(gateway)) == 1, "the other project still needs it"
    assert (await creator.delete(f"/assets/{other['id']}")).status_code == 204
    assert await stored_keys(gateway) == []


async def test_a_plan_lets_in_what_fits(gateway: Gateway, creator: httpx.AsyncClient, project_id: str) -> None:
    await gateway.pool.execute("update plans set max_asset_bytes = 30000, max_total_bytes = 50000")
    large = await begin(creator, project_id, 30_001)
    assert (large.status_code, large.json()["code"]) == (413, "media_too_large")
    assert "29.3 KiB" in large.json()["detail"]
    assert (await uploaded(creator, project_id, SOUND)).status_code == 204
    path = await begun(creator, project_id, len(SOUND), filename="again.wav")
    full = await creator.post(f"/projects/{project_id}/uploads", json={"name": "x", "size_bytes": 15_000})
    assert (full.status_code, full.json()["code"]) == (413, "media_too_large")
    await gateway.pool.execute("update plans set max_asset_bytes = 100")
    answer = await send(creator, path, 0, recording(20_000, seed=2))
    assert (answer.status_code, answer.json()["code"]) == (413, "media_too_large")
    assert len(await stored_keys(gateway)) == 1


async def test_a_hostile_name_is_only_a_name(creator: httpx.AsyncClient, project_id: str) -> None:
    shown = {
        "../../etc/passwd": "passwd",
        "C:\\Users\\me\\talk.mp4": "talk.mp4",
        "a\nb\x00c.mp4": "a_b_c.mp4",
        "": "Untitled",
        "/": "Untitled",
        "é" * 300: "é" * 200,
        "\u202egpj.mp4": "_gpj.mp4",
    }
    for name in shown:
        await begun(creator, project_id, 10, filename=name)
    assert [asset["name"] for asset in await assets(creator, project_id)] == list(shown.values())


async def test_nonsense_begins_nothing(gateway: Gateway, creator: httpx.AsyncClient, project_id: str) -> None:
    good = {**TUS, "Upload-Length": "10", "Upload-Metadata": metadata(project=project_id)}
    for name, value, status in (
        ("Tus-Resumable", "0.2.2", 412),
        ("Upload-Length", "-1", 422),
        ("Upload-Length", "9" * 30, 422),
        ("Upload-Length", "ten", 422),
        ("Upload-Metadata", "", 422),
        ("Upload-Metadata", "project !!!", 422),
        ("Upload-Metadata", "project QQ==,project QQ==", 422),
        ("Upload-Metadata", metadata(project="' or true --"), 422),
        ("Upload-Metadata", metadata(project=project_id, kind="film"), 422),
        ("Upload-Metadata", metadata(project=project_id, sha256="short"), 422),
        ("Upload-Metadata", "x" * 5_000, 422),
    ):
        answer = await creator.post("/uploads", headers={**good, name: value})
        assert answer.status_code == status, (name, value, answer.text)
        assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert await gateway.pool.fetchval("select count(*) from uploads") == 0


async def test_a_piece_must_be_one(creator: httpx.AsyncClient, project_id: str) -> None:
    path = await begun(creator, project_id, 10)
    headers = {**TUS, "Upload-Offset": "0", "Content-Type": "video/mp4"}
    assert (await creator.patch(path, content=b"x", headers=headers)).status_code == 415
    assert (await creator.patch(path, content=b"x", headers=PIECE)).status_code == 422
    assert (await send(creator, f"/uploads/{uuid4()}", 0, b"x")).status_code == 404


async def test_an_upload_ends_with_its_project(gateway: Gateway, creator: httpx.AsyncClient, project_id: str) -> None:
    path = await begun(creator, project_id, len(SOUND))
    await gateway.pool.execute("update projects set deleting_since = now()")
    answer = await send(creator, path, 0, SOUND)
    assert (answer.status_code, answer.json()["code"]) == (409, "invalid_transition")
    assert (await begin(creator, project_id, 10)).status_code == 409
    assert partial_files(gateway) == []
    assert await stored_keys(gateway) == []

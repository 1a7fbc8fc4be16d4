"""Uploads that go past the API, straight to Supabase Storage, and what is believed of them."""

import asyncio
import os
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from cinema.client import AsyncClient
from schemas.resources.assets import AssetState
from schemas.resources.uploads import UploadTicket
from stores import Bucket, Pool
from stores.supabase_storage import SupabaseObjects
from tests.api.gateway import Gateway, serving
from tests.api.uploading import TUS, assets, metadata, recording
from tests.stores.storage_server import StorageServer, Trouble

pytestmark = pytest.mark.postgres

SOUND = recording(20_000)
PLAYLIST = b"#EXTM3U\nfile:///etc/passwd\n"
MIB = 1 << 20
RESUMABLE = "/upload/resumable/sign"


@pytest.fixture
async def gateway(pool: Pool, tmp_path: Path, supabase_objects: SupabaseObjects) -> AsyncIterator[Gateway]:
    async with serving(pool, tmp_path / "objects", store=supabase_objects) as served:
        yield served


@pytest.fixture
async def project_id(creator: httpx.AsyncClient) -> str:
    identifier: str = (await creator.post("/projects", json={"name": "Kitchen talk"})).json()["id"]
    return identifier


async def permitted(client: httpx.AsyncClient, project_id: str, size: int, **more: Any) -> UploadTicket:
    announced = {"name": "talk.wav", "size_bytes": size, **more}
    answer = await client.post(f"/projects/{project_id}/uploads", json=announced)
    assert answer.status_code == 201, answer.text
    return UploadTicket.model_validate(answer.json())


async def stored(ticket: UploadTicket, data: bytes, **fields: str) -> int:
    """The status of the storage server's last answer to somebody with nothing but this ticket."""
    headers = {**TUS, **ticket.headers}
    async with httpx.AsyncClient(timeout=60) as browser:
        given = metadata(**{**ticket.metadata, **fields})
        created = await browser.post(
            ticket.url, headers={**headers, "Upload-Length": str(len(data)), "Upload-Metadata": given}
        )
        if created.status_code != 201:
            return created.status_code
        piece = {**headers, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        address = f"{ticket.url}/{created.headers['Location'].rpartition('/')[2]}"
        return (await browser.patch(address, headers=piece, content=data)).status_code


async def completed(client: httpx.AsyncClient, ticket: UploadTicket) -> httpx.Response:
    """The answer to word that all is there, once somebody has had the time to look at it."""
    while True:
        answer = await client.post(f"/uploads/{ticket.asset_id}/complete")
        if answer.status_code != 200 or answer.json()["state"] != "uploading":
            return answer
        await asyncio.sleep(0.2)


async def tidied(gateway: Gateway) -> None:
    await gateway.app.state.context.finisher.tidy()


async def keys(objects: SupabaseObjects) -> list[str]:
    return [item.key async for item in objects.list_sizes(Bucket.ASSETS)]


async def test_the_client_sends_a_file_past_the_api_through_whatever_happens(
    gateway: Gateway, storage_server: StorageServer, supabase_objects: SupabaseObjects, tmp_path: Path
) -> None:
    talk = tmp_path / "talk.wav"
    talk.write_bytes(recording(13 * MIB))
    storage_server.troubles += [
        Trouble("PATCH", RESUMABLE, cut_after=MIB),
        Trouble("PATCH", RESUMABLE, answer_lost=True),
        Trouble("PATCH", RESUMABLE, status=400),
    ]
    owner = uuid4()
    seen: list[int] = []
    async with AsyncClient(gateway.url, gateway.issuer.token(owner)) as cinema:
        project = await cinema.projects.create("Kitchen talk")
        asset = await cinema.assets.upload(project.id, talk, on_progress=lambda sent, _: seen.append(sent))
    assert (asset.state, asset.sha256) == (AssetState.READY, sha256(talk.read_bytes()).hexdigest())
    assert seen[-1] == talk.stat().st_size
    key = f"{owner}/{project.id}/uploads/{asset.id}"
    assert await keys(supabase_objects) == [key]
    assert b"".join([piece async for piece in supabase_objects.get(Bucket.ASSETS, key)]) == talk.read_bytes()
    assert storage_server.received_bytes < 13 * MIB + 4 * MIB, "nothing is sent again but what was lost"


@pytest.mark.skipif("CINEMA_TEST_SUPABASE_URL" not in os.environ, reason="no Supabase project is there for tests")
async def test_a_real_project_takes_a_file(pool: Pool, tmp_path: Path, real_supabase_objects: SupabaseObjects) -> None:
    talk = tmp_path / "talk.wav"
    talk.write_bytes(recording(7 * MIB))
    async with (
        serving(pool, tmp_path / "objects", store=real_supabase_objects) as served,
        AsyncClient(served.url, served.issuer.token(uuid4())) as cinema,
    ):
        project = await cinema.projects.create("Kitchen talk")
        asset = await cinema.assets.upload(project.id, talk)
    assert (asset.state, asset.sha256) == (AssetState.READY, sha256(talk.read_bytes()).hexdigest())


async def test_a_ticket_is_for_one_name_and_replaces_nothing(
    creator: httpx.AsyncClient, project_id: str, supabase_objects: SupabaseObjects
) -> None:
    ticket = await permitted(creator, project_id, len(SOUND))
    assert await stored(ticket, SOUND, objectName="somebody-else/talk.wav") == 400
    assert await stored(ticket, SOUND, bucketName="outputs") == 400
    assert await stored(ticket, SOUND) == 204
    ready = await completed(creator, ticket)
    assert (ready.status_code, ready.json()["state"], ready.json()["kind"]) == (200, "ready", "audio")
    assert (await completed(creator, ticket)).json() == ready.json()
    assert await stored(ticket, bytes(len(SOUND))) == 409
    (key,) = await keys(supabase_objects)
    assert b"".join([piece async for piece in supabase_objects.get(Bucket.ASSETS, key)]) == SOUND


@pytest.mark.parametrize(
    ("sent", "announced", "reason"),
    [
        (SOUND[:-1], {}, "media_damaged"),
        (SOUND, {"sha256": "0" * 64}, "media_damaged"),
        (PLAYLIST, {"size_bytes": len(PLAYLIST)}, "media_forbidden_format"),
    ],
    ids=["another size", "other bytes", "no footage"],
)
async def test_what_was_not_announced_is_refused_and_removed(  # noqa: PLR0917 (fixtures and a case)
    creator: httpx.AsyncClient,
    project_id: str,
    supabase_objects: SupabaseObjects,
    sent: bytes,
    announced: dict[str, Any],
    reason: str,
) -> None:
    ticket = await permitted(creator, project_id, **{"size": len(SOUND), **announced})
    assert await stored(ticket, sent) == 204
    assert (await completed(creator, ticket)).status_code in {410, 422}
    assert await keys(supabase_objects) == []
    (asset,) = await assets(creator, project_id)
    assert (asset["state"], asset["error"]["code"]) == ("refused", reason)
    assert (await creator.post(f"/uploads/{ticket.asset_id}/ticket")).status_code == 410


async def test_a_checksum_that_the_sender_made_up_is_not_believed(creator: httpx.AsyncClient, project_id: str) -> None:
    ticket = await permitted(creator, project_id, len(SOUND))
    assert await stored(ticket, SOUND, metadata='{"sha256": "' + "0" * 64 + '"}') == 204
    assert (await completed(creator, ticket)).status_code in {410, 422}
    (asset,) = await assets(creator, project_id)
    assert (asset["state"], asset["error"]["code"]) == ("refused", "media_damaged")


async def test_nothing_is_complete_before_it_is_there_nor_for_anybody_else(
    creator: httpx.AsyncClient, other: httpx.AsyncClient, project_id: str
) -> None:
    ticket = await permitted(creator, project_id, len(SOUND))
    assert (await creator.post(f"/uploads/{ticket.asset_id}/complete")).status_code == 409
    for order in ("complete", "ticket"):
        assert (await other.post(f"/uploads/{ticket.asset_id}/{order}")).status_code == 404


async def test_a_file_whose_sender_went_away_is_found_by_the_next_round(
    gateway: Gateway, creator: httpx.AsyncClient, project_id: str
) -> None:
    ticket = await permitted(creator, project_id, len(SOUND))
    assert await stored(ticket, SOUND) == 204
    await tidied(gateway)
    (asset,) = await assets(creator, project_id)
    assert asset["state"] == "ready"


async def test_what_was_given_up_is_removed_also_when_it_arrives_later(
    gateway: Gateway, creator: httpx.AsyncClient, project_id: str, supabase_objects: SupabaseObjects
) -> None:
    ticket = await permitted(creator, project_id, len(SOUND))
    abandoned = await permitted(creator, project_id, len(SOUND))
    assert (await creator.delete(f"/assets/{ticket.asset_id}")).status_code == 204
    assert [asset["id"] for asset in await assets(creator, project_id)] == [str(abandoned.asset_id)]
    await gateway.pool.execute("update uploads set expires_at = now() where id = $1", abandoned.asset_id)
    await tidied(gateway)
    assert await stored(ticket, SOUND) == await stored(abandoned, SOUND) == 204
    await tidied(gateway)
    assert await keys(supabase_objects) == []
    (asset,) = await assets(creator, project_id)
    assert asset["state"] == "expired"


async def test_the_store_being_away_loses_nothing(
    creator: httpx.AsyncClient, project_id: str, storage_server: StorageServer
) -> None:
    ticket = await permitted(creator, project_id, len(SOUND))
    assert await stored(ticket, SOUND) == 204
    storage_server.troubles.append(Trouble("GET", "/object/info", times=20, status=503))
    away = await creator.post(f"/uploads/{ticket.asset_id}/complete")
    assert (away.status_code, away.json()["code"]) == (503, "store_unavailable")
    storage_server.troubles.clear()
    assert (await completed(creator, ticket)).json()["state"] == "ready"

"""Footage as its creator tidies it."""

import json
from uuid import uuid4

import httpx
import pytest

from schemas.jobs import JobStatus
from tests.api.gateway import Gateway
from tests.api.uploading import TUS, assets, begun, recording, send, uploaded

pytestmark = pytest.mark.postgres

SOUND = recording(20_000)


@pytest.fixture
async def project_id(creator: httpx.AsyncClient) -> str:
    identifier: str = (await creator.post("/projects", json={"name": "Kitchen talk"})).json()["id"]
    return identifier


async def ids(client: httpx.AsyncClient, project_id: str) -> list[str]:
    return [asset["id"] for asset in await assets(client, project_id)]


@pytest.fixture
async def stored(gateway: Gateway, project_id: str) -> str:
    """A stored asset, as if it had been looked at."""
    owner = await gateway.pool.fetchval("select owner_id from projects where id = $1", project_id)
    identifier = await gateway.pool.fetchval(
        """
        insert into assets (owner_id, project_id, name, kind, object_key, size_bytes, sha256, position)
        values ($1, $2, 'talk.mp4', 'a_roll', $3, 7, $4, 0) returning id
        """,
        owner,
        project_id,
        f"{owner}/{'0' * 64}",
        "0" * 64,
    )
    return str(identifier)


async def test_assets_are_named_and_put_in_order(
    gateway: Gateway, creator: httpx.AsyncClient, project_id: str, stored: str
) -> None:
    chosen = "select in_given_order from projects where id = $1"
    assert not await gateway.pool.fetchval(chosen, project_id)
    first = (await begun(creator, project_id, 10, filename="b.mp4")).rpartition("/")[2]
    second = (await begun(creator, project_id, 10, filename="c.mp4")).rpartition("/")[2]
    assert await ids(creator, project_id) == [stored, first, second]
    order = [second, stored, first]
    answer = await creator.put(f"/projects/{project_id}/assets/order", json={"assets": order})
    assert [item["id"] for item in answer.json()["items"]] == order
    assert await gateway.pool.fetchval(chosen, project_id)
    for identifier, state in ((stored, "ready"), (first, "uploading")):
        changed = await creator.patch(f"/assets/{identifier}", json={"name": "Cutaway", "kind": "b_roll"})
        assert (changed.status_code, changed.json()["state"]) == (200, state)
        read = (await creator.get(f"/assets/{identifier}")).json()
        assert (read["name"], read["kind"]) == ("Cutaway", "b_roll")
    assert await ids(creator, project_id) == order


async def test_footage_is_described_also_while_it_arrives(creator: httpx.AsyncClient, project_id: str) -> None:
    path = await begun(creator, project_id, len(SOUND))
    asset = f"/assets/{path.rpartition('/')[2]}"
    said = {"tags": ["harbour", " dawn ", "harbour"], "description": "Boats leave."}
    told = (await creator.patch(asset, json=said)).json()
    assert (told["tags"], told["description"]) == (["harbour", "dawn"], "Boats leave.")
    assert (await send(creator, path, 0, SOUND)).status_code == 204
    assert (await creator.patch(asset, json={"tags": []})).json()["tags"] == []
    assert (await creator.get(asset)).json()["description"] == "Boats leave."


async def test_an_order_names_each_asset_once(creator: httpx.AsyncClient, project_id: str, stored: str) -> None:
    path = f"/projects/{project_id}/assets/order"
    for wrong in ([], [stored, stored], [stored, str(uuid4())], [str(uuid4())]):
        answer = await creator.put(path, json={"assets": wrong})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "body.assets"


@pytest.mark.parametrize(
    "change",
    [{}, {"kind": "film"}, {"name": ""}, {"position": 1}, {"name": "a\x00"}, {"tags": [""]}, {"tags": ["x"] * 31}],
)
async def test_a_senseless_change_is_refused(
    creator: httpx.AsyncClient, stored: str, change: dict[str, object]
) -> None:
    assert (await creator.patch(f"/assets/{stored}", content=json.dumps(change))).status_code == 422


async def test_what_is_not_yours_does_not_exist(other: httpx.AsyncClient, project_id: str, stored: str) -> None:
    for answer in (
        await other.get(f"/projects/{project_id}/assets"),
        await other.get(f"/assets/{stored}"),
        await other.patch(f"/assets/{stored}", json={"name": "mine"}),
        await other.put(f"/projects/{project_id}/assets/order", json={"assets": [stored]}),
        await other.delete(f"/assets/{stored}"),
    ):
        assert answer.status_code == 404


async def test_footage_in_use_by_a_job_is_not_deleted(
    gateway: Gateway, creator: httpx.AsyncClient, project_id: str, stored: str
) -> None:
    job = (await creator.post(f"/projects/{project_id}/jobs", json={"variants": ["hook_cut"]})).json()
    answer = await creator.delete(f"/assets/{stored}")
    assert (answer.status_code, answer.json()["code"]) == (409, "invalid_transition")
    assert (await creator.post(f"/jobs/{job['id']}/cancel", json={})).json()["status"] == JobStatus.CANCELLED
    assert (await creator.delete(f"/assets/{stored}")).status_code == 204
    assert (await creator.get(f"/assets/{stored}")).status_code == 404
    assert await ids(creator, project_id) == []
    assert await gateway.pool.fetchval("select expired_at is not null from assets where id = $1", stored)


async def test_an_asset_in_the_making_can_be_deleted(creator: httpx.AsyncClient, project_id: str) -> None:
    path = await begun(creator, project_id, len(SOUND))
    await send(creator, path, 0, SOUND[:100])
    assert (await creator.delete(f"/assets/{path.rpartition('/')[2]}")).status_code == 204
    assert (await creator.head(path, headers=TUS)).status_code == 404


async def test_an_upload_keeps_the_name_and_kind_that_it_was_given_on_its_way(
    creator: httpx.AsyncClient, project_id: str
) -> None:
    path = await begun(creator, project_id, len(SOUND))
    identifier = path.rpartition("/")[2]
    await creator.patch(f"/assets/{identifier}", json={"name": "Voice", "kind": "a_roll"})
    assert (await send(creator, path, 0, SOUND)).status_code == 204
    (asset,) = await assets(creator, project_id)
    assert (asset["id"], asset["name"], asset["kind"], asset["state"]) == (identifier, "Voice", "a_roll", "ready")
    assert (await creator.delete(path, headers=TUS)).status_code == 409
    assert (await uploaded(creator, project_id, SOUND)).status_code == 204


async def test_a_project_is_not_deleted_while_nobody_can_do_it(
    creator: httpx.AsyncClient, other: httpx.AsyncClient, project_id: str
) -> None:
    assert (await other.delete(f"/projects/{project_id}")).status_code == 404
    assert (await creator.delete(f"/projects/{project_id}")).status_code == 503
    assert not (await creator.get(f"/projects/{project_id}")).json()["deleting"]

"""Projects: a creator's own, page by page, and nobody else's."""

import httpx
import pytest

from tests.api.gateway import Gateway

pytestmark = pytest.mark.postgres


async def test_a_project_is_made_read_and_renamed(creator: httpx.AsyncClient) -> None:
    made = await creator.post("/projects", json={"name": "  Kitchen talk "})
    assert made.status_code == 201
    assert made.json()["name"] == "Kitchen talk"
    path = f"/projects/{made.json()['id']}"
    assert (await creator.get(path)).json() == made.json()
    renamed = await creator.patch(path, json={"name": "Kitchen talk, cut"})
    assert renamed.json()["name"] == "Kitchen talk, cut"
    assert (await creator.get(path)).json()["name"] == "Kitchen talk, cut"


async def test_a_list_is_read_page_by_page_newest_first(creator: httpx.AsyncClient) -> None:
    for number in range(5):
        await creator.post("/projects", json={"name": f"Talk {number}"})
    names, cursor = [], None
    for _ in range(3):
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await creator.get("/projects", params=query)).json()
        names += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert names == [f"Talk {number}" for number in (4, 3, 2, 1, 0)]
    assert cursor is None


async def test_what_is_not_yours_does_not_exist(creator: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
    mine = (await creator.post("/projects", json={"name": "Mine"})).json()
    for answer in (
        await other.get(f"/projects/{mine['id']}"),
        await other.patch(f"/projects/{mine['id']}", json={"name": "Yours"}),
    ):
        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"
    assert (await other.get("/projects")).json()["items"] == []
    assert (await creator.get(f"/projects/{mine['id']}")).json()["name"] == "Mine"


async def test_without_a_token_nothing_is_told(gateway: Gateway) -> None:
    async with gateway.stranger() as stranger:
        answer = await stranger.get("/projects")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["code"] == "unauthenticated"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.name"),
        ({"name": ""}, "body.name"),
        ({"name": "a\x00b"}, "body.name"),
        ({"name": "x" * 201}, "body.name"),
        ({"name": "Talk", "owner_id": "somebody"}, "body.owner_id"),
        ([], "body"),
    ],
)
async def test_bad_input_is_told_by_field(creator: httpx.AsyncClient, body: object, field: str) -> None:
    answer = await creator.post("/projects", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid_input"
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert "Value error" not in answer.json()["detail"], "a sentence for people"


@pytest.mark.parametrize("cursor", ["nonsense", "AAAA", "é", "=" * 40])
async def test_a_cursor_of_somebody_elses_invention_is_refused(creator: httpx.AsyncClient, cursor: str) -> None:
    answer = await creator.get("/projects", params={"cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "cursor"

"""Jobs through the API: accepted whatever is away, once for each request, and steered by nobody but their owner."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from schemas.edl import Variant
from tests.api.gateway import Gateway

pytestmark = pytest.mark.postgres

ORDER = {"variants": ["hook_cut", "vertical_reel"], "pace": "fast"}


@pytest.fixture
async def project_id(creator: httpx.AsyncClient) -> str:
    made = await creator.post("/projects", json={"name": "Kitchen talk"})
    identifier: str = made.json()["id"]
    return identifier


@pytest.fixture
async def job(creator: httpx.AsyncClient, project_id: str) -> dict[str, Any]:
    answer = await creator.post(f"/projects/{project_id}/jobs", json=ORDER)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_job_is_accepted_while_temporal_is_away(creator: httpx.AsyncClient, job: dict[str, Any]) -> None:
    assert job["status"] == "queued"
    assert [(output["variant"], output["status"]) for output in job["outputs"]] == [
        ("hook_cut", "queued"),
        ("vertical_reel", "queued"),
    ]
    assert (await creator.get(f"/jobs/{job['id']}")).json() == job
    assert (await creator.get(f"/outputs/{job['outputs'][0]['id']}")).json() == job["outputs"][0]


async def test_without_saying_which_every_output_is_made(creator: httpx.AsyncClient, project_id: str) -> None:
    made = (await creator.post(f"/projects/{project_id}/jobs", json={})).json()
    assert [output["variant"] for output in made["outputs"]] == list(Variant)


async def test_a_job_says_how_many_of_each_and_how_they_are_made(creator: httpx.AsyncClient, project_id: str) -> None:
    reels = {"variant": "vertical_reel", "count": 2, "pace": "fast", "style": "punchy", "captions": "burned"}
    order = {"outputs": [reels, {"variant": "hook_cut"}], "pace": "relaxed"}
    made = (await creator.post(f"/projects/{project_id}/jobs", json=order)).json()
    assert [(of["variant"], of["number"], of["count"]) for of in made["outputs"]] == [
        ("vertical_reel", 1, 2),
        ("vertical_reel", 2, 2),
        ("hook_cut", 1, 1),
    ]
    assert made["outputs"][1]["spec"] == {
        "pace": "fast",
        "style": "punchy",
        "captions": "burned",
        "caption_look": "boxed",
        "passage": 2,
        "passages": 2,
    }
    assert made["outputs"][2]["spec"]["pace"] == "relaxed"
    assert made["request"]["variants"] == ["vertical_reel", "hook_cut"]


async def test_a_preset_is_kept_as_the_outputs_that_it_stands_for(creator: httpx.AsyncClient, project_id: str) -> None:
    key = {"Idempotency-Key": "feed"}
    made = (await creator.post(f"/projects/{project_id}/jobs", json={"preset": "social"}, headers=key)).json()
    assert len(made["outputs"]) > len(made["request"]["outputs"]) > 1
    assert made["request"]["preset"] is None
    spelt_out = {"outputs": made["request"]["outputs"]}
    again = await creator.post(f"/projects/{project_id}/jobs", json=spelt_out, headers=key)
    assert again.json()["id"] == made["id"]


async def test_a_request_sent_again_makes_no_second_job(
    gateway: Gateway, creator: httpx.AsyncClient, project_id: str
) -> None:
    sent = [
        creator.post(f"/projects/{project_id}/jobs", json=ORDER, headers={"Idempotency-Key": "order-1"})
        for _ in range(8)
    ]
    answers = await asyncio.gather(*sent)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await gateway.pool.fetchval("select count(*) from public.jobs") == 1
    assert await gateway.pool.fetchval("select count(*) from public.outbox") == 1


async def test_a_key_is_one_orders_and_one_creators(
    creator: httpx.AsyncClient, other: httpx.AsyncClient, project_id: str
) -> None:
    key = {"Idempotency-Key": "order-1"}
    first = await creator.post(f"/projects/{project_id}/jobs", json=ORDER, headers=key)
    changed = await creator.post(f"/projects/{project_id}/jobs", json={"pace": "relaxed"}, headers=key)
    assert (changed.status_code, changed.json()["code"]) == (409, "conflict")
    theirs = (await other.post("/projects", json={"name": "Garden talk"})).json()["id"]
    elsewhere = await other.post(f"/projects/{theirs}/jobs", json=ORDER, headers=key)
    assert elsewhere.status_code == 201
    assert elsewhere.json()["id"] != first.json()["id"]


async def test_a_list_can_be_narrowed_to_a_project_and_a_state(
    creator: httpx.AsyncClient, project_id: str, job: dict[str, Any]
) -> None:
    second = (await creator.post("/projects", json={"name": "Garden talk"})).json()["id"]
    called_off = (await creator.post(f"/projects/{second}/jobs", json=ORDER)).json()
    await creator.post(f"/jobs/{called_off['id']}/cancel", json={})
    everything = (await creator.get("/jobs")).json()["items"]
    assert [found["id"] for found in everything] == [called_off["id"], job["id"]]
    assert everything[1] == job
    of_project = (await creator.get("/jobs", params={"project": project_id})).json()["items"]
    assert [found["id"] for found in of_project] == [job["id"]]
    cancelled = (await creator.get("/jobs", params={"status": "cancelled"})).json()["items"]
    assert [found["id"] for found in cancelled] == [called_off["id"]]
    first_page = (await creator.get("/jobs", params={"limit": 1})).json()
    rest = (await creator.get("/jobs", params={"limit": 1, "cursor": first_page["next_cursor"]})).json()
    assert [found["id"] for found in rest["items"]] == [job["id"]]
    assert rest["next_cursor"] is None


async def test_a_job_that_has_not_begun_is_called_off_where_it_waits(
    creator: httpx.AsyncClient, job: dict[str, Any]
) -> None:
    answer = await creator.post(f"/jobs/{job['id']}/cancel", json={})
    assert answer.status_code == 200
    assert answer.json()["status"] == "cancelled"
    assert {output["status"] for output in answer.json()["outputs"]} == {"cancelled"}


@pytest.mark.parametrize("order", ["retry", "approve", "pause", "resume"])
async def test_what_needs_temporal_says_so_while_it_is_away(
    creator: httpx.AsyncClient, job: dict[str, Any], order: str
) -> None:
    answer = await creator.post(f"/jobs/{job['id']}/{order}", json={})
    assert answer.status_code == 503
    assert answer.json()["code"] == "stack_unavailable"


@pytest.mark.parametrize("order", ["cancel", "retry", "approve", "pause", "resume"])
async def test_nobody_else_steers_or_sees_a_job(
    creator: httpx.AsyncClient, other: httpx.AsyncClient, job: dict[str, Any], order: str
) -> None:
    assert (await other.post(f"/jobs/{job['id']}/{order}", json={})).status_code == 404
    assert (await other.get(f"/jobs/{job['id']}")).status_code == 404
    assert (await other.get(f"/outputs/{job['outputs'][0]['id']}")).status_code == 404
    assert (await other.get("/jobs")).json()["items"] == []
    assert (await other.post(f"/projects/{job['project_id']}/jobs", json=ORDER)).status_code == 404
    assert (await creator.get(f"/jobs/{job['id']}")).json()["status"] == "queued"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"variants": []}, "body.variants"),
        ({"variants": ["director_cut"]}, "body.variants.0"),
        ({"pace": "breathless"}, "body.pace"),
        ({"preset": "social", "variants": ["hook_cut"]}, "body"),
        ({"preset": "festival"}, "body.preset"),
        ({"outputs": [{"variant": "hook_cut", "count": 11}]}, "body.outputs.0.count"),
        ({"outputs": [{"variant": "cinematic_full", "count": 2}]}, "body.outputs.0"),
        ({"outputs": [{"variant": "hook_cut", "count": 9}] * 3}, "body"),
        ({"outputs": [{"variant": "hook_cut"}], "variants": ["vertical_reel"]}, "body"),
        ({"language": "english"}, "body.language"),
        ({"approval": {"timeout_seconds": 1}}, "body.approval.timeout_seconds"),
        ({"owner_id": str(uuid4())}, "body.owner_id"),
    ],
)
async def test_a_bad_order_is_told_by_field(
    creator: httpx.AsyncClient, project_id: str, body: dict[str, Any], field: str
) -> None:
    answer = await creator.post(f"/projects/{project_id}/jobs", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field

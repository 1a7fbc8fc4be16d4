"""Share links: what they show, to whom, for how long, and how often."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from schemas.jobs import Job
from stores import ActingAs
from stores.shares import FREE_GUESSES, LONGEST_WAIT, wait_after
from tests.api.delivered_output import CONTENT, delivered_job
from tests.api.gateway import Gateway

pytestmark = pytest.mark.postgres

PASSWORD = "open sesame"


@pytest.fixture
async def job(gateway: Gateway, creator: httpx.AsyncClient) -> Job:
    return await delivered_job(gateway, creator)


async def share(creator: httpx.AsyncClient, job: Job, **terms: Any) -> dict[str, Any]:
    answer = await creator.post(f"/outputs/{job.outputs[0].id}/shares", json=terms)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_anyone_with_the_link_sees_the_video_and_is_counted(
    gateway: Gateway, creator: httpx.AsyncClient, job: Job
) -> None:
    made = await share(creator, job)
    async with gateway.stranger() as anyone:
        opened = await anyone.get(made["url"])
        assert opened.status_code == 200
        assert opened.headers["cache-control"] == "no-store"
        assert (opened.json()["title"], opened.json()["variant"]) == ("Kitchen talk", "hook_cut")
        assert opened.json()["duration_s"] == 4.2
        for name, content in (("video", "video"), ("thumbnail", "thumbnail"), ("captions", "vtt")):
            assert (await anyone.get(opened.json()[f"{name}_url"])).content == CONTENT[content]
    (listed,) = (await creator.get(f"/outputs/{job.outputs[0].id}/shares")).json()["items"]
    assert listed["views"] == 1
    assert listed["last_viewed_at"] is not None
    assert "token" not in listed


async def test_a_link_leads_to_the_address_of_the_api_whatever_the_request_called_it(
    gateway: Gateway, creator: httpx.AsyncClient, job: Job
) -> None:
    path = f"/outputs/{job.outputs[0].id}/shares"
    made = (await creator.post(path, json={}, headers={"Host": "inside.example:8080"})).json()
    assert made["url"] == f"{gateway.url}/s/{made['token']}"


async def test_what_is_kept_of_a_link_opens_nothing(gateway: Gateway, creator: httpx.AsyncClient, job: Job) -> None:
    made = await share(creator, job, password=PASSWORD)
    (row,) = await gateway.pool.fetch("select * from share_links")
    kept = " ".join(value.hex() if isinstance(value, bytes) else str(value) for value in row.values())
    assert len(made["token"]) == 43
    assert made["token"] not in kept
    assert PASSWORD not in kept


async def test_every_link_that_does_not_open_looks_alike(
    gateway: Gateway, creator: httpx.AsyncClient, job: Job
) -> None:
    revoked, expired, used_up = [await share(creator, job, max_views=1) for _ in range(3)]
    assert (await creator.delete(f"/shares/{revoked['id']}")).status_code == 204
    assert (await creator.delete(f"/shares/{revoked['id']}")).status_code == 204
    await gateway.pool.execute("update share_links set expires_at = now() where id = $1", expired["id"])
    protected = await share(creator, job, password=PASSWORD)
    await creator.delete(f"/shares/{protected['id']}")
    async with gateway.stranger() as anyone:
        assert (await anyone.get(used_up["url"])).status_code == 200
        tokens = [made["token"] for made in (revoked, expired, used_up, protected)]
        answers = [await anyone.get(f"/s/{token}") for token in (*tokens, "x" * 43, "%00", "é")]
        answers.append(await anyone.post(f"/s/{protected['token']}", json={"password": PASSWORD}))
    for answer in answers:
        assert answer.status_code == 404
        assert {**answer.json(), "request_id": ""} == {**answers[0].json(), "request_id": ""}


async def test_a_link_ends_with_its_output_and_its_project(
    gateway: Gateway, creator: httpx.AsyncClient, job: Job
) -> None:
    made = await share(creator, job)
    async with gateway.stranger() as anyone:
        await gateway.pool.execute("update projects set deleting_since = now()")
        assert (await anyone.get(made["url"])).status_code == 404
        await gateway.pool.execute("update projects set deleting_since = null")
        assert (await anyone.get(made["url"])).status_code == 200
        await gateway.pool.execute("update job_outputs set status = 'cancelled' where status = 'queued'")
        await gateway.pool.execute("update jobs set status = 'partial'")
        await gateway.pool.execute("update job_outputs set expiring_since = now()")
        assert (await anyone.get(made["url"])).status_code == 404
    assert (await creator.post(f"/outputs/{job.outputs[0].id}/shares", json={})).status_code == 409


async def test_however_many_open_it_at_once_a_link_shows_no_more_than_its_views(
    gateway: Gateway, creator: httpx.AsyncClient, job: Job
) -> None:
    made = await share(creator, job, max_views=3)
    async with gateway.stranger() as anyone:
        answers = await asyncio.gather(*(anyone.get(made["url"]) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [404] * 5
    assert await gateway.pool.fetchval("select views from share_links") == 3


async def test_a_password_opens_and_its_absence_does_not(
    gateway: Gateway, creator: httpx.AsyncClient, job: Job
) -> None:
    made = await share(creator, job, password=PASSWORD)
    assert made["has_password"]
    async with gateway.stranger() as anyone:
        asked = await anyone.get(made["url"])
        assert (asked.status_code, asked.json()["code"]) == (403, "forbidden")
        wrong = await anyone.post(made["url"], json={"password": "Open Sesame"})
        assert wrong.status_code == 403
        assert await gateway.pool.fetchval("select views from share_links") == 0
        right = await anyone.post(made["url"], json={"password": PASSWORD})
        assert (right.status_code, right.json()["title"]) == (200, "Kitchen talk")
    assert await gateway.pool.fetchval("select views from share_links") == 1


async def test_guessing_is_slowed_down_also_for_many_at_once(
    gateway: Gateway, creator: httpx.AsyncClient, job: Job
) -> None:
    made = await share(creator, job, password=PASSWORD)
    async with gateway.stranger() as anyone:

        async def guess(password: str) -> httpx.Response:
            return await anyone.post(made["url"], json={"password": password})

        answers = await asyncio.gather(*(guess(f"guess {number}") for number in range(12)))
        assert sum(answer.status_code == 403 for answer in answers) <= FREE_GUESSES + 2
        await gateway.pool.execute("update share_links set guess_after = now() + interval '30 seconds'")
        held = await guess(PASSWORD)
        assert (held.status_code, held.json()["code"]) == (429, "rate_limited")
        assert 1 <= int(held.headers["retry-after"]) <= 30
        await gateway.pool.execute("update share_links set guess_after = now()")
        assert (await guess(PASSWORD)).status_code == 200


def test_each_wrong_password_doubles_the_wait_up_to_a_limit() -> None:
    assert [wait_after(guesses).total_seconds() for guesses in range(1, 9)] == [0, 0, 0, 0, 1, 2, 4, 8]
    assert wait_after(10_000) == LONGEST_WAIT


async def test_links_are_made_seen_and_revoked_by_their_creator_alone(
    gateway: Gateway, creator: httpx.AsyncClient, other: httpx.AsyncClient, job: Job
) -> None:
    made = await share(creator, job)
    output = job.outputs[0].id
    await other.post("/projects", json={"name": "Mine"})
    for answer in (
        await other.post(f"/outputs/{output}/shares", json={}),
        await other.get(f"/outputs/{output}/shares"),
        await other.delete(f"/shares/{made['id']}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    stranger = await gateway.pool.fetchval("select id from profiles where id <> $1", job.owner_id)
    for owner_id, seen in ((job.owner_id, 1), (stranger, 0)):
        async with ActingAs(gateway.pool, owner_id).acquire() as connection:
            assert await connection.fetchval("select count(id) from share_links") == seen
        for secret in ("token_sha256", "password"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with ActingAs(gateway.pool, owner_id).acquire() as connection:
                    await connection.fetch(f"select {secret} from share_links")


async def test_links_are_listed_page_by_page_newest_first(creator: httpx.AsyncClient, job: Job) -> None:
    made = [await share(creator, job) for _ in range(3)]
    path = f"/outputs/{job.outputs[0].id}/shares"
    first = (await creator.get(path, params={"limit": 2})).json()
    rest = (await creator.get(path, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == [item["id"] for item in reversed(made)]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"expires_at": (datetime.now(UTC) - timedelta(minutes=1)).isoformat()}, "body.expires_at"),
        ({"expires_at": (datetime.now(UTC) + timedelta(days=400)).isoformat()}, "body.expires_at"),
        ({"password": "short"}, "body.password"),
        ({"max_views": 0}, "body.max_views"),
        ({"views": 7}, "body.views"),
    ],
)
async def test_bad_terms_are_told_by_field(
    creator: httpx.AsyncClient, job: Job, terms: dict[str, Any], field: str
) -> None:
    answer = await creator.post(f"/outputs/{job.outputs[0].id}/shares", json=terms)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_what_has_no_video_yet_cannot_be_shared(creator: httpx.AsyncClient, job: Job) -> None:
    answer = await creator.post(f"/outputs/{job.outputs[1].id}/shares", json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "invalid_transition")

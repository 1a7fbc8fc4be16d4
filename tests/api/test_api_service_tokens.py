"""Tokens of programs: shown once, good for what they say, and for nothing once they are revoked."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from stores.service_tokens import MOST_TOKENS, ServiceTokens
from tests.api.gateway import Gateway

pytestmark = pytest.mark.postgres


async def issued(creator: httpx.AsyncClient, *scopes: str, **more: Any) -> dict[str, Any]:
    answer = await creator.post("/tokens", json={"name": "Nightly import", "scopes": scopes, **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def program(gateway: Gateway, secret: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=gateway.url, headers={"Authorization": f"Bearer {secret}"}, timeout=60)


async def test_a_program_does_what_its_token_says(gateway: Gateway, creator: httpx.AsyncClient) -> None:
    made = await issued(creator, "projects:write")
    assert made["secret"].startswith("cin_")
    async with program(gateway, made["secret"]) as script:
        project = (await script.post("/projects", json={"name": "By a program"})).json()
        assert (await script.get(f"/projects/{project['id']}")).status_code == 200
        refused = await script.get("/jobs")
    assert (await creator.get(f"/projects/{project['id']}")).json()["name"] == "By a program"
    assert refused.status_code == 403
    assert refused.json()["code"] == "forbidden"
    assert "jobs:read" in refused.json()["detail"]
    assert refused.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="jobs:read"'


async def test_reading_does_not_allow_to_write(gateway: Gateway, creator: httpx.AsyncClient) -> None:
    made = await issued(creator, "projects:read")
    async with program(gateway, made["secret"]) as script:
        assert (await script.get("/projects")).status_code == 200
        refused = await script.post("/projects", json={"name": "No"})
    assert refused.status_code == 403
    assert "projects:write" in refused.json()["detail"]


async def test_the_secret_is_shown_once_and_kept_nowhere(gateway: Gateway, creator: httpx.AsyncClient) -> None:
    made = await issued(creator, "jobs:read", "projects:read")
    listed = (await creator.get("/tokens")).json()["items"]
    assert listed == [made["token"]]
    assert listed[0]["scopes"] == ["projects:read", "jobs:read"]
    secret = made["secret"].split("_", 2)[2]
    row = await gateway.pool.fetchval("select t::text from public.service_tokens as t")
    assert secret not in row
    assert len(secret) == 43, "256 bits in base64"


async def test_a_revoked_token_is_refused_at_once(gateway: Gateway, creator: httpx.AsyncClient) -> None:
    made = await issued(creator, "projects:read")
    async with program(gateway, made["secret"]) as script:
        assert (await script.get("/projects")).status_code == 200
        revoked = await creator.delete(f"/tokens/{made['token']['id']}")
        assert revoked.json()["revoked_at"] is not None
        assert (await script.get("/projects")).status_code == 401
    again = await creator.delete(f"/tokens/{made['token']['id']}")
    assert again.json() == revoked.json()


async def test_an_expired_token_is_refused(gateway: Gateway, creator: httpx.AsyncClient) -> None:
    made = await issued(creator, "projects:read", expires_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    await gateway.pool.execute("update public.service_tokens set expires_at = now() - interval '1 second'")
    async with program(gateway, made["secret"]) as script:
        assert (await script.get("/projects")).status_code == 401
    past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    for never in (past, "9999-12-31T23:59:59-23:59"):
        answer = await creator.post("/tokens", json={"name": "Late", "scopes": ["jobs:read"], "expires_at": never})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "body.expires_at"


@pytest.mark.parametrize(
    "change",
    [
        lambda secret: secret[:-1] + ("A" if secret[-1] != "A" else "B"),
        lambda secret: f"cin_{UUID(int=1).hex}_{secret.split('_', 2)[2]}",
        lambda secret: secret + "A",
        lambda _: "cin_",
        lambda _: "cin_" + "x" * 10_000,
    ],
)
async def test_what_only_looks_like_a_token_is_refused(
    gateway: Gateway, creator: httpx.AsyncClient, change: Any
) -> None:
    made = await issued(creator, "projects:read")
    async with program(gateway, change(made["secret"])) as script:
        assert (await script.get("/projects")).status_code == 401


async def test_no_token_manages_tokens(gateway: Gateway, creator: httpx.AsyncClient) -> None:
    scopes = ("projects:write", "jobs:write", "webhooks:write")
    made = await issued(creator, *scopes)
    path = f"/tokens/{made['token']['id']}"
    async with program(gateway, made["secret"]) as script:
        answers = [
            await script.post("/tokens", json={"name": "More", "scopes": scopes}),
            await script.get("/tokens"),
            await script.get(path),
            await script.delete(path),
            await script.get("/audit"),
        ]
    assert [answer.status_code for answer in answers] == [403] * len(answers)


async def test_use_is_noted_once_a_minute(gateway: Gateway, creator: httpx.AsyncClient) -> None:
    made = await issued(creator, "projects:read")
    path = f"/tokens/{made['token']['id']}"
    assert made["token"]["last_used_at"] is None
    async with program(gateway, made["secret"]) as script:
        await script.get("/projects")
        first = (await creator.get(path)).json()["last_used_at"]
        await script.get("/projects")
        assert (await creator.get(path)).json()["last_used_at"] == first is not None
        await gateway.pool.execute("update public.service_tokens set last_used_at = now() - interval '61 seconds'")
        await script.get("/projects")
        assert (await creator.get(path)).json()["last_used_at"] > first


async def test_tokens_of_others_do_not_exist(creator: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
    made = await issued(creator, "projects:read")
    path = f"/tokens/{made['token']['id']}"
    assert (await other.get("/tokens")).json()["items"] == []
    assert (await other.get(path)).status_code == 404
    assert (await other.delete(path)).status_code == 404
    assert (await creator.get(path)).json()["revoked_at"] is None


async def test_there_may_be_so_many_tokens(gateway: Gateway, creator: httpx.AsyncClient) -> None:
    made = await issued(creator, "jobs:read")
    await gateway.pool.execute(
        """
        insert into public.service_tokens (owner_id, name, scopes, secret_sha256)
        select owner_id, name, scopes, secret_sha256 from public.service_tokens, generate_series(2, $1)
        """,
        MOST_TOKENS,
    )
    refused = await creator.post("/tokens", json={"name": "One more", "scopes": ["jobs:read"]})
    assert refused.status_code == 409
    await creator.delete(f"/tokens/{made['token']['id']}")
    await issued(creator, "jobs:read")


async def test_ended_tokens_are_forgotten_after_a_while(gateway: Gateway, creator: httpx.AsyncClient) -> None:
    lives = await issued(creator, "jobs:read")
    for column in ("revoked_at", "expires_at"):
        ended = await issued(creator, "jobs:read")
        await gateway.pool.execute(
            f"update public.service_tokens set {column} = now() - interval '91 days' where id = $1",
            UUID(ended["token"]["id"]),
        )
    assert await ServiceTokens(gateway.pool).forget_ended() == 2
    assert [item["id"] for item in (await creator.get("/tokens")).json()["items"]] == [lives["token"]["id"]]

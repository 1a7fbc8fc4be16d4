"""Who did what: one row for each request that would change something, for its owner, for good."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest
from prometheus_client import REGISTRY

from schemas.errors import CinemaError
from stores.audit_log import AuditLog
from tests.api.gateway import Gateway

pytestmark = pytest.mark.postgres


async def test_what_is_done_is_recorded(gateway: Gateway, creator: httpx.AsyncClient) -> None:
    made = await creator.post("/projects", json={"name": "Talk"}, headers={"X-Request-ID": "made-by-the-test"})
    path = f"/projects/{made.json()['id']}"
    await creator.get(path)
    await creator.patch(path, json={"name": ""})
    await creator.patch(f"/projects/{UUID(int=1)}", json={"name": "Nobody's"})
    token = (await creator.post("/tokens", json={"name": "Script", "scopes": ["projects:read"]})).json()
    headers = {"Authorization": f"Bearer {token['secret']}"}
    async with httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=60) as script:
        await script.patch(path, json={"name": "No"})
    entries = (await creator.get("/audit")).json()["items"][::-1]
    assert [(entry["action"], entry["outcome"], entry["status"]) for entry in entries] == [
        ("projects.create", "succeeded", 201),
        ("projects.rename", "refused", 422),
        ("projects.rename", "refused", 404),
        ("tokens.create", "succeeded", 201),
        ("projects.rename", "refused", 403),
    ]
    assert entries[0]["request_id"] == "made-by-the-test" == made.headers["x-request-id"]
    assert entries[1]["resource"] == path
    assert entries[0]["address"] == "127.0.0.1"
    assert [entry["token_id"] for entry in entries] == [None, None, None, None, token["token"]["id"]]
    assert token["secret"] not in str(entries)


async def test_the_log_is_its_owners_and_read_page_by_page(
    creator: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    for number in range(3):
        await creator.post("/projects", json={"name": f"Talk {number}"})
    assert (await other.get("/audit")).json()["items"] == []
    first = (await creator.get("/audit", params={"limit": 2})).json()
    rest = (await creator.get("/audit", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert len(first["items"]) == 2
    assert len(rest["items"]) == 1
    assert rest["next_cursor"] is None


async def test_nobody_changes_the_log(gateway: Gateway, creator: httpx.AsyncClient) -> None:
    await creator.post("/projects", json={"name": "Talk"})
    statements = (
        "update public.audit_log set status = 200",
        "delete from public.audit_log",
        "truncate public.audit_log",
    )
    for role in (None, "service_role", "authenticated", "anon"):
        for statement in statements:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with gateway.pool.acquire() as connection, connection.transaction():
                    if role is not None:
                        await connection.execute(f"set local role {role}")
                    await connection.execute(statement)
    assert await gateway.pool.fetchval("select count(*) from public.audit_log") == 1


async def test_only_what_is_old_is_forgotten(gateway: Gateway, creator: httpx.AsyncClient) -> None:
    await creator.post("/projects", json={"name": "Talk"})
    await gateway.pool.execute(
        """
        insert into public.audit_log (owner_id, action, resource, outcome, status, request_id, created_at)
        select owner_id, action, resource, outcome, status, request_id, now() - interval '400 days'
        from public.audit_log, generate_series(1, 3)
        """
    )
    assert await AuditLog(gateway.pool).forget(timedelta(days=365)) == 3
    assert await AuditLog(gateway.pool).forget(timedelta(days=30)) == 0
    with pytest.raises(CinemaError):
        await AuditLog(gateway.pool).forget(timedelta(days=29))
    assert await gateway.pool.fetchval("select count(*) from public.audit_log") == 1


async def test_what_is_done_stays_done_when_the_log_is_away(gateway: Gateway, creator: httpx.AsyncClient) -> None:
    await gateway.pool.execute("alter table public.audit_log rename to elsewhere")
    lost = REGISTRY.get_sample_value("cinema_audit_rows_lost_total") or 0
    made = await creator.post("/projects", json={"name": "Talk"})
    assert made.status_code == 201
    assert (await creator.get(f"/projects/{made.json()['id']}")).status_code == 200
    assert REGISTRY.get_sample_value("cinema_audit_rows_lost_total") == lost + 1, "whoever is on call learns of it"

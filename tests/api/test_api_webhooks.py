"""Webhooks over the API: what their owner sees, changes and sends again."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.api.gateway import Gateway

pytestmark = pytest.mark.postgres

URL = "https://hooks.example.com/cinema"


async def added(creator: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    answer = await creator.post("/webhooks", json={"url": URL, "event_types": ["job.completed"], **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def failed(gateway: Gateway) -> None:
    """Every delivery so far has been given up."""
    await gateway.pool.execute(
        "update public.webhook_deliveries set status = 'failed', settled_at = now(), last_error = 'No answer.'"
    )


async def happened(gateway: Gateway, endpoint: str, *, events: int) -> None:
    """As if that many jobs had been completed."""
    await gateway.pool.execute(
        """
        with events as (
            insert into public.webhook_events (owner_id, type, data)
            select owner_id, 'job.completed', '{}' from public.webhook_endpoints, generate_series(1, $2) where id = $1
            returning id, owner_id
        )
        insert into public.webhook_deliveries (owner_id, event_id, endpoint_id)
        select owner_id, id, $1 from events
        """,
        UUID(endpoint),
        events,
    )


async def test_an_endpoint_is_added_changed_and_removed(creator: httpx.AsyncClient) -> None:
    made = await added(creator, description="Production")
    assert made["secret"].startswith("whsec_")
    endpoint = made["endpoint"]
    path = f"/webhooks/{endpoint['id']}"
    assert (await creator.get("/webhooks")).json()["items"] == [endpoint]
    changed = await creator.patch(path, json={"event_types": ["job.failed", "job.partial"]})
    assert changed.json()["event_types"] == ["job.partial", "job.failed"]
    disabled = (await creator.post(f"{path}/disable")).json()
    assert (disabled["status"], disabled["disabled_reason"]) == ("disabled", "owner")
    assert (await creator.post(f"{path}/enable")).json()["status"] == "enabled"
    assert made["secret"] not in (await creator.get(path)).text
    assert (await creator.delete(path)).status_code == 204
    assert (await creator.get(path)).status_code == 404


async def test_a_secret_is_replaced_and_shown_once(gateway: Gateway, creator: httpx.AsyncClient) -> None:
    made = await added(creator)
    path = f"/webhooks/{made['endpoint']['id']}/rotate"
    rotated = (await creator.post(path, json={})).json()
    assert rotated["secret"] not in {made["secret"], None}
    assert await gateway.pool.fetchval("select count(*) from public.webhook_secrets") == 2
    await creator.post(path, json={"at_once": True})
    assert await gateway.pool.fetchval("select count(*) from public.webhook_secrets") == 1


async def test_a_test_is_sent_and_its_delivery_read(creator: httpx.AsyncClient) -> None:
    endpoint = (await added(creator))["endpoint"]
    sent = await creator.post(f"/webhooks/{endpoint['id']}/test")
    assert sent.status_code == 202
    assert sent.json()["event_type"] == "test.ping"
    read = (await creator.get(f"/webhooks/deliveries/{sent.json()['id']}")).json()
    assert read == {"delivery": sent.json(), "attempts": []}


async def test_deliveries_are_read_page_by_page_though_they_came_at_once(
    gateway: Gateway, creator: httpx.AsyncClient
) -> None:
    endpoint = (await added(creator))["endpoint"]
    await happened(gateway, endpoint["id"], events=5)
    path, found, cursor = f"/webhooks/{endpoint['id']}/deliveries", [], None
    for _ in range(3):
        page = (await creator.get(path, params={"limit": 2, **({"cursor": cursor} if cursor else {})})).json()
        found += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert cursor is None
    assert len(set(found)) == len(found) == 5
    assert (await creator.get(path, params={"status": "failed"})).json()["items"] == []


async def test_what_failed_is_sent_again_one_by_one_or_all(gateway: Gateway, creator: httpx.AsyncClient) -> None:
    endpoint = (await added(creator))["endpoint"]
    await happened(gateway, endpoint["id"], events=3)
    await failed(gateway)
    path = f"/webhooks/{endpoint['id']}"
    [first, *_] = (await creator.get(f"{path}/deliveries")).json()["items"]
    replayed = await creator.post(f"/webhooks/deliveries/{first['id']}/replay")
    assert replayed.status_code == 202
    assert replayed.json()["replay_of"] == first["id"]
    assert replayed.json()["event_id"] == first["event_id"]
    since = {"since": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}
    recovered = await creator.post(f"{path}/recover", json=since)
    assert (recovered.status_code, recovered.json()) == (202, {"events": 2})
    for nowhere in ("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"):
        answer = await creator.post(f"{path}/recover", json={"since": nowhere})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.since")
    await creator.post(f"{path}/disable")
    refused = await creator.post(f"{path}/recover", json=since)
    assert refused.status_code == 409
    assert refused.json()["code"] == "webhook_refused"


@pytest.mark.parametrize(
    "url", ["http://hooks.example.com/", "https://127.0.0.1/", "https://user:pw@example.com/", "nonsense", "x" * 5000]
)
async def test_an_address_that_nothing_may_be_sent_to_is_refused(creator: httpx.AsyncClient, url: str) -> None:
    answer = await creator.post("/webhooks", json={"url": url})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["body.url"]


async def test_webhooks_of_others_do_not_exist(
    gateway: Gateway, creator: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    endpoint = (await added(creator))["endpoint"]
    await happened(gateway, endpoint["id"], events=1)
    [delivery] = (await creator.get(f"/webhooks/{endpoint['id']}/deliveries")).json()["items"]
    answers = [
        await other.get(f"/webhooks/{endpoint['id']}"),
        await other.get(f"/webhooks/{endpoint['id']}/deliveries"),
        await other.post(f"/webhooks/{endpoint['id']}/rotate", json={}),
        await other.delete(f"/webhooks/{endpoint['id']}"),
        await other.get(f"/webhooks/deliveries/{delivery['id']}"),
        await other.post(f"/webhooks/deliveries/{delivery['id']}/replay"),
    ]
    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert (await other.get("/webhooks")).json()["items"] == []

"""Health: alive without its dependencies, ready only with them; errors in one shape."""

import httpx
import pytest

pytestmark = pytest.mark.unit


async def test_alive_without_anything_else(client: httpx.AsyncClient) -> None:
    assert (await client.get("/livez")).json() == {"status": "ok"}


async def test_not_ready_and_says_what_is_away(client: httpx.AsyncClient) -> None:
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"postgres": "unavailable", "temporal": "unavailable", "objects": "ok"}


async def test_an_unknown_page_is_a_problem_document(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nothing/here")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "Not Found",
        "code": "not_found",
        "request_id": answer.headers["x-request-id"],
    }


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
async def test_documentation_is_offered_only_where_asked_for(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404

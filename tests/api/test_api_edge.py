"""What every request passes: ids, headers, sizes, times, hosts, origins and rates; and streams that stay streams."""

import asyncio
import shutil
import socket
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from limits import parse
from starlette.requests import Request

from api.edge.rates import Kind, RateRules, Rates
from api.edge.rules import LARGEST_BODY, EdgeRules
from api.edge.windows import LocalWindows, SharedWindows
from stores import Pool
from tests.api.gateway import Gateway, serving

pytestmark = pytest.mark.postgres

#: Long enough for anything here on a busy machine; it bites only when something hangs.
SOON = 60


@asynccontextmanager
async def guarded(pool: Pool, folder: Path, **rules: Any) -> AsyncIterator[Gateway]:
    async with serving(pool, folder / "objects", edge=EdgeRules(**rules)) as gateway:
        _add_awkward_routes(gateway.app)
        yield gateway


def _add_awkward_routes(app: FastAPI) -> None:
    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("the password is hunter2")

    @app.get("/slow")
    async def slow() -> None:
        await asyncio.sleep(60)

    @app.post("/swallow")
    async def swallow(request: Request) -> int:
        return len(await request.body())

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"first\n"
            await asyncio.sleep(2.5)
            yield b"last\n"

        return StreamingResponse(parts(), media_type="text/event-stream")


async def test_every_answer_has_an_id_and_its_problem_names_it(creator: httpx.AsyncClient) -> None:
    asked = await creator.get("/projects", headers={"X-Request-ID": "support-case-17"})
    assert asked.headers["x-request-id"] == "support-case-17"
    made_up = await creator.get("/projects", headers={"X-Request-ID": "<script>alert(1)</script>"})
    assert made_up.headers["x-request-id"] != "<script>alert(1)</script>"
    for path in ("/nothing/here", f"/projects/{uuid4()}"):
        missing = await creator.get(path)
        assert missing.status_code == 404
        assert missing.json()["request_id"] == missing.headers["x-request-id"]


async def test_every_answer_says_how_it_may_be_used(pool: Pool, tmp_path: Path) -> None:
    async with guarded(pool, tmp_path, strict_transport=True) as gateway, gateway.client() as client:
        answers = [await client.get(path) for path in ("/projects", "/nothing", "/livez", "/broken")]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert answer.headers["cache-control"] == "no-store"


async def test_nothing_internal_is_told(pool: Pool, tmp_path: Path) -> None:
    async with guarded(pool, tmp_path) as gateway, gateway.client() as client:
        broken = await client.get("/broken", headers={"X-Request-ID": "find-me-in-the-logs"})
    assert broken.status_code == 500
    assert broken.headers["content-type"] == "application/problem+json"
    assert broken.json() == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "Something went wrong on our side.",
        "code": "internal",
        "request_id": "find-me-in-the-logs",
    }


async def test_every_error_has_a_code_and_the_id_to_ask_by(pool: Pool, tmp_path: Path) -> None:
    async with guarded(pool, tmp_path) as gateway, gateway.client() as client:
        project = (await client.post("/projects", json={"name": "Talk"})).json()["id"]
        upload = (await client.post(f"/projects/{project}/uploads", json={"name": "a", "size_bytes": 9})).json()
        path = f"/uploads/{upload['asset_id']}"
        piece = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
        of_json = {"Content-Type": "application/json"}
        digest = {**piece, "Upload-Offset": "0", "Upload-Checksum": f"sha1 {b64encode(bytes(20)).decode()}"}
        answers = {
            (404, "not_found"): await client.get("/nowhere"),
            (405, "invalid_input"): await client.put("/projects"),
            (400, "invalid_input"): await client.post("/projects", content=b"[" * 100_000, headers=of_json),
            (413, "limit_exceeded"): await client.post("/projects", content=b" " * (LARGEST_BODY + 1)),
            (412, "invalid_input"): await client.patch(path),
            (415, "invalid_input"): await client.patch(path, headers={"Tus-Resumable": "1.0.0"}),
            (409, "conflict"): await client.patch(path, headers={**piece, "Upload-Offset": "5"}),
            (460, "object_corrupt"): await client.patch(path, headers=digest, content=b"talk"),
        }
    for (status, code), answer in answers.items():
        told = answer.json()
        assert (answer.status_code, told["status"], told["code"]) == (status, status, code)
        assert told["request_id"] == answer.headers["X-Request-ID"]


async def test_a_body_is_taken_up_to_its_limit(pool: Pool, tmp_path: Path) -> None:
    async def pieces(size: int) -> AsyncIterator[bytes]:
        for _ in range(0, size, 1 << 16):
            yield b" " * (1 << 16)

    async with guarded(pool, tmp_path) as gateway, gateway.client() as client:
        assert (await client.post("/swallow", content=b" " * LARGEST_BODY)).json() == LARGEST_BODY
        announced = await client.post("/swallow", content=b" " * (LARGEST_BODY + 1))
        unannounced = await client.post("/swallow", content=pieces(2 * LARGEST_BODY))
        json_body = await client.post("/projects", content=pieces(2 * LARGEST_BODY))
    for answer in (announced, unannounced, json_body):
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["request_id"] == answer.headers["x-request-id"]


async def test_what_takes_too_long_is_ended_but_streams_go_on(pool: Pool, tmp_path: Path) -> None:
    async with guarded(pool, tmp_path, longest_s=2.0) as gateway, gateway.client() as client:
        slow = await client.get("/slow")
        assert slow.status_code == 504
        assert slow.headers["content-type"] == "application/problem+json"
        async with client.stream("GET", "/stream") as streamed:
            parts = [part async for part in streamed.aiter_raw()]
        assert b"".join(parts) == b"first\nlast\n"
        assert len(parts) == 2, "each part is sent when it is there"
        assert await _unfinished(gateway) == 408


async def _unfinished(gateway: Gateway) -> int:
    """The status that a request gets whose body never comes."""
    address = urlsplit(gateway.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(b"POST /swallow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc")
    await writer.drain()
    status = await asyncio.wait_for(reader.readline(), SOON)
    writer.close()
    return int(status.split()[1])


async def test_events_and_downloads_stream_through_every_layer(pool: Pool, tmp_path: Path) -> None:
    async with (
        guarded(pool, tmp_path, longest_s=20.0, rates=rates(), origins=("https://app.example",)) as gateway,
        gateway.client() as client,
    ):
        project = (await client.post("/projects", json={"name": "Talk"})).json()
        async with asyncio.timeout(SOON), client.stream("GET", f"/projects/{project['id']}/events") as events:
            assert events.headers["content-type"].startswith("text/event-stream")
            assert await anext(events.aiter_raw()) == b": still here\n\n"


async def test_only_our_names_are_answered_for(pool: Pool, tmp_path: Path) -> None:
    names = ("api.example.com", "*.cinema.example")
    async with guarded(pool, tmp_path, hosts=names) as gateway, gateway.stranger() as client:

        async def asking(host: str, path: str = "/projects") -> int:
            return (await client.get(path, headers={"Host": host})).status_code

        for host in ("api.example.com", "API.example.com:8443", "one.cinema.example"):
            assert await asking(host) == 401, host
        for host in ("evil.example", "cinema.example", "api.example.com.evil.example", "[", "127.0.0.1"):
            assert await asking(host) == 421, host
        assert await asking("10.0.0.7", "/livez") == 200


async def test_a_browser_lets_only_known_origins_read(pool: Pool, tmp_path: Path) -> None:
    async with guarded(pool, tmp_path, origins=("https://app.example",)) as gateway, gateway.stranger() as client:
        preflight = {
            "Origin": "https://app.example",
            "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "authorization, content-type, idempotency-key, upload-offset",
        }
        allowed = await client.options("/projects", headers=preflight)
        refused = await client.options("/projects", headers={**preflight, "Origin": "https://evil.example"})
        read = await client.get("/projects", headers={"Origin": "https://app.example"})
        unread = await client.get("/projects", headers={"Origin": "https://evil.example"})
        broken = await client.get("/broken", headers={"Origin": "https://app.example"})
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "https://app.example"
    assert "access-control-allow-credentials" not in allowed.headers
    assert refused.status_code == 400
    assert "access-control-allow-origin" not in refused.headers
    assert read.status_code == 401
    assert read.headers["access-control-allow-origin"] == "https://app.example"
    assert "Retry-After" in read.headers["access-control-expose-headers"]
    assert "access-control-allow-origin" not in unread.headers
    assert broken.status_code == 500
    assert broken.headers["access-control-allow-origin"] == "https://app.example"


def rates(**changed: str) -> Rates:
    rules = {kind: parse(changed.get(kind, "100/minute")) for kind in ("reads", "writes", "uploads", "sign_ins")}
    return Rates(RateRules(**rules, address_multiple=3), LocalWindows())


async def test_a_caller_who_asks_too_much_is_told_when_to_go_on(pool: Pool, tmp_path: Path) -> None:
    async with (
        guarded(pool, tmp_path, rates=rates(reads="3/minute")) as gateway,
        gateway.client() as client,
        gateway.client() as neighbour,
    ):
        granted = [await client.get("/projects") for _ in range(3)]
        refused = await client.get("/projects")
        written = await client.post("/projects", json={"name": "Talk"})
        beside = await neighbour.get("/projects")
    assert [answer.status_code for answer in granted] == [200] * 3
    assert [answer.headers["ratelimit"] for answer in granted] == [f'"reads";r={left};t=60' for left in (2, 1, 0)]
    assert granted[0].headers["ratelimit-policy"] == '"reads";q=3;w=60'
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "rate_limited"
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert written.status_code == 201, "writes are counted apart"
    assert beside.status_code == 200, "each caller is counted apart"


async def test_an_address_that_asks_too_much_is_held_back_whoever_it_says_it_is(pool: Pool, tmp_path: Path) -> None:
    async with guarded(pool, tmp_path, rates=rates(reads="3/minute")) as gateway, gateway.stranger() as client:
        answers = [(await client.get("/projects")).status_code for _ in range(12)]
        health = await client.get("/livez")
    assert answers == [401] * 9 + [429] * 3
    assert health.status_code == 200


async def test_a_window_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    real, moved = time.monotonic, [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: real() + moved[0])
    windows = LocalWindows()
    assert [(await windows.take("a", 2, 60)).granted for _ in range(3)] == [True, True, False]
    moved[0] = 30
    assert not (await windows.take("a", 2, 60)).granted
    moved[0] = 61
    assert (await windows.take("a", 2, 60)).granted


async def test_a_network_of_one_is_one_address() -> None:
    counting = rates(reads="1/minute")
    for last in range(3):
        assert (await counting.of_address(Kind.READS, f"2001:db8::{last}")).granted
    assert not (await counting.of_address(Kind.READS, "2001:db8::9")).granted
    assert (await counting.of_address(Kind.READS, "2001:db8:0:1::9")).granted


async def test_while_their_store_is_away_each_process_counts_for_itself() -> None:
    pytest.importorskip("redis", reason="the extra redis is not installed")
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        windows = SharedWindows(f"redis://127.0.0.1:{reserved.getsockname()[1]}")
        assert [(await windows.take("a", 1, 60)).granted for _ in range(2)] == [True, False]


async def test_processes_count_together(redis_uri: str) -> None:
    here, there = SharedWindows(redis_uri), SharedWindows(redis_uri)
    taken = [await windows.take("a", 3, 60) for windows in (here, there, here, there)]
    assert [one.granted for one in taken] == [True, True, True, False]
    assert [one.remaining for one in taken] == [2, 1, 0, 0]
    assert 0 < taken[-1].reset_s <= 60
    for windows in (here, there):
        # The library closes its connections only with the process.
        await windows._limiter.storage.bridge.storage.aclose()


@pytest.fixture
async def redis_uri(tmp_path: Path) -> AsyncIterator[str]:
    """A Redis of this test's own, where there is one to be had."""
    pytest.importorskip("redis", reason="the extra redis is not installed")
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no redis-server here")
    path = tmp_path / "redis.sock"
    process = await asyncio.create_subprocess_exec(
        program, "--port", "0", "--unixsocket", str(path), "--save", "", stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(SOON):
            while not path.exists():
                await asyncio.sleep(0.05)
        yield f"redis+unix://{path}"
    finally:
        process.terminate()
        await process.wait()

"""Requests over kept connections, at so little cost that it is the server that is measured."""

import asyncio
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from benchmarks.frame import BenchmarkError

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Load:
    """Requests answered within ``seconds``, and how long each took, in seconds."""

    seconds: float
    latencies: list[float]

    @property
    def per_s(self) -> float:
        return len(self.latencies) / self.seconds


class KeptConnection:
    """One connection of HTTP/1.1 that sends a request when the one before is answered."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 20))

    async def ask(self, request: bytes, expected: int = 200) -> bytes:
        """The answer's body. Raises BenchmarkError where its status is another."""
        self._writer.write(request)
        head = await self._reader.readuntil(_HEAD_END)
        length = _LENGTH.search(head)
        body = await self._reader.readexactly(int(length[1])) if length else b""
        if not head.startswith(b"HTTP/1.1 %d " % expected):
            raise BenchmarkError(f"Not the answer expected: {(head + body)[:500]!r}")
        return body

    def close(self) -> None:
        self._writer.close()


def get(path: str, token: str | None = None) -> bytes:
    """A GET request as it goes over the wire."""
    return _wire("GET", path, token, b"")


def post(path: str, token: str | None = None, body: bytes = b"") -> bytes:
    """A POST request of JSON as it goes over the wire."""
    return _wire("POST", path, token, body)


def _wire(method: str, path: str, token: str | None, body: bytes) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if method == "POST":
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + _HEAD_END + body


async def load(port: int, request: bytes, *, connections: int, seconds: float) -> Load:
    """The same request over several connections for some seconds, each sent when the one before is answered."""
    kept = [await KeptConnection.open(port) for _ in range(connections)]
    ends_at = time.perf_counter() + seconds

    async def one(connection: KeptConnection) -> list[float]:
        latencies = []
        while (began := time.perf_counter()) < ends_at:
            await connection.ask(request)
            latencies.append(time.perf_counter() - began)
        return latencies

    began = time.perf_counter()
    try:
        found = await asyncio.gather(*(one(connection) for connection in kept))
    finally:
        for connection in kept:
            connection.close()
    return Load(time.perf_counter() - began, [latency for latencies in found for latency in latencies])


async def one_by_one(port: int, requests: Iterable[bytes], expected: int) -> list[float]:
    """Seconds that each request took over one connection, nothing else being asked."""
    connection = await KeptConnection.open(port)
    latencies = []
    try:
        for request in requests:
            began = time.perf_counter()
            await connection.ask(request, expected)
            latencies.append(time.perf_counter() - began)
    finally:
        connection.close()
    return latencies

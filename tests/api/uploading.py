"""An upload as a tus client makes it, broken connections among it."""

import asyncio
import hashlib
import io
import random
import wave
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}


def recording(size_bytes: int = 400_000, seed: int = 1) -> bytes:
    """A sound file of about this size."""
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(random.Random(seed).randbytes(size_bytes // 2 * 2))
    return written.getvalue()


def metadata(**values: str) -> str:
    return ",".join(f"{name} {b64encode(value.encode()).decode()}".strip() for name, value in values.items())


def checksum(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm} {b64encode(hashlib.new(algorithm, data).digest()).decode()}"


async def begin(client: httpx.AsyncClient, project_id: str, length: int, **values: str) -> httpx.Response:
    given = {"project": project_id, "filename": "talk.wav", **values}
    headers = {**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata(**given)}
    return await client.post("/uploads", headers=headers)


async def begun(client: httpx.AsyncClient, project_id: str, length: int, **values: str) -> str:
    """The path of a new upload."""
    answer = await begin(client, project_id, length, **values)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


async def send(
    client: httpx.AsyncClient, path: str, offset: int, data: bytes, headers: Mapping[str, str] = {}
) -> httpx.Response:
    return await client.patch(path, content=data, headers={**PIECE, "Upload-Offset": str(offset), **headers})


async def offset_of(client: httpx.AsyncClient, path: str) -> int:
    answer = await client.head(path, headers=TUS)
    assert answer.status_code == 200, answer.status_code
    return int(answer.headers["Upload-Offset"])


async def uploaded(client: httpx.AsyncClient, project_id: str, data: bytes, **values: str) -> httpx.Response:
    """The answer to all of the bytes at once."""
    return await send(client, await begun(client, project_id, len(data), **values), 0, data)


async def assets(client: httpx.AsyncClient, project_id: str) -> list[dict[str, Any]]:
    answer = await client.get(f"/projects/{project_id}/assets")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


class Line:
    """One connection, spoken by hand, so that it can be cut in the middle of a body."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, client: httpx.AsyncClient) -> "Line":
        address = urlsplit(str(client.base_url))
        return cls(*await asyncio.open_connection(address.hostname, address.port))

    async def promise(self, client: httpx.AsyncClient, path: str, offset: int, length: int) -> None:
        """The beginning of a PATCH that is to bring ``length`` bytes."""
        headers = {
            "Host": urlsplit(str(client.base_url)).netloc,
            "Authorization": client.headers["Authorization"],
            "Content-Length": str(length),
            "Upload-Offset": str(offset),
            **PIECE,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        await self.say(f"PATCH {path} HTTP/1.1\r\n{lines}\r\n".encode())

    async def say(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def cut(self) -> None:
        """Without a word, as when a cable is pulled and the system notices."""
        self._writer.transport.abort()

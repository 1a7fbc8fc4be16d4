"""Putting a local file into Supabase Storage: in one request, or resumably above 6 MB.

Both kinds carry the file's SHA-256 as user metadata, which becomes part of the object's row in the same statement as
its new version: content and checksum appear together, or not at all.

One request: ``POST /object/{bucket}/{name}`` with the bytes as body, ``x-upsert: true`` to replace, and ``x-metadata``
(storage, ``src/storage/uploader.ts``).

Resumable: tus 1.0.0 at ``/upload/resumable`` (Supabase guide "Resumable Uploads", which fixes the chunk at 6 MB; tus
protocol, "Core" and "Creation"). ``POST`` with ``Upload-Length`` and ``Upload-Metadata`` answers with a ``Location``
that lives for 24 hours; each ``PATCH`` appends at ``Upload-Offset``; ``HEAD`` tells how far it got. Of two uploads to
one name the one that ends last stays (``x-upsert``). What is begun and not ended expires.
"""

import asyncio
import mimetypes
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from schemas.errors import CinemaError, ErrorCode
from stores.chunks import CHUNK_BYTES as PIECE_BYTES
from stores.chunks import read_step
from stores.objects import Bucket
from stores.retrying import Attempts, PassingTrouble, persistently
from stores.supabase_storage.connection import StorageConnection
from stores.supabase_storage.stored import encoded, look_up, user_metadata

#: The size of every chunk but the last, and of the largest file that goes in one request.
CHUNK_BYTES = 6 << 20

TUS = {"Tus-Resumable": "1.0.0"}
BYTES = "application/octet-stream"
#: Types that browsers show in place; all else is only ever saved.
SHOWN = frozenset({"video/mp4", "image/jpeg", "text/vtt", "application/json"})


@dataclass(frozen=True)
class Content:
    """A local file that nobody changes any more."""

    path: Path
    size_bytes: int
    sha256: str

    async def part(self, start: int, length: int) -> AsyncGenerator[bytes]:
        """That part in small pieces: whoever sends a request keeps its body longer than it needs it.

        Raises:
            CinemaError: the file has become shorter (``OBJECT_CORRUPT``).
        """
        end = start + length
        while start < end:
            piece = await read_step(partial(self._read, start, min(PIECE_BYTES, end - start)))
            if not piece:
                raise CinemaError(ErrorCode.OBJECT_CORRUPT, "The file was changed while it was stored.")
            yield piece
            start += len(piece)

    def _read(self, start: int, length: int) -> bytes:
        # Opened for each piece, so that nothing stays open where a request is given up half-way.
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(length)


@dataclass(frozen=True)
class Target:
    """Where a file goes."""

    bucket: Bucket
    key: str
    name: str

    @property
    def content_type(self) -> str:
        guessed, _ = mimetypes.guess_type(self.key)
        return guessed if guessed in SHOWN else BYTES


async def upload(connection: StorageConnection, target: Target, content: Content) -> None:
    """Puts the file in place of what is there; readers see the old content or the new.

    Raises:
        CinemaError: the store takes none so large (``MEDIA_TOO_LARGE``).
        TransientError: the store stopped answering (``STORE_UNAVAILABLE``) or is full (``DISK_FULL``).
    """
    if content.size_bytes <= CHUNK_BYTES:
        await _upload_at_once(connection, target, content)
    else:
        await _Resumable(connection, target, content).run()


async def _upload_at_once(connection: StorageConnection, target: Target, content: Content) -> None:
    headers = {
        "Content-Type": target.content_type,
        "Content-Length": str(content.size_bytes),
        "Cache-Control": "no-cache",
        "x-upsert": "true",
        "x-metadata": encoded(user_metadata(content.sha256)),
    }
    path = f"/object/{target.bucket}/{target.name}"

    async def attempt() -> None:
        async with aclosing(content.part(0, content.size_bytes)) as body:
            await connection.request("POST", path, headers=headers, content=body)

    await persistently(attempt, connection.backoff)


class _Resumable:
    """One file's way through one upload, or through several where the store forgets the first."""

    def __init__(self, connection: StorageConnection, target: Target, content: Content) -> None:
        self._connection = connection
        self._target = target
        self._content = content
        self._attempts = Attempts(connection.backoff)

    async def run(self) -> None:
        uploads = Attempts(self._connection.backoff)
        while True:
            if await self._carry_out(await self._create()):
                return
            await asyncio.sleep(uploads.pause_after(PassingTrouble("The object store lost an upload.")))

    async def _create(self) -> str:
        fields = {
            "bucketName": self._target.bucket.value,
            "objectName": self._target.name,
            "contentType": self._target.content_type,
            # Anything but a number of seconds is stored as "no-cache".
            "cacheControl": "no-cache",
            "metadata": user_metadata(self._content.sha256),
        }
        headers = {
            **TUS,
            "Upload-Length": str(self._content.size_bytes),
            "Upload-Metadata": ",".join(f"{name} {encoded(value)}" for name, value in fields.items()),
            "x-upsert": "true",
        }
        path = "/upload/resumable"
        answer = await persistently(
            lambda: self._connection.request("POST", path, headers=headers), self._connection.backoff
        )
        # Of the address only the upload's id is believed: behind a proxy its host may be another, and is never one to
        # send our key to.
        return f"{path}/{answer.headers.get('location', '').rstrip('/').rpartition('/')[2]}"

    async def _carry_out(self, path: str) -> bool:
        """Sends the file; ``False`` where the upload is gone, or ended without the object being there."""
        offset, known = 0, True
        while True:
            try:
                if not known:
                    before, offset, known = offset, await self._offset(path), True
                    if offset > before:
                        self._attempts.progressed()
                    if offset == self._content.size_bytes:
                        return await self._is_there()
                offset = await self._send(path, offset)
                self._attempts.progressed()
                if offset == self._content.size_bytes:
                    return True
            except PassingTrouble as trouble:
                known = False
                await asyncio.sleep(self._attempts.pause_after(trouble))
            except CinemaError as error:
                if error.code is ErrorCode.OBJECT_MISSING:
                    return False
                raise

    async def _send(self, path: str, offset: int) -> int:
        """Where the store is after the chunk at ``offset``."""
        length = min(CHUNK_BYTES, self._content.size_bytes - offset)
        headers = {
            **TUS,
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(length),
            "x-upsert": "true",
        }
        answer = await self._connection.request(
            "PATCH", path, headers=headers, content=self._content.part(offset, length)
        )
        return self._checked(answer, least=offset + length)

    async def _offset(self, path: str) -> int:
        return self._checked(await self._connection.request("HEAD", path, headers=TUS), least=0)

    def _checked(self, answer: httpx.Response, *, least: int) -> int:
        value = answer.headers.get("upload-offset", "")
        if not value.isdecimal() or not least <= int(value) <= self._content.size_bytes:
            raise PassingTrouble("The object store does not say how far an upload got.")
        return int(value)

    async def _is_there(self) -> bool:
        """Whether the object has this file's content, where the answer to its last chunk was lost."""
        target = self._target
        found = await persistently(
            lambda: look_up(self._connection, target.bucket, target.key, target.name), self._connection.backoff
        )
        return found is not None and found.sha256 == self._content.sha256

"""The bytes of one version of an object, through broken connections.

``GET /object/authenticated/{bucket}/{name}`` answers with the current version, whole or, asked for a ``Range``, in part
(RFC 9110, section 14). Which version that was, its ``ETag`` says. A query that differs with each version keeps caches
between us and Storage from answering with an older one.
"""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from urllib.parse import quote

import httpx

from schemas.errors import ErrorCode, TransientError
from stores.checksums import corrupt
from stores.chunks import CHUNK_BYTES
from stores.retrying import Attempts, PassingTrouble
from stores.supabase_storage.connection import StorageConnection, object_path
from stores.supabase_storage.stored import Stored, plain_etag


class Replaced(TransientError):
    """Another version lies there now."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.OBJECT_CORRUPT, "A file was changed while it was read.")


async def downloaded(connection: StorageConnection, stored: Stored, start: int, end: int) -> AsyncIterator[bytes]:
    """The bytes from ``start`` up to ``end``, which must lie within the object, taken up again where they broke off.

    Raises:
        Replaced: what is there now is another version.
        TransientError: the store stopped answering (``STORE_UNAVAILABLE``).
    """
    attempts = Attempts(connection.backoff)
    position = settled = start
    while position < end:
        try:
            async with connection.streaming(content_path(stored), range_headers(stored, position, end)) as response:
                check_answer(response, stored, position, end)
                async for data in response.aiter_raw(CHUNK_BYTES):
                    position += len(data)
                    _refuse_surplus(position, end)
                    yield data
                    if position - settled >= CHUNK_BYTES:
                        settled = position
                        attempts.progressed()
                _refuse_part(position, end)
        except PassingTrouble as trouble:
            await asyncio.sleep(attempts.pause_after(trouble))


def content_path(stored: Stored) -> str:
    return f"{object_path('authenticated', stored.bucket, stored.name)}?version={quote(stored.version, safe='')}"


def range_headers(stored: Stored, start: int, end: int) -> dict[str, str]:
    headers = {"Accept-Encoding": "identity"}
    if (start, end) != (0, stored.size_bytes):
        headers["Range"] = f"bytes={start}-{end - 1}"
    return headers


def check_answer(response: httpx.Response, stored: Stored, start: int, end: int) -> None:
    """That the answer has these bytes of this version.

    Raises:
        Replaced: it is of another version.
        PassingTrouble: it has other bytes.
    """
    etag = plain_etag(response.headers.get("etag"))
    if stored.etag is not None and etag is not None and etag != stored.etag:
        raise Replaced
    if "range" not in response.request.headers:
        return
    extent = f"bytes {start}-{end - 1}/"
    given = response.headers.get("content-range", "")
    if response.status_code != HTTPStatus.PARTIAL_CONTENT or not given.startswith(extent):
        raise PassingTrouble("The object store answered with other bytes than those that were asked for.")


def _refuse_part(position: int, end: int) -> None:
    if position < end:
        raise PassingTrouble("The object store broke off in the middle of a file.")


def _refuse_surplus(position: int, end: int) -> None:
    if position > end:
        raise corrupt()

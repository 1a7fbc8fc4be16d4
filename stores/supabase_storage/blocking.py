"""Reading objects from a thread, as a file."""

import io
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import BinaryIO, TypeVar

import httpx

from stores.objects import Bucket
from stores.range_file import BLOCK_BYTES, RangeFile
from stores.retrying import Attempts, PassingTrouble
from stores.supabase_storage.connection import StorageConnection, object_path
from stores.supabase_storage.downloading import check_answer, content_path
from stores.supabase_storage.refusals import refusal, storage_errors
from stores.supabase_storage.stored import Stored, parse_info

Result = TypeVar("Result")


def open_object(connection: StorageConnection, bucket: Bucket, key: str, name: str) -> BinaryIO:
    """The object's current version as a seekable file; reading raises ``Replaced`` once it is not current any more.

    Raises:
        CinemaError: there is none (``OBJECT_MISSING``), or the store does not answer (``STORE_UNAVAILABLE``).
    """
    reader = _Reader(connection)
    try:
        stored = reader.info(bucket, key, name)
    except BaseException:
        reader.close()
        raise
    file = RangeFile(stored.size_bytes, lambda start, length: reader.fetch(stored, start, length), reader.close)
    return io.BufferedReader(file, BLOCK_BYTES)


class _Reader:
    def __init__(self, connection: StorageConnection) -> None:
        self._backoff = connection.backoff
        self._client = connection.blocking()

    def info(self, bucket: Bucket, key: str, name: str) -> Stored:
        response = self._persistently(lambda: self._get(object_path("info/authenticated", bucket, name), {}))
        return parse_info(bucket, key, name, response)

    def fetch(self, stored: Stored, start: int, length: int) -> bytes:
        end = start + length

        def attempt() -> bytes:
            headers = {"Accept-Encoding": "identity", "Range": f"bytes={start}-{end - 1}"}
            response = self._get(content_path(stored), headers)
            check_answer(response, stored, start, end)
            if len(response.content) != length:
                raise PassingTrouble("The object store broke off in the middle of a file.")
            return response.content

        return self._persistently(attempt)

    def close(self) -> None:
        self._client.close()

    def _get(self, path: str, headers: dict[str, str]) -> httpx.Response:
        with storage_errors():
            response = self._client.get(path, headers=headers)
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            raise refusal(response)
        return response

    def _persistently(self, step: Callable[[], Result]) -> Result:
        attempts = Attempts(self._backoff)
        while True:
            try:
                return step()
            except PassingTrouble as trouble:
                time.sleep(attempts.pause_after(trouble))

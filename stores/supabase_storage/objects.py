"""Objects in Supabase Storage, as workers and the API use them."""

import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from storage3.types import CreateSignedUploadUrlOptions, SearchV2Options, SearchV2Result, URLOptions

from schemas.errors import CinemaError, ErrorCode, TransientError
from stores.checksums import corrupt
from stores.chunks import gathered
from stores.durable_files import TemporaryFile, disk_errors
from stores.object_cache import ObjectCache
from stores.objects import Bucket, ObjectSize, ObjectStat
from stores.retrying import Backoff, persistently
from stores.supabase_storage.blocking import open_object
from stores.supabase_storage.connection import StorageConnection
from stores.supabase_storage.downloading import Replaced, downloaded
from stores.supabase_storage.keys import name_prefix, object_key, object_name
from stores.supabase_storage.refusals import storage_errors
from stores.supabase_storage.stored import Stored, look_up
from stores.supabase_storage.uploading import Content, Target, upload
from stores.threads import in_thread

#: Objects asked for at once when listing; the most that Storage gives (storage, ``src/storage/object.ts``).
_LISTED_AT_ONCE = 1000
#: Versions that may come and go between looking at an object and reading its first byte.
_OVERTAKEN = 20

Result = TypeVar("Result")


@dataclass(frozen=True)
class SignedUpload:
    """A token for one name, where to use it, and how an upload names its target."""

    url: str
    token: str
    metadata: Mapping[str, str]


class SupabaseObjects:
    """An :class:`stores.objects.ObjectStore` in the Storage of a Supabase project.

    Storage keeps no SHA-256, so each upload of ours brings it along as the object's user metadata, and every full read
    is checked against it. An object that somebody else has uploaded, such as a browser with a signed address, has none:
    it is read once to make it, and this machine remembers it for that version.

    Writing needs room for the object in ``cache`` and so does :meth:`local_path`, which keeps the copy.
    """

    def __init__(self, url: str, key: str, *, cache: ObjectCache, backoff: Backoff | None = None) -> None:
        """Connects at first use.

        Args:
            url: the project's address, such as ``https://abcdefgh.supabase.co``.
            key: its service (secret) key; row-level security does not bind it.
            cache: where copies for :meth:`local_path` are kept.
            backoff: how long trouble on the way is put up with.
        """
        self._connection = StorageConnection(url, key, backoff=backoff or Backoff())
        self._cache = cache

    async def put(
        self, bucket: Bucket, key: str, chunks: AsyncIterable[bytes], *, expected_sha256: str | None = None
    ) -> ObjectStat:
        target = Target(bucket, key, object_name(key))
        # To a file first: the checksum goes with the upload's beginning, and what was lost on the way is sent again.
        file = TemporaryFile(self._cache.incoming)
        try:
            async for data in gathered(chunks):
                with disk_errors():
                    await in_thread(partial(file.write, data))
            with disk_errors():
                await in_thread(partial(file.write, b""))
            content = Content(file.path, file.size_bytes, file.sha256)
            return await self._store(target, content, expected_sha256)
        finally:
            await in_thread(file.discard)

    async def put_file(self, bucket: Bucket, key: str, path: Path, *, expected_sha256: str | None = None) -> ObjectStat:
        target = Target(bucket, key, object_name(key))
        with disk_errors():
            content = await in_thread(partial(_content_of, path))
        return await self._store(target, content, expected_sha256)

    async def get(self, bucket: Bucket, key: str) -> AsyncIterator[bytes]:
        digest = hashlib.sha256()
        read = None
        async for stored, data in self._read(bucket, key, lambda found: (0, found.size_bytes)):
            read = stored
            if data:
                digest.update(data)
                yield data
        if read is None:
            raise AssertionError("a reading always says what it has read")
        await self._check(read, digest.hexdigest())

    async def get_range(self, bucket: Bucket, key: str, start: int, length: int) -> AsyncIterator[bytes]:
        if start < 0 or length < 0:
            raise ValueError(f"there is no range of {length} bytes from {start}")
        async for _, data in self._read(bucket, key, lambda found: (start, min(start + length, found.size_bytes))):
            if data:
                yield data

    def open(self, bucket: Bucket, key: str) -> BinaryIO:
        return open_object(self._connection, bucket, key, object_name(key))

    async def local_path(self, bucket: Bucket, key: str) -> Path:
        stored = await self._current(bucket, key)
        async with self._cache.filling(stored.identity):
            with disk_errors():
                found = await in_thread(partial(self._cached, stored))
            return found or await self._download(bucket, key)

    async def local_copy(self, bucket: Bucket, key: str) -> Path | None:
        stored = await self._current(bucket, key)
        with disk_errors():
            return await in_thread(partial(self._cached, stored))

    async def stat(self, bucket: Bucket, key: str) -> ObjectStat | None:
        stored = await self._look_up(bucket, key)
        if stored is None:
            return None
        with disk_errors():
            known = stored.sha256 or await in_thread(partial(self._cache.recall, stored.identity))
        return stored.described(known or await self._sha256(stored))

    async def delete(self, bucket: Bucket, key: str) -> bool:
        """Removes the object; ``False`` also where the answer to a removal was lost and it was asked for again."""
        name = object_name(key)
        files = self._connection.control.from_(bucket)
        return bool(await self._control(lambda: files.remove([name])))

    async def list(self, bucket: Bucket, prefix: str = "") -> AsyncIterator[ObjectStat]:
        async for item in self.list_sizes(bucket, prefix):
            found = await self.stat(bucket, item.key)
            if found is not None:
                yield found

    async def list_sizes(self, bucket: Bucket, prefix: str = "") -> AsyncIterator[ObjectSize]:
        wanted = name_prefix(prefix)
        cursor: str | None = ""
        while cursor is not None:
            page = await self._page(bucket, wanted, cursor)
            for item in page.objects:
                key = object_key(item.key or item.name)
                # Storage's search may take an underscore for any character.
                if key is not None and key.startswith(prefix):
                    yield ObjectSize(bucket=bucket, key=key, size_bytes=int((item.metadata or {}).get("size", 0)))
            cursor = page.nextCursor if page.hasNext else None

    async def signed_download_url(
        self, bucket: Bucket, key: str, *, expires_in: timedelta, filename: str | None = None
    ) -> str:
        """An address of Storage itself.

        Raises:
            CinemaError: there is no such object (``OBJECT_MISSING``).
        """
        name = object_name(key)
        options: URLOptions = {} if filename is None else {"download": filename}
        files = self._connection.control.from_(bucket)
        seconds = max(1, round(expires_in.total_seconds()))
        signed = await self._control(lambda: files.create_signed_url(name, seconds, options))
        if signed["signedUrl"] is None:
            raise TransientError.store("The object store signs no addresses.")
        return signed["signedUrl"]

    async def signed_upload_url(self, bucket: Bucket, key: str, *, expires_in: timedelta, max_bytes: int) -> str:  # noqa: ARG002 (see below)
        """An address of Storage itself, which decides for how long it holds and how much it takes.

        Storage signs uploads for a time of its own, two hours unless its operator set another
        (``UPLOAD_SIGNED_URL_EXPIRATION_TIME``), and takes as much as the bucket does: whoever hands the address out
        looks at the object's size before believing in it.
        """
        name = object_name(key)
        files = self._connection.control.from_(bucket)
        options = CreateSignedUploadUrlOptions(upsert="true")
        return (await self._control(lambda: files.create_signed_upload_url(name, options)))["signed_url"]

    async def sign_resumable(self, bucket: Bucket, key: str) -> SignedUpload:
        """Leave to upload this one object by tus, where there is none: the token does not let anything be replaced."""
        name = object_name(key)
        files = self._connection.control.from_(bucket)
        signed = await self._control(lambda: files.create_signed_upload_url(name))
        metadata = {"bucketName": bucket.value, "objectName": name}
        return SignedUpload(f"{self._connection.url}/upload/resumable/sign", signed["token"], metadata)

    async def size(self, bucket: Bucket, key: str) -> int | None:
        """Bytes that lie there, as Storage says, or ``None``; nothing is read."""
        stored = await self._look_up(bucket, key)
        return None if stored is None else stored.size_bytes

    async def sweep_temporary(self) -> int:
        """Removes what killed processes left in the cache and returns how many files that were."""
        with disk_errors():
            return await in_thread(self._cache.sweep)

    async def aclose(self) -> None:
        """Closes the connections; the next call opens new ones."""
        await self._connection.aclose()

    async def _store(self, target: Target, content: Content, expected_sha256: str | None) -> ObjectStat:
        if expected_sha256 is not None and content.sha256 != expected_sha256.lower():
            raise CinemaError(ErrorCode.OBJECT_CORRUPT, "The file that arrived is not the one that was announced.")
        await upload(self._connection, target, content)
        found = await self._look_up(target.bucket, target.key)
        return ObjectStat(
            bucket=target.bucket,
            key=target.key,
            size_bytes=content.size_bytes,
            sha256=content.sha256,
            # It may have been replaced or removed by now.
            modified_at=found.modified_at if found else datetime.now(UTC),
        )

    async def _read(
        self, bucket: Bucket, key: str, span: Callable[[Stored], tuple[int, int]]
    ) -> AsyncIterator[tuple[Stored, bytes]]:
        """A span of one version, with which it is of; begun anew while nothing has been read. No bytes are one piece.

        Raises:
            Replaced: another version came in the midst of reading, or again and again before it.
        """
        for left in reversed(range(_OVERTAKEN)):
            stored = await self._current(bucket, key)
            position, end = span(stored)
            begun = False
            try:
                async for data in downloaded(self._connection, stored, position, end):
                    begun = True
                    yield stored, data
            except Replaced:
                if begun or not left:
                    raise
                continue
            if not begun:
                yield stored, b""
            return

    async def _check(self, stored: Stored, sha256: str) -> None:
        """That what was read is what was stored; where nobody has said what that was, it is remembered.

        Raises:
            CinemaError: it is not (``OBJECT_CORRUPT``).
        """
        if stored.sha256 is None:
            with disk_errors():
                await in_thread(partial(self._cache.remember, stored.identity, sha256))
        elif stored.sha256 != sha256:
            raise corrupt()

    async def _sha256(self, stored: Stored) -> str:
        digest = hashlib.sha256()
        async for data in downloaded(self._connection, stored, 0, stored.size_bytes):
            digest.update(data)
        await self._check(stored, digest.hexdigest())
        return digest.hexdigest()

    def _cached(self, stored: Stored) -> Path | None:
        sha256 = stored.sha256 or self._cache.recall(stored.identity)
        return None if sha256 is None else self._cache.find(sha256, stored.size_bytes)

    async def _download(self, bucket: Bucket, key: str) -> Path:
        file = TemporaryFile(self._cache.incoming)
        try:
            async for data in gathered(self.get(bucket, key)):
                with disk_errors():
                    await in_thread(partial(file.write, data))
            with disk_errors():
                await in_thread(partial(file.write, b""))
                return await in_thread(partial(self._cache.add, file))
        finally:
            await in_thread(file.discard)

    async def _current(self, bucket: Bucket, key: str) -> Stored:
        stored = await self._look_up(bucket, key)
        if stored is None:
            raise CinemaError(ErrorCode.OBJECT_MISSING, "This stored file does not exist.")
        return stored

    async def _look_up(self, bucket: Bucket, key: str) -> Stored | None:
        name = object_name(key)
        return await persistently(lambda: look_up(self._connection, bucket, key, name), self._connection.backoff)

    async def _page(self, bucket: Bucket, prefix: str, cursor: str) -> SearchV2Result:
        options: SearchV2Options = {"prefix": prefix, "limit": _LISTED_AT_ONCE, "with_delimiter": False}
        if cursor:
            options["cursor"] = cursor
        files = self._connection.control.from_(bucket)
        return await self._control(lambda: files.list_v2(options))

    async def _control(self, call: Callable[[], Awaitable[Result]]) -> Result:
        async def attempt() -> Result:
            with storage_errors():
                return await call()

        return await persistently(attempt, self._connection.backoff)


def _content_of(path: Path) -> Content:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return Content(path, file.tell(), digest.hexdigest())

"""Uploads that go straight to Supabase Storage, past our API.

A client gets a signed upload token for one name (``POST /object/upload/sign/{bucket}/{name}``) and sends the bytes by
tus to ``/upload/resumable/sign``, with the token as ``x-signature`` on every request (Supabase guide "Resumable
Uploads", section "Presigned uploads"; storage, ``src/http/routes/tus/lifecycle.ts``). The token lets nothing be
replaced: what was judged stays what it was. Storage holds such an upload neither to a length nor to a type, so what
arrived is held to what was announced before anybody may use it.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from schemas.errors import CinemaError, ErrorCode
from schemas.uploads import Upload
from stores.arrivals import Arrival, ArrivedFile, DirectUpload
from stores.durable_files import disk_errors
from stores.objects import Bucket
from stores.supabase_storage.objects import SupabaseObjects
from stores.supabase_storage.stored import user_metadata
from stores.supabase_storage.uploading import BYTES, CHUNK_BYTES
from stores.threads import in_thread
from stores.uploads import Uploads

#: How long Storage's tokens hold unless its operator has set another time (``UPLOAD_SIGNED_URL_EXPIRATION_TIME``).
HOLDS_FOR: Final = timedelta(hours=2)
_AT_ONCE: Final = 1_000


class StorageArrivals:
    """The :class:`stores.arrivals.Arrivals` of a Supabase project.

    An object stays where it was uploaded: in its project's folder, under its upload's id.
    """

    folder: str | None = "uploads"

    def __init__(self, objects: SupabaseObjects) -> None:
        self._objects = objects

    @asynccontextmanager
    async def held(self, upload: Upload) -> AsyncIterator[Arrival]:
        """Any number of judges may read at once; the row says whose judgement counts."""
        size = await self.arrived_bytes(upload)
        yield _StoredArrival(self._objects, _key(upload), size or 0)

    async def direct(self, upload: Upload) -> DirectUpload | None:
        signed = await self._objects.sign_resumable(Bucket.ASSETS, _key(upload))
        metadata = {**signed.metadata, "contentType": BYTES, "cacheControl": "no-cache"}
        if upload.sha256 is not None:
            metadata["metadata"] = user_metadata(upload.sha256)
        return DirectUpload(signed.url, {"x-signature": signed.token}, metadata, CHUNK_BYTES, HOLDS_FOR)

    async def arrived_bytes(self, upload: Upload) -> int | None:
        return await self._objects.size(Bucket.ASSETS, _key(upload))

    async def remove_left(self, uploads: Uploads) -> int:
        """Again and again while a token may still let somebody send what nobody wants any more."""
        removed = 0
        for key in await uploads.left_behind(_AT_ONCE, since=2 * HOLDS_FOR + timedelta(days=1)):
            removed += await self._objects.delete(Bucket.ASSETS, key)
        return removed


class _StoredArrival:
    def __init__(self, objects: SupabaseObjects, key: str, size_bytes: int) -> None:
        self._objects = objects
        self._key = key
        self._size_bytes = size_bytes

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    async def read(self) -> ArrivedFile:
        path = await self._objects.local_path(Bucket.ASSETS, self._key)
        with disk_errors():
            return ArrivedFile(path, await in_thread(partial(_sha256, path)))

    def object_key(self, sha256: str) -> str:  # noqa: ARG002 (as of all arrivals)
        return self._key

    async def keep(self, file: ArrivedFile) -> None:
        """It lies there already."""

    async def clear(self, *, accepted: bool) -> None:
        if not accepted:
            await self._objects.delete(Bucket.ASSETS, self._key)


def _key(upload: Upload) -> str:
    if upload.object_key is None:
        raise CinemaError(ErrorCode.OBJECT_MISSING, "This upload was begun on another object store; begin it again.")
    return upload.object_key


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""Uploads that come to our own API: a partial file each, in the folder of the object store that they will lie in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final
from uuid import UUID

from schemas.errors import CinemaError, ErrorCode
from schemas.uploads import Upload
from stores.arrivals import Arrival, ArrivedFile, DirectUpload
from stores.checksums import Version
from stores.durable_files import disk_errors
from stores.local_objects import LocalObjects
from stores.objects import Bucket
from stores.partial_files import PartialFile, PartialFileBusy
from stores.threads import in_thread
from stores.uploads import Uploads

_AT_ONCE: Final = 100


class LocalArrivals:
    """The :class:`stores.arrivals.Arrivals` of a store in a local folder."""

    folder: str | None = None

    def __init__(self, objects: LocalObjects) -> None:
        self._objects = objects

    @asynccontextmanager
    async def held(self, upload: Upload) -> AsyncIterator[Arrival]:
        async with held(self._objects, upload.id) as file:
            yield _LocalArrival(self._objects, upload, file)

    async def direct(self, upload: Upload) -> DirectUpload | None:  # noqa: ARG002 (as of all arrivals)
        return None

    async def arrived_bytes(self, upload: Upload) -> int | None:  # noqa: ARG002 (as of all arrivals)
        return None

    async def remove_left(self, uploads: Uploads) -> int:
        with disk_errors():
            found = await in_thread(lambda: tuple(self._objects.uploads.ids()))
        removed = 0
        for start in range(0, len(found), _AT_ONCE):
            some = found[start : start + _AT_ONCE]
            still_open = await uploads.open_among(some)
            for upload_id in (one for one in some if one not in still_open):
                removed += await self._remove_if_idle(upload_id)
        return removed

    async def _remove_if_idle(self, upload_id: UUID) -> bool:
        try:
            async with held(self._objects, upload_id) as file:
                await in_thread(file.remove)
        except PartialFileBusy:
            return False
        return True


class _LocalArrival:
    def __init__(self, objects: LocalObjects, upload: Upload, file: PartialFile) -> None:
        self._objects = objects
        self._upload = upload
        self._file = file

    @property
    def size_bytes(self) -> int:
        return self._file.size_bytes

    async def read(self) -> ArrivedFile:
        with disk_errors():
            return ArrivedFile(self._file.path, await in_thread(self._file.sha256))

    def object_key(self, sha256: str) -> str:
        """Under the owner and the content: the same file in two projects is one object."""
        return f"{self._upload.owner_id}/{sha256}"

    async def keep(self, file: ArrivedFile) -> None:
        key, version = self.object_key(file.sha256), Version(size_bytes=self.size_bytes, sha256=file.sha256)
        if not await self._is_stored(key, version):
            await self._objects.adopt(Bucket.ASSETS, key, file.path, version)

    async def clear(self, *, accepted: bool) -> None:  # noqa: ARG002 (an object has a name of its own)
        await in_thread(self._file.remove)

    async def _is_stored(self, key: str, version: Version) -> bool:
        """What is stored there, but damaged, is replaced by the bytes that have just arrived."""
        try:
            stored = await self._objects.stat(Bucket.ASSETS, key)
        except CinemaError as error:
            if error.code is not ErrorCode.OBJECT_CORRUPT:
                raise
            return False
        return stored is not None and stored.sha256 == version.sha256


@asynccontextmanager
async def held(objects: LocalObjects, upload_id: UUID) -> AsyncIterator[PartialFile]:
    """The upload's bytes, for one writer alone.

    Raises:
        PartialFileBusy: there is one already.
    """
    with disk_errors():
        file = await in_thread(partial(objects.uploads.open, upload_id))
    try:
        yield file
    finally:
        await in_thread(file.close)

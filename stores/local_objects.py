"""Objects on a local disk, behind the API's own signed addresses."""

import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from datetime import timedelta
from functools import partial
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeVar

from stores.checksums import Version, corrupt
from stores.chunks import CHUNK_BYTES, chunks_of, gathered, read_ahead
from stores.durable_files import disk_errors
from stores.object_folder import NoLinks, ObjectFolder
from stores.objects import Bucket, ObjectSize, ObjectStat
from stores.partial_files import PartialFiles
from stores.signing import UrlSigner
from stores.threads import in_thread

_LISTED_AT_ONCE = 256

Listed = TypeVar("Listed", ObjectStat, ObjectSize)


class LocalObjects:
    """An :class:`stores.objects.ObjectStore` in one folder, as :class:`stores.object_folder.ObjectFolder` keeps it.

    ``{root}/.uploads`` holds what creators are uploading, piece by piece (``uploads``).
    """

    def __init__(self, root: Path, *, base_url: str, signing_key: bytes) -> None:
        self._signer = UrlSigner(base_url, signing_key)
        with disk_errors():
            resolved = root.resolve()
            self._folder = ObjectFolder(resolved)
            self.uploads = PartialFiles(resolved / ".uploads")

    async def put(
        self, bucket: Bucket, key: str, chunks: AsyncIterable[bytes], *, expected_sha256: str | None = None
    ) -> ObjectStat:
        place = self._folder.place(bucket, key)
        file = self._folder.draft()
        try:
            async for data in gathered(chunks):
                with disk_errors():
                    await in_thread(partial(file.write, data))
            with disk_errors():
                return await in_thread(partial(self._folder.publish, place, file, expected_sha256))
        finally:
            await in_thread(file.discard)

    async def put_file(self, bucket: Bucket, key: str, path: Path, *, expected_sha256: str | None = None) -> ObjectStat:
        file = await in_thread(lambda: path.open("rb"))
        try:
            async with aclosing(chunks_of(file)) as chunks:
                return await self.put(bucket, key, chunks, expected_sha256=expected_sha256)
        finally:
            await in_thread(file.close)

    async def get(self, bucket: Bucket, key: str) -> AsyncIterator[bytes]:
        file, found = await self._opened(bucket, key)
        digest = hashlib.sha256()

        def step() -> bytes:
            data = file.read(CHUNK_BYTES)
            digest.update(data)
            return data

        try:
            async with aclosing(read_ahead(step)) as chunks:
                async for data in chunks:
                    yield data
        finally:
            await in_thread(file.close)
        if digest.hexdigest() != found.sha256:
            raise corrupt()

    async def get_range(self, bucket: Bucket, key: str, start: int, length: int) -> AsyncIterator[bytes]:
        if start < 0 or length < 0:
            raise ValueError(f"there is no range of {length} bytes from {start}")
        file, _ = await self._opened(bucket, key)
        try:
            await in_thread(partial(file.seek, start))
            async with aclosing(chunks_of(file, limit=length)) as chunks:
                async for data in chunks:
                    yield data
        finally:
            await in_thread(file.close)

    async def adopt(self, bucket: Bucket, key: str, path: Path, version: Version) -> ObjectStat:
        """Stores a durable file of this file system like :meth:`put_file`, by another name for it instead of a copy.

        The file stays where it is, and nobody may write to it any more.
        """
        place = self._folder.place(bucket, key)
        try:
            with disk_errors():
                return await in_thread(partial(self._folder.adopt, place, path, version))
        except NoLinks:
            return await self.put_file(bucket, key, path, expected_sha256=version.sha256)

    def open(self, bucket: Bucket, key: str) -> BinaryIO:
        with disk_errors():
            file, _ = self._folder.open(self._folder.place(bucket, key))
        return file

    async def local_path(self, bucket: Bucket, key: str) -> Path:
        file, _ = await self._opened(bucket, key)
        await in_thread(file.close)
        return self._folder.place(bucket, key).object

    async def local_copy(self, bucket: Bucket, key: str) -> Path | None:
        return await self.local_path(bucket, key)

    async def stat(self, bucket: Bucket, key: str) -> ObjectStat | None:
        with disk_errors():
            return await in_thread(partial(self._folder.stat, self._folder.place(bucket, key)))

    async def delete(self, bucket: Bucket, key: str) -> bool:
        with disk_errors():
            return await in_thread(partial(self._folder.delete, self._folder.place(bucket, key)))

    async def list(self, bucket: Bucket, prefix: str = "") -> AsyncIterator[ObjectStat]:
        async for item in _in_batches(self._folder.stats(bucket, prefix)):
            yield item

    async def list_sizes(self, bucket: Bucket, prefix: str = "") -> AsyncIterator[ObjectSize]:
        async for item in _in_batches(self._folder.sizes(bucket, prefix)):
            yield item

    async def signed_download_url(
        self, bucket: Bucket, key: str, *, expires_in: timedelta, filename: str | None = None
    ) -> str:
        return self._signer.download_url(bucket, key, expires_in=expires_in, filename=filename)

    async def signed_upload_url(self, bucket: Bucket, key: str, *, expires_in: timedelta, max_bytes: int) -> str:
        return self._signer.upload_url(bucket, key, expires_in=expires_in, max_bytes=max_bytes)

    def verify_download(self, bucket: Bucket, key: str, query: Mapping[str, str]) -> str | None:
        """See :meth:`stores.signing.UrlSigner.verify_download`."""
        return self._signer.verify_download(bucket, key, query)

    def verify_upload(self, bucket: Bucket, key: str, query: Mapping[str, str]) -> int:
        """See :meth:`stores.signing.UrlSigner.verify_upload`."""
        return self._signer.verify_upload(bucket, key, query)

    async def sweep_temporary(self) -> int:
        """Removes what killed writers left behind and returns how many files that were."""
        with disk_errors():
            return await in_thread(self._folder.sweep)

    async def aclose(self) -> None:
        """There is nothing to let go of."""

    async def _opened(self, bucket: Bucket, key: str) -> tuple[BufferedReader, ObjectStat]:
        with disk_errors():
            return await in_thread(partial(self._folder.open, self._folder.place(bucket, key)))


async def _in_batches(found: Iterator[Listed]) -> AsyncIterator[Listed]:
    """The same, looked for in another thread."""
    while True:
        with disk_errors():
            batch = await in_thread(lambda: tuple(islice(found, _LISTED_AT_ONCE)))
        for item in batch:
            yield item
        if len(batch) < _LISTED_AT_ONCE:
            return

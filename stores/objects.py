"""What an object store does, whoever implements it."""

from collections.abc import AsyncIterable, AsyncIterator
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Protocol

from schemas.model import Model


class Bucket(StrEnum):
    ASSETS = "assets"
    OUTPUTS = "outputs"
    ANALYSIS = "analysis"
    THUMBS = "thumbs"


class ObjectStat(Model):
    """A stored object as it is now. ``sha256`` is of its bytes, in lower-case hexadecimal."""

    bucket: Bucket
    key: str
    size_bytes: int
    sha256: str
    modified_at: datetime


class ObjectSize(Model):
    """A stored object by name and size, whatever state its bytes are in."""

    bucket: Bucket
    key: str
    size_bytes: int


class ObjectStore(Protocol):
    """Files by bucket and key, whole or not there at all, streamed at every size.

    Every method refuses a key that ``checked_key`` refuses (``NOT_FOUND``) and raises ``TransientError`` when the store
    cannot be reached (``STORE_UNAVAILABLE``) or is full (``DISK_FULL``). Reading what is not there raises
    ``OBJECT_MISSING``; reading what is not as it was stored raises ``OBJECT_CORRUPT``.
    """

    async def put(
        self, bucket: Bucket, key: str, chunks: AsyncIterable[bytes], *, expected_sha256: str | None = None
    ) -> ObjectStat:
        """Stores what ``chunks`` yields, in place of what was there; readers see the old or the new, never a part.

        Raises:
            CinemaError: the bytes do not have ``expected_sha256`` (``OBJECT_CORRUPT``); nothing was stored.
        """
        ...

    async def put_file(self, bucket: Bucket, key: str, path: Path, *, expected_sha256: str | None = None) -> ObjectStat:
        """Stores a local file like :meth:`put`."""
        ...

    def get(self, bucket: Bucket, key: str) -> AsyncIterator[bytes]:
        """The object's bytes; the last step checks them against their checksum."""
        ...

    def get_range(self, bucket: Bucket, key: str, start: int, length: int) -> AsyncIterator[bytes]:
        """``length`` bytes from ``start``, fewer where the object ends before."""
        ...

    def open(self, bucket: Bucket, key: str) -> BinaryIO:
        """The object as a seekable file, read as it is needed. Blocks: call it and read from it in a thread."""
        ...

    async def local_path(self, bucket: Bucket, key: str) -> Path:
        """A local file with the object's bytes, for a decoder to read and nobody to change."""
        ...

    async def local_copy(self, bucket: Bucket, key: str) -> Path | None:
        """The file that :meth:`local_path` would give, where that takes no download; ``None`` where it would."""
        ...

    async def stat(self, bucket: Bucket, key: str) -> ObjectStat | None:
        """What is stored there, or ``None``."""
        ...

    async def delete(self, bucket: Bucket, key: str) -> bool:
        """Removes the object and says whether there was one."""
        ...

    def list(self, bucket: Bucket, prefix: str = "") -> AsyncIterator[ObjectStat]:
        """The objects whose key starts with ``prefix``, in no particular order."""
        ...

    def list_sizes(self, bucket: Bucket, prefix: str = "") -> AsyncIterator[ObjectSize]:
        """The same without a look at the objects themselves, so that damaged ones are among them."""
        ...

    async def signed_download_url(
        self, bucket: Bucket, key: str, *, expires_in: timedelta, filename: str | None = None
    ) -> str:
        """An address from which anyone can read the object until it expires; browsers save it as ``filename``."""
        ...

    async def signed_upload_url(self, bucket: Bucket, key: str, *, expires_in: timedelta, max_bytes: int) -> str:
        """An address to which anyone can PUT this one object, up to ``max_bytes``, until it expires."""
        ...

    async def sweep_temporary(self) -> int:
        """Removes what killed processes left half-written on this machine, and returns how many files that were."""
        ...

    async def aclose(self) -> None:
        """Lets go of connections; the next call makes new ones."""
        ...

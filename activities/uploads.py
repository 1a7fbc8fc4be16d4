"""Uploads that are believed only when the store has got what was sent, to the byte."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import CinemaError, ErrorCode, TransientError
from stores import Bucket, ObjectStat, ObjectStore
from stores.threads import in_thread


async def upload_file(
    objects: ObjectStore, bucket: Bucket, key: str, path: Path, *, sha256: str | None = None
) -> ObjectStat:
    """Store a local file, whose ``sha256`` need not be computed where it is known.

    Raises:
        TransientError: it did not arrive whole, or the store is away.
    """
    sha256 = sha256 or await sha256_of(path)
    with _arriving_whole():
        return await objects.put_file(bucket, key, path, expected_sha256=sha256)


async def sha256_of(path: Path) -> str:
    """The SHA-256 of a local file's bytes, in lower-case hexadecimal."""
    return await in_thread(lambda: _sha256(path))


async def upload_bytes(objects: ObjectStore, bucket: Bucket, key: str, content: bytes) -> ObjectStat:
    """Store a small object.

    Raises:
        TransientError: it did not arrive whole, or the store is away.
    """
    with _arriving_whole():
        return await objects.put(bucket, key, _once(content), expected_sha256=hashlib.sha256(content).hexdigest())


@contextmanager
def _arriving_whole() -> Iterator[None]:
    try:
        yield
    except CinemaError as error:
        if error.code is not ErrorCode.OBJECT_CORRUPT:
            raise
        raise TransientError.store("A file did not arrive whole in the object store.") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _once(content: bytes) -> AsyncIterator[bytes]:
    """A small object's content as the stream a store takes."""
    yield content

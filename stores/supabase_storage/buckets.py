"""The buckets of a project, made as they have to be."""

from dataclasses import dataclass

from storage3 import AsyncStorageClient
from storage3.types import CreateOrUpdateBucketOptions

from schemas.errors import CinemaError, ErrorCode
from stores.objects import Bucket
from stores.retrying import Backoff, persistently
from stores.supabase_storage.connection import StorageConnection
from stores.supabase_storage.refusals import storage_errors


@dataclass(frozen=True)
class BucketsMade:
    """What had to be done."""

    created: tuple[Bucket, ...]
    changed: tuple[Bucket, ...]


async def set_up_buckets(url: str, key: str, *, file_size_limit: int, backoff: Backoff | None = None) -> BucketsMade:
    """Has every bucket there, private, for files up to ``file_size_limit`` bytes. May be run again, and at once.

    Raises:
        CinemaError: the project allows no files of that size (``MEDIA_TOO_LARGE``).
        TransientError: Storage does not answer or does not let us in (``STORE_UNAVAILABLE``).
    """
    connection = StorageConnection(url, key, backoff=backoff or Backoff())
    try:
        return await persistently(lambda: _set_up(connection.control, file_size_limit), connection.backoff)
    finally:
        await connection.aclose()


async def missing_buckets(url: str, key: str, *, backoff: Backoff) -> tuple[Bucket, ...]:
    """The buckets that are not there; errors as of :func:`set_up_buckets`."""
    connection = StorageConnection(url, key, backoff=backoff)

    async def look() -> set[str]:
        with storage_errors():
            return {found.id for found in await connection.control.list_buckets()}

    try:
        there = await persistently(look, backoff)
    finally:
        await connection.aclose()
    return tuple(bucket for bucket in Bucket if bucket not in there)


async def _set_up(control: AsyncStorageClient, file_size_limit: int) -> BucketsMade:
    options: CreateOrUpdateBucketOptions = {"public": False, "file_size_limit": file_size_limit}
    created, changed = [], []
    try:
        with storage_errors():
            there = {found.id: found for found in await control.list_buckets()}
            for bucket in Bucket:
                found = there.get(bucket)
                if found is None:
                    # Where somebody else makes it at this moment, that is a conflict, and all is looked at again.
                    await control.create_bucket(bucket, options=options)
                    created.append(bucket)
                elif found.public or found.file_size_limit != file_size_limit:
                    await control.update_bucket(bucket, options)
                    changed.append(bucket)
    except CinemaError as error:
        if error.code is not ErrorCode.MEDIA_TOO_LARGE:
            raise
        raise CinemaError(
            error.code, f"The project takes no files of {file_size_limit} bytes; raise its limit, or ask for less."
        ) from error
    return BucketsMade(tuple(created), tuple(changed))

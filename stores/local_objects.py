"""Objects on a local disk, behind the API's own signed addresses."""

import errno
import fcntl
import hashlib
import os
import stat
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeVar
from uuid import uuid4

from schemas.errors import CinemaError, ErrorCode
from stores.checksums import ChecksumRecord, Version, corrupt, identify, read_record
from stores.chunks import CHUNK_BYTES, chunks_of, gathered, read_ahead
from stores.durable_files import (
    TemporaryFile,
    disk_errors,
    is_abandoned,
    make_folder,
    move_into_place,
    sync_folder,
    write_durably,
)
from stores.object_keys import checked_key
from stores.objects import Bucket, ObjectSize, ObjectStat
from stores.partial_files import PartialFiles
from stores.signing import UrlSigner
from stores.threads import in_thread

_LISTED_AT_ONCE = 256

#: What file systems say that have no hard links (FAT), or on which a file has its most.
_WITHOUT_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV})

Listed = TypeVar("Listed", ObjectStat, ObjectSize)


class _NoLinks(Exception):
    """The file cannot have a second name."""


@dataclass(frozen=True)
class _Place:
    """Where an object and its checksum record lie."""

    bucket: Bucket
    key: str
    object: Path
    record: Path


class LocalObjects:
    """An :class:`stores.objects.ObjectStore` in one folder.

    ``{root}/{bucket}/{key}`` is the object itself, ``{root}/.checksums/{bucket}/{key}.json`` its size and SHA-256, and
    ``{root}/.incoming`` holds what is being written, in the same file system, so that publishing is a rename, and
    ``{root}/.uploads`` what creators are uploading, piece by piece (``uploads``).
    """

    def __init__(self, root: Path, *, base_url: str, signing_key: bytes) -> None:
        self._root = root.resolve()
        self._incoming = self._root / ".incoming"
        self._signer = UrlSigner(base_url, signing_key)
        with disk_errors():
            for folder in (self._incoming, *(self._root / bucket for bucket in Bucket)):
                make_folder(folder)
            self.uploads = PartialFiles(self._root / ".uploads")

    async def put(
        self, bucket: Bucket, key: str, chunks: AsyncIterable[bytes], *, expected_sha256: str | None = None
    ) -> ObjectStat:
        place = self._place(bucket, key)
        file = TemporaryFile(self._incoming)
        try:
            async for data in gathered(chunks):
                with disk_errors():
                    await in_thread(partial(file.write, data))
            with disk_errors():
                return await in_thread(partial(self._publish, place, file, expected_sha256))
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
        file, found = await self._open_in_thread(bucket, key)
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
        file, _ = await self._open_in_thread(bucket, key)
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
        place, link = self._place(bucket, key), self._incoming / f"{uuid4().hex}.part"
        try:
            with disk_errors():
                return await in_thread(partial(self._adopt, place, path, link, version))
        except _NoLinks:
            return await self.put_file(bucket, key, path, expected_sha256=version.sha256)

    def open(self, bucket: Bucket, key: str) -> BinaryIO:
        with disk_errors():
            file, _ = self._open(self._place(bucket, key))
        return file

    async def local_path(self, bucket: Bucket, key: str) -> Path:
        file, _ = await self._open_in_thread(bucket, key)
        await in_thread(file.close)
        return self._place(bucket, key).object

    async def local_copy(self, bucket: Bucket, key: str) -> Path | None:
        return await self.local_path(bucket, key)

    async def stat(self, bucket: Bucket, key: str) -> ObjectStat | None:
        with disk_errors():
            return await in_thread(partial(self._stat, self._place(bucket, key)))

    async def delete(self, bucket: Bucket, key: str) -> bool:
        with disk_errors():
            return await in_thread(partial(self._delete, self._place(bucket, key)))

    async def list(self, bucket: Bucket, prefix: str = "") -> AsyncIterator[ObjectStat]:
        async for item in _in_batches(self._stats(bucket, prefix)):
            yield item

    async def list_sizes(self, bucket: Bucket, prefix: str = "") -> AsyncIterator[ObjectSize]:
        async for item in _in_batches(self._sizes(bucket, prefix)):
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
            return await in_thread(self._sweep)

    async def aclose(self) -> None:
        """There is nothing to let go of."""

    def _place(self, bucket: Bucket, key: str) -> _Place:
        relative = checked_key(key)
        record = self._root / ".checksums" / bucket / relative.with_name(f"{relative.name}.json")
        return _Place(bucket=bucket, key=key, object=self._root / bucket / relative, record=record)

    @contextmanager
    def _locked(self, bucket: Bucket, operation: int) -> Iterator[None]:
        """Holds the bucket's lock between threads and processes, so that objects and records are seen in step."""
        with (self._root / f".{bucket}.lock").open("ab") as file:
            fcntl.flock(file, operation)
            yield

    def _publish(self, place: _Place, file: TemporaryFile, expected_sha256: str | None) -> ObjectStat:
        if expected_sha256 is not None and file.sha256 != expected_sha256.lower():
            raise CinemaError(ErrorCode.OBJECT_CORRUPT, "The file that arrived is not the one that was announced.")
        file.seal()
        return self._install(place, file.path, Version(size_bytes=file.size_bytes, sha256=file.sha256))

    def _adopt(self, place: _Place, path: Path, link: Path, version: Version) -> ObjectStat:
        try:
            os.link(path, link)
        except OSError as error:
            if error.errno in _WITHOUT_LINKS:
                raise _NoLinks from error
            raise
        try:
            return self._install(place, link, version)
        finally:
            link.unlink(missing_ok=True)

    def _install(self, place: _Place, source: Path, version: Version) -> ObjectStat:
        with self._locked(place.bucket, fcntl.LOCK_EX):
            self._make_room(place)
            before = read_record(place.record)
            self._write_record(place, version, *(before.versions if before else ()))
            move_into_place(source, place.object)
            self._write_record(place, version)
            return _describe(place, version, place.object.stat())

    def _make_room(self, place: _Place) -> None:
        _refuse_links(place)
        try:
            make_folder(place.object.parent)
        except (FileExistsError, NotADirectoryError) as error:
            raise _name_taken() from error
        if place.object.is_dir():
            raise _name_taken()
        make_folder(place.record.parent)

    def _write_record(self, place: _Place, *versions: Version) -> None:
        record = ChecksumRecord(versions=versions)
        write_durably(place.record, record.model_dump_json().encode(), temporary_folder=self._incoming)

    def _open(self, place: _Place) -> tuple[BufferedReader, ObjectStat]:
        with self._locked(place.bucket, fcntl.LOCK_SH):
            _refuse_links(place)
            file = _open_regular(place.object)
            try:
                status = os.fstat(file.fileno())
                version = identify(file, status.st_size, read_record(place.record))
            except BaseException:
                file.close()
                raise
        return file, _describe(place, version, status)

    async def _open_in_thread(self, bucket: Bucket, key: str) -> tuple[BufferedReader, ObjectStat]:
        with disk_errors():
            return await in_thread(partial(self._open, self._place(bucket, key)))

    def _stat(self, place: _Place) -> ObjectStat | None:
        try:
            file, found = self._open(place)
        except CinemaError as error:
            if error.code is ErrorCode.OBJECT_MISSING:
                return None
            raise
        file.close()
        return found

    def _delete(self, place: _Place) -> bool:
        with self._locked(place.bucket, fcntl.LOCK_EX):
            _refuse_links(place)
            # The record first: what lists objects to remove them finds the object as long as either is there.
            with suppress(FileNotFoundError, NotADirectoryError):
                place.record.unlink()
                sync_folder(place.record.parent)
            found = place.object.is_file()
            if found:
                place.object.unlink()
                sync_folder(place.object.parent)
            _remove_empty(place.object.parent, self._root / place.bucket)
            _remove_empty(place.record.parent, self._root / ".checksums" / place.bucket)
        return found

    def _stats(self, bucket: Bucket, prefix: str) -> Iterator[ObjectStat]:
        for key in _keys(self._root / bucket, prefix):
            found = self._stat_if_ours(bucket, key)
            if found is not None:
                yield found

    def _sizes(self, bucket: Bucket, prefix: str) -> Iterator[ObjectSize]:
        for key in _keys(self._root / bucket, prefix):
            found = self._size_if_ours(bucket, key)
            if found is not None:
                yield found

    def _size_if_ours(self, bucket: Bucket, key: str) -> ObjectSize | None:
        """Nothing for what was removed at this moment, and for what somebody else has put into the folder."""
        try:
            status = self._place(bucket, key).object.lstat()
        except (FileNotFoundError, CinemaError):
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return ObjectSize(bucket=bucket, key=key, size_bytes=status.st_size)

    def _stat_if_ours(self, bucket: Bucket, key: str) -> ObjectStat | None:
        """Nothing for what somebody else has put into the folder: a link, or a name that no object can have."""
        try:
            return self._stat(self._place(bucket, key))
        except CinemaError as error:
            if error.code is ErrorCode.NOT_FOUND:
                return None
            raise

    def _sweep(self) -> int:
        removed = 0
        for path in self._incoming.iterdir():
            # A writer that is alive may move or remove its own file at this moment.
            with suppress(FileNotFoundError):
                if is_abandoned(path):
                    path.unlink()
                    removed += 1
        return removed + sum(self._sweep_records(bucket) for bucket in Bucket)

    def _sweep_records(self, bucket: Bucket) -> int:
        """Removes the records of objects that never came, since their writer was killed."""
        folder = self._root / ".checksums" / bucket
        removed = 0
        for name in _keys(folder, ""):
            record, object_path = folder / name, self._root / bucket / name.removesuffix(".json")
            if object_path.exists():
                continue
            with self._locked(bucket, fcntl.LOCK_EX):
                if object_path.exists() or not record.exists():
                    continue
                record.unlink()
                _remove_empty(record.parent, folder)
                removed += 1
        return removed


async def _in_batches(found: Iterator[Listed]) -> AsyncIterator[Listed]:
    """The same, looked for in another thread."""
    while True:
        with disk_errors():
            batch = await in_thread(lambda: tuple(islice(found, _LISTED_AT_ONCE)))
        for item in batch:
            yield item
        if len(batch) < _LISTED_AT_ONCE:
            return


def _keys(folder: Path, prefix: str) -> Iterator[str]:
    for parent, folders, names in os.walk(folder, onerror=_refuse_blindness):
        inside = Path(parent).relative_to(folder)
        below = "" if inside == Path() else f"{inside.as_posix()}/"
        folders[:] = [name for name in folders if f"{below}{name}/".startswith(prefix[: len(f"{below}{name}/")])]
        yield from (f"{below}{name}" for name in names if f"{below}{name}".startswith(prefix))


def _refuse_blindness(error: OSError) -> None:
    # A folder that has just been emptied and removed holds nothing; one that cannot be read may hold anything.
    if not isinstance(error, FileNotFoundError):
        raise error


def _refuse_links(place: _Place) -> None:
    # The root is resolved; a path below it that resolves to something else goes through a symbolic link.
    if place.object.resolve() != place.object:
        raise CinemaError(ErrorCode.NOT_FOUND, "There can be no stored file with this name.")


def _open_regular(path: Path) -> BufferedReader:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _missing() from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _missing()
    return os.fdopen(descriptor, "rb")


def _describe(place: _Place, version: Version, status: os.stat_result) -> ObjectStat:
    return ObjectStat(
        bucket=place.bucket,
        key=place.key,
        size_bytes=version.size_bytes,
        sha256=version.sha256,
        modified_at=datetime.fromtimestamp(status.st_mtime, UTC),
    )


def _remove_empty(folder: Path, top: Path) -> None:
    while folder != top and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _missing() -> CinemaError:
    return CinemaError(ErrorCode.OBJECT_MISSING, "This stored file does not exist.")


def _name_taken() -> CinemaError:
    return CinemaError(ErrorCode.NOT_FOUND, "A stored file cannot lie below another, or take the place of a folder.")

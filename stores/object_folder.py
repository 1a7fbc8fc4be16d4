"""What a local object store does on its disk: whole objects under a lock, each beside what is known of its bytes.

Everything here blocks, so it is done in threads.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from uuid import uuid4

from schemas.errors import CinemaError, ErrorCode
from stores.checksums import ChecksumRecord, Version, identify, read_record
from stores.durable_files import (
    TemporaryFile,
    is_abandoned,
    make_folder,
    move_into_place,
    sync_folder,
    write_durably,
)
from stores.object_keys import checked_key
from stores.objects import Bucket, ObjectSize, ObjectStat

#: What file systems say that have no hard links (FAT), or on which a file has its most.
_WITHOUT_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV})


class NoLinks(Exception):
    """The file cannot have a second name."""


@dataclass(frozen=True)
class Place:
    """Where an object and its checksum record lie."""

    bucket: Bucket
    key: str
    object: Path
    record: Path


class ObjectFolder:
    """The objects below one folder, whose path has no link in it.

    ``{root}/{bucket}/{key}`` is the object itself, ``{root}/.checksums/{bucket}/{key}.json`` its size and SHA-256, and
    ``{root}/.incoming`` holds what is being written, in the same file system, so that publishing is a rename.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / ".incoming"
        for folder in (self._incoming, *(root / bucket for bucket in Bucket)):
            make_folder(folder)

    def draft(self) -> TemporaryFile:
        """A file to write an object to, before it is published."""
        return TemporaryFile(self._incoming)

    def place(self, bucket: Bucket, key: str) -> Place:
        """Where the object with this key lies. Raises ``NOT_FOUND`` where none can have it."""
        relative = checked_key(key)
        record = self._root / ".checksums" / bucket / relative.with_name(f"{relative.name}.json")
        return Place(bucket=bucket, key=key, object=self._root / bucket / relative, record=record)

    def publish(self, place: Place, file: TemporaryFile, expected_sha256: str | None) -> ObjectStat:
        """Make a draft that is written to its end the object, in place of the one before.

        Raises:
            CinemaError: its bytes are not those that were announced (``OBJECT_CORRUPT``).
        """
        if expected_sha256 is not None and file.sha256 != expected_sha256.lower():
            raise CinemaError(ErrorCode.OBJECT_CORRUPT, "The file that arrived is not the one that was announced.")
        file.seal()
        return self._install(place, file.path, Version(size_bytes=file.size_bytes, sha256=file.sha256))

    def adopt(self, place: Place, path: Path, version: Version) -> ObjectStat:
        """Make a durable file of this file system the object, by another name for it.

        Raises:
            NoLinks: it cannot have one.
        """
        link = self._incoming / f"{uuid4().hex}.part"
        try:
            os.link(path, link)
        except OSError as error:
            if error.errno in _WITHOUT_LINKS:
                raise NoLinks from error
            raise
        try:
            return self._install(place, link, version)
        finally:
            link.unlink(missing_ok=True)

    def open(self, place: Place) -> tuple[BufferedReader, ObjectStat]:
        """The object, opened, and what is known of it.

        Raises:
            CinemaError: there is none (``OBJECT_MISSING``), or it is not as it was stored (``OBJECT_CORRUPT``).
        """
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

    def stat(self, place: Place) -> ObjectStat | None:
        """What is known of the object, if there is one."""
        try:
            file, found = self.open(place)
        except CinemaError as error:
            if error.code is ErrorCode.OBJECT_MISSING:
                return None
            raise
        file.close()
        return found

    def delete(self, place: Place) -> bool:
        """Remove the object and its record; whether there was an object."""
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

    def stats(self, bucket: Bucket, prefix: str) -> Iterator[ObjectStat]:
        """The objects whose keys begin so, with their checksums."""
        for key in _keys(self._root / bucket, prefix):
            found = self._stat_if_ours(bucket, key)
            if found is not None:
                yield found

    def sizes(self, bucket: Bucket, prefix: str) -> Iterator[ObjectSize]:
        """The same by their sizes alone, opening none."""
        for key in _keys(self._root / bucket, prefix):
            found = self._size_if_ours(bucket, key)
            if found is not None:
                yield found

    def sweep(self) -> int:
        """Remove what killed writers left; how many files that were."""
        removed = 0
        for path in self._incoming.iterdir():
            # A writer that is alive may move or remove its own file at this moment.
            with suppress(FileNotFoundError):
                if is_abandoned(path):
                    path.unlink()
                    removed += 1
        return removed + sum(self._sweep_records(bucket) for bucket in Bucket)

    @contextmanager
    def _locked(self, bucket: Bucket, operation: int) -> Iterator[None]:
        """Holds the bucket's lock between threads and processes, so that objects and records are seen in step."""
        with (self._root / f".{bucket}.lock").open("ab") as file:
            fcntl.flock(file, operation)
            yield

    def _install(self, place: Place, source: Path, version: Version) -> ObjectStat:
        with self._locked(place.bucket, fcntl.LOCK_EX):
            self._make_room(place)
            before = read_record(place.record)
            self._write_record(place, version, *(before.versions if before else ()))
            move_into_place(source, place.object)
            self._write_record(place, version)
            return _describe(place, version, place.object.stat())

    def _make_room(self, place: Place) -> None:
        _refuse_links(place)
        try:
            make_folder(place.object.parent)
        except (FileExistsError, NotADirectoryError) as error:
            raise _name_taken() from error
        if place.object.is_dir():
            raise _name_taken()
        make_folder(place.record.parent)

    def _write_record(self, place: Place, *versions: Version) -> None:
        record = ChecksumRecord(versions=versions)
        write_durably(place.record, record.model_dump_json().encode(), temporary_folder=self._incoming)

    def _size_if_ours(self, bucket: Bucket, key: str) -> ObjectSize | None:
        """Nothing for what was removed at this moment, and for what somebody else has put into the folder."""
        try:
            status = self.place(bucket, key).object.lstat()
        except (FileNotFoundError, CinemaError):
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return ObjectSize(bucket=bucket, key=key, size_bytes=status.st_size)

    def _stat_if_ours(self, bucket: Bucket, key: str) -> ObjectStat | None:
        """Nothing for what somebody else has put into the folder: a link, or a name that no object can have."""
        try:
            return self.stat(self.place(bucket, key))
        except CinemaError as error:
            if error.code is ErrorCode.NOT_FOUND:
                return None
            raise

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


def _refuse_links(place: Place) -> None:
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


def _describe(place: Place, version: Version, status: os.stat_result) -> ObjectStat:
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

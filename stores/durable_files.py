"""File system steps that survive a power cut, and what their failures mean."""

import errno
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from uuid import uuid4

from schemas.errors import ErrorCode, TransientError

#: Seconds that making a temporary file and locking it may take apart.
LOCK_GRACE = 60.0

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turns what the operating system says of the store's disk into our errors."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise TransientError(ErrorCode.DISK_FULL, "The disk that keeps the files is full.") from error
        raise TransientError.store("The disk that keeps the files cannot be used at the moment.") from error


def sync_folder(folder: Path) -> None:
    """Makes the folder's entries durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Creates the folder and its missing parents, durably."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def move_into_place(source: Path, target: Path) -> None:
    """Renames over what is there: whoever looks sees the old file or the new one."""
    source.replace(target)
    sync_folder(target.parent)


class TemporaryFile:
    """A file being written, out of readers' sight until it is moved into place, counted and hashed on the way.

    Its writer holds a lock on it (flock), which the kernel lets go of when the process dies: by that
    :func:`is_abandoned` knows. Whoever makes one calls :meth:`discard` in the end; after a move that finds nothing to
    remove.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"{uuid4().hex}.part"
        self.size_bytes = 0
        self._digest = hashlib.sha256()
        self._file: FileIO | None = None

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, data: bytes) -> None:
        file = self._opened()
        remaining = memoryview(data)
        while remaining:
            remaining = remaining[file.write(remaining) :]
        self._digest.update(data)
        self.size_bytes += len(data)

    def seal(self) -> None:
        """Makes the content durable."""
        os.fsync(self._opened().fileno())

    def discard(self) -> None:
        if self._file is not None:
            self._file.close()
            self.path.unlink(missing_ok=True)

    def _opened(self) -> FileIO:
        if self._file is None:
            self._file = self.path.open("xb", buffering=0)
            fcntl.flock(self._file, fcntl.LOCK_EX)
        return self._file


def is_abandoned(path: Path) -> bool:
    """Whether the writer of this temporary file is dead.

    Raises:
        FileNotFoundError: it has just been moved into place or removed.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        status = os.fstat(descriptor)
        # An empty young one is being made this moment: nothing is written to it before it is locked.
        return status.st_size > 0 or time.time() - status.st_mtime > LOCK_GRACE
    finally:
        os.close(descriptor)


def write_durably(target: Path, data: bytes, *, temporary_folder: Path) -> None:
    """Puts a small file in place of what was there, atomically."""
    file = TemporaryFile(temporary_folder)
    try:
        file.write(data)
        file.seal()
        move_into_place(file.path, target)
    finally:
        file.discard()

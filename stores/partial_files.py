"""Files that arrive piece by piece, over many connections and restarts, one writer at a time."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from uuid import UUID

from schemas.errors import CinemaError, ErrorCode
from stores.durable_files import make_folder, sync_folder

_SUFFIX = ".upload"


class PartialFileBusy(CinemaError):
    """Somebody else is writing to it at this moment."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.CONFLICT, "This upload is being written to by another request.")


class PartialFile:
    """One of them, locked (flock) until it is closed; the kernel lets go when the process dies.

    All methods block: call them in a thread.
    """

    def __init__(self, path: Path, file: FileIO) -> None:
        self.path = path
        self._file = file
        self.size_bytes = os.fstat(file.fileno()).st_size

    def append(self, data: bytes | memoryview) -> None:
        """Adds ``data`` at the end; :meth:`seal` may go on in another thread meanwhile."""
        remaining = memoryview(data)
        while remaining:
            remaining = remaining[self._file.write(remaining) :]
        self.size_bytes += len(data)

    def cut(self, size_bytes: int) -> None:
        """Lets go of everything after the first ``size_bytes``, and goes on from there."""
        self._file.truncate(size_bytes)
        self._file.seek(size_bytes)
        self.size_bytes = size_bytes

    def seal(self) -> int:
        """Makes what was written so far durable, and returns how many bytes that are."""
        size_bytes = self.size_bytes
        os.fsync(self._file.fileno())
        return size_bytes

    def sha256(self) -> str:
        """Of the whole file, as it is on the disk."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def remove(self) -> None:
        """Removes the file; its lock is held until it is closed."""
        with suppress(FileNotFoundError):
            self.path.unlink()
            sync_folder(self.path.parent)

    def close(self) -> None:
        self._file.close()


class PartialFiles:
    """Partial files by id, in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        make_folder(folder)

    def open(self, upload_id: UUID) -> PartialFile:
        """The file, made if it is not there, with the right to write to it.

        Raises:
            PartialFileBusy: somebody else has that right.
        """
        path = self._folder / f"{upload_id}{_SUFFIX}"
        while True:
            file = _opened(path)
            # One that was removed while this waited is not the file of that name any more.
            if os.fstat(file.fileno()).st_nlink > 0:
                return PartialFile(path, file)
            file.close()

    def size(self, upload_id: UUID) -> int:
        """Bytes that are in the file now; 0 where there is none."""
        try:
            return (self._folder / f"{upload_id}{_SUFFIX}").lstat().st_size
        except FileNotFoundError:
            return 0

    def ids(self) -> Iterator[UUID]:
        """Of every file in the folder."""
        for path in self._folder.glob(f"*{_SUFFIX}"):
            with suppress(ValueError):
                yield UUID(path.name.removesuffix(_SUFFIX))


def _opened(path: Path) -> FileIO:
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    file = os.fdopen(descriptor, "r+b", buffering=0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if is_new:
            sync_folder(path.parent)
        file.seek(0, os.SEEK_END)
    except BlockingIOError as error:
        file.close()
        raise PartialFileBusy from error
    except BaseException:
        file.close()
        raise
    return file

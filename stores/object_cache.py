"""Copies of stored objects on a local disk, by content, for programs that can only read files.

Any number of processes share one folder. A copy appears by a rename, whole; which copy goes is decided under a lock.
"""

import asyncio
import fcntl
import hashlib
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from stores.durable_files import TemporaryFile, is_abandoned, make_folder, move_into_place, write_durably

#: Seconds that a copy is left alone after it was handed out: as long as an activity that reads it may take.
IN_USE_S = 6 * 3600.0
#: Seconds after which a copy that nobody wanted goes, room or not: what it is a copy of may have been deleted.
KEPT_S = 7 * 86_400.0
#: Seconds after which it is forgotten which content a version of an object has.
REMEMBERED_S = 30 * 86_400.0
#: Seconds between two looks whether another process has finished the same download.
_POLL_S = 0.1

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Copy:
    path: Path
    size_bytes: int
    used_at: float


class ObjectCache:
    """``{folder}/contents/{sha256}`` is a copy; its modification time is when it was last handed out.

    ``limit_bytes`` is what copies may take together; those handed out within ``in_use_s`` seconds stay even beyond it,
    as somebody may be about to open them. No copy outlasts ``KEPT_S`` seconds of not being handed out.
    """

    def __init__(self, folder: Path, *, limit_bytes: int, in_use_s: float = IN_USE_S) -> None:
        self._contents = folder / "contents"
        self._checksums = folder / "checksums"
        self._locks = folder / "locks"
        self.incoming = folder / "incoming"
        self._limit_bytes = limit_bytes
        self._in_use_s = in_use_s
        for each in (self._contents, self._checksums, self._locks, self.incoming):
            make_folder(each)

    def find(self, sha256: str, size_bytes: int) -> Path | None:
        """The copy with this content, now in use, or ``None``."""
        path = self._contents / sha256
        with self._locked(fcntl.LOCK_SH), suppress(FileNotFoundError):
            if path.stat().st_size == size_bytes:
                os.utime(path)
                return path
        return None

    def add(self, file: TemporaryFile) -> Path:
        """Keeps a finished temporary file from :attr:`incoming`; old copies go, and the oldest beyond the limit."""
        path = self._contents / file.sha256
        file.seal()
        file.path.chmod(0o444)
        os.utime(file.path)
        move_into_place(file.path, path)
        self._make_room()
        return path

    def recall(self, version: str) -> str | None:
        """The SHA-256 remembered for a version of an object."""
        try:
            return self._checksum_of(version).read_text(encoding="ascii")
        except FileNotFoundError:
            return None

    def remember(self, version: str, sha256: str) -> None:
        """That a version of an object, however it is named, has this SHA-256."""
        write_durably(self._checksum_of(version), sha256.encode(), temporary_folder=self.incoming)

    @asynccontextmanager
    async def filling(self, version: str) -> AsyncIterator[None]:
        """Held by the one process that downloads this version; others wait here and then find it."""
        # A lock for each pair of hexadecimal digits: files that never need clearing up, shared now and then.
        name = hashlib.sha256(version.encode()).hexdigest()[:2]
        with (self._locks / name).open("ab") as file:
            while not _acquired(file.fileno()):  # noqa: ASYNC110 (another process lets go of it)
                await asyncio.sleep(_POLL_S)
            yield

    def sweep(self) -> int:
        """Removes what killed processes left half-written and returns how many files that were. Old copies go too."""
        self._make_room()
        removed = 0
        for path in self.incoming.iterdir():
            # Its writer may move or remove its own file at this moment.
            with suppress(FileNotFoundError):
                if is_abandoned(path):
                    path.unlink()
                    removed += 1
        oldest = time.time() - REMEMBERED_S
        for path in self._checksums.iterdir():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < oldest:
                    path.unlink()
        return removed

    def _make_room(self) -> None:
        with self._locked(fcntl.LOCK_EX):
            copies = sorted(self._copies(), key=lambda copy: copy.used_at)
            excess = sum(copy.size_bytes for copy in copies) - self._limit_bytes
            now = time.time()
            for copy in copies:
                idle_s = now - copy.used_at
                if idle_s < (self._in_use_s if excess > 0 else KEPT_S):
                    break
                copy.path.unlink(missing_ok=True)
                excess -= copy.size_bytes
        if excess > 0:
            log.warning("copies of stored files take more than their limit, all of them in use", excess_bytes=excess)

    def _copies(self) -> Iterator[_Copy]:
        for entry in os.scandir(self._contents):
            status = entry.stat()
            yield _Copy(Path(entry.path), status.st_size, status.st_mtime)

    @contextmanager
    def _locked(self, operation: int) -> Iterator[None]:
        """So that no copy is removed between being found and being marked as in use."""
        with (self._locks / "contents").open("ab") as file:
            fcntl.flock(file, operation)
            yield

    def _checksum_of(self, version: str) -> Path:
        return self._checksums / hashlib.sha256(version.encode()).hexdigest()


def _acquired(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

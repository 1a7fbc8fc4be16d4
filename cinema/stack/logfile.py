"""Log files of children: appended to, never larger than a bound."""

from pathlib import Path

#: A log is set aside at this size, and one earlier part is kept.
LIMIT_BYTES = 10 << 20


class BoundedLog:
    """Keeps the newest part in ``path`` and the one before it in ``path.1``."""

    def __init__(self, path: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self._path = path
        self._limit = limit_bytes
        self._file = path.open("ab")

    def write(self, chunk: bytes) -> None:
        if self._file.tell() + len(chunk) > self._limit:
            self._file.close()
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
            self._file = self._path.open("ab")
        self._file.write(chunk)
        self._file.flush()

    def close(self) -> None:
        self._file.close()

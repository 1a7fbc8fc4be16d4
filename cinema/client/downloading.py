"""Downloading a file so that what lies there in the end is whole and right, or nothing does."""

import hashlib
from pathlib import Path
from typing import Final

import httpx

from cinema.client.answers import PASSING, raised
from cinema.client.attempts import ATTEMPTS, unreachable, waits
from cinema.client.steps import Fetch, Flow, Pause, Send
from schemas.errors import CinemaError, ErrorCode
from schemas.resources.files import SignedFile

PARTIAL: Final = ".part"


class _Arriving:
    """The bytes that are here so far, and their hash."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._sha256 = hashlib.sha256()
        self.size_bytes = 0

    def take(self, chunk: bytes) -> bool:
        self._file.write(chunk)
        self._sha256.update(chunk)
        self.size_bytes += len(chunk)
        return False

    def close(self) -> str:
        self._file.close()
        return self._sha256.hexdigest()


def download(file: SignedFile, path: Path) -> Flow[Path]:
    """Fetch a delivered file to ``path``, in ranges where the connection breaks; it appears once it is verified.

    Raises:
        CinemaError: its bytes are not those that were delivered (``OBJECT_CORRUPT``), or its address has expired.
        TransientError: the connection kept breaking.
    """
    partial = path.with_name(path.name + PARTIAL)
    arriving = _Arriving(partial)
    try:
        yield from _filled(file, arriving)
    finally:
        sha256 = arriving.close()
    if sha256 != file.sha256:
        partial.unlink()
        raise CinemaError(ErrorCode.OBJECT_CORRUPT, f"{file.name} did not arrive as it was delivered.")
    return partial.replace(path)


def _filled(file: SignedFile, arriving: _Arriving) -> Flow[None]:
    pauses, left = waits(), ATTEMPTS
    while left:
        before = arriving.size_bytes
        try:
            response: httpx.Response | None = yield Fetch(send=_request(file, before), into=arriving.take)
        except httpx.TransportError:
            response = None
        if arriving.size_bytes >= file.size_bytes:
            return
        if response is not None and response.status_code not in PASSING:
            raised(response)
        left = ATTEMPTS if arriving.size_bytes > before else left - 1
        yield Pause(next(pauses))
    raise unreachable()


def _request(file: SignedFile, start: int) -> Send:
    headers = {"Range": f"bytes={start}-", "If-Range": f'"{file.sha256}"'} if start else {}
    return Send(method="GET", url=file.url, headers=headers, signed=True)

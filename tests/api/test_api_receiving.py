"""The body of a request into a file, whose bytes count once they are stored for good."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from starlette.requests import ClientDisconnect

from api import receiving
from api.receiving import Reception, TooMuch
from schemas.errors import ErrorCode, TransientError
from stores.partial_files import PartialFile, PartialFiles

pytestmark = pytest.mark.unit

CONTENT = bytes(range(256)) * 4096


@pytest.fixture
def file(tmp_path: Path) -> Iterator[PartialFile]:
    file = PartialFiles(tmp_path).open(uuid4())
    yield file
    file.close()


class Counted:
    """What was said to be stored for good, and whether it was in the file by then."""

    def __init__(self, file: PartialFile) -> None:
        self._file = file
        self.all: list[int] = []

    async def __call__(self, received: int) -> None:
        assert self._file.path.stat().st_size >= received
        self.all.append(received)


async def arriving(*chunks: bytes, breaks: bool = False) -> AsyncIterator[bytes]:
    for chunk in chunks:
        await asyncio.sleep(0)
        yield chunk
    if breaks:
        raise ClientDisconnect


def pieces(size: int) -> list[bytes]:
    return [CONTENT[start : start + size] for start in range(0, len(CONTENT), size)]


@pytest.mark.parametrize("size", [999, 65_536, len(CONTENT)])
@pytest.mark.parametrize("breaks", [False, True])
async def test_all_that_arrived_is_there_in_order_and_counts(file: PartialFile, size: int, breaks: bool) -> None:
    counted = Counted(file)
    whole = await Reception(file, len(CONTENT), None, counted).take(arriving(*pieces(size), breaks=breaks))
    assert whole is not breaks
    assert file.path.read_bytes() == CONTENT
    assert counted.all == [len(CONTENT)]


async def test_a_long_body_counts_now_and_then(file: PartialFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "PIECE", 1 << 16)
    monkeypatch.setattr(receiving, "CHECKPOINT", 1 << 18)
    counted = Counted(file)

    async def slowly() -> AsyncIterator[bytes]:
        for piece in pieces(1 << 16):
            await asyncio.sleep(0.01)
            yield piece

    assert await Reception(file, len(CONTENT), None, counted).take(slowly())
    assert len(counted.all) > 2
    assert counted.all == sorted(counted.all)
    assert counted.all[-1] == len(CONTENT)


async def test_what_is_too_much_does_not_count_and_is_not_kept(file: PartialFile) -> None:
    file.append(CONTENT[:100])
    counted = Counted(file)
    with pytest.raises(TooMuch):
        await Reception(file, 1000, None, counted).take(arriving(CONTENT[100:600], CONTENT[600:1001]))
    assert file.path.read_bytes() == CONTENT[:100]
    assert counted.all == []


async def test_what_the_disk_did_not_take_does_not_count(file: PartialFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of an earlier write is told to whoever asks first, and to nobody after that."""
    monkeypatch.setattr(receiving, "PIECE", 1 << 16)
    monkeypatch.setattr(receiving, "CHECKPOINT", 1 << 18)
    told = []

    def told_once(_descriptor: int) -> None:
        if not told:
            told.append(True)
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", told_once)
    counted = Counted(file)
    with pytest.raises(TransientError) as failed:
        await Reception(file, len(CONTENT), None, counted).take(arriving(*pieces(1 << 16)))
    assert failed.value.code is ErrorCode.STORE_UNAVAILABLE
    assert counted.all == []


async def test_no_thread_writes_once_it_is_cancelled(file: PartialFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "PIECE", len(CONTENT))

    async def never_ending() -> AsyncIterator[bytes]:
        yield CONTENT
        await asyncio.sleep(60)

    taking = asyncio.create_task(Reception(file, 2 * len(CONTENT), None, Counted(file)).take(never_ending()))
    await asyncio.sleep(0.001)
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    size = file.path.stat().st_size
    assert size in {0, len(CONTENT)}
    await asyncio.sleep(0.05)
    assert file.path.stat().st_size == size


async def test_who_says_nothing_any_more_has_gone(file: PartialFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "SILENCE_S", 0.2)
    counted = Counted(file)

    async def falling_silent() -> AsyncIterator[bytes]:
        yield CONTENT[:1000]
        await asyncio.sleep(60)

    assert not await Reception(file, len(CONTENT), None, counted).take(falling_silent())
    assert file.path.read_bytes() == CONTENT[:1000]
    assert counted.all == [1000]


async def test_who_is_slow_is_heard_to_the_end(file: PartialFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "SILENCE_S", 3.0)
    monkeypatch.setattr(receiving, "MOMENT_S", 0.1)

    async def slowly() -> AsyncIterator[bytes]:
        for byte in range(8):
            await asyncio.sleep(0.4)
            yield bytes([byte])

    assert await Reception(file, 8, None, Counted(file)).take(slowly())
    assert file.path.read_bytes() == bytes(range(8))

"""The contract of an object store; every implementation goes through it by the fixture ``objects``."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import CinemaError, ErrorCode
from stores import Bucket, ObjectStore
from stores.object_keys import MAX_KEY_BYTES, MAX_SEGMENT_BYTES, checked_key
from tests.exploring import EXPLORED

pytestmark = pytest.mark.unit

KEY = "owner/project/talk.mp4"
MIB = 1 << 20

HOSTILE_KEYS = [
    pytest.param(key, id=ascii(key)[:40])
    for key in (
        "",
        ".",
        "..",
        "/",
        "/etc/passwd",
        "../outputs/theirs.mp4",
        "a/../../secret",
        "a/./b",
        "a//b",
        "a/",
        "a\\..\\b",
        "a\0b",
        "a\nb",
        "\ud800",
        "x" * (MAX_SEGMENT_BYTES + 1),
        "é" * (MAX_SEGMENT_BYTES // 2 + 1),
        "/".join(["x" * 200] * 6),
    )
]


async def stream(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def collected(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


async def put(objects: ObjectStore, key: str, *chunks: bytes) -> None:
    await objects.put(Bucket.ASSETS, key, stream(chunks))


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param([], id="no chunk"),
        pytest.param([b""], id="an empty chunk"),
        pytest.param([b"one", b"", b"two"], id="small chunks"),
        pytest.param([os.urandom(3 * MIB), b"tail"], id="a large chunk"),
        pytest.param([os.urandom(MIB)] * 3, id="chunks of our own size"),
    ],
)
async def test_what_was_put_is_got(objects: ObjectStore, chunks: list[bytes]) -> None:
    content = b"".join(chunks)
    before = datetime.now(UTC) - timedelta(seconds=2)
    stored = await objects.put(Bucket.ASSETS, KEY, stream(chunks))
    assert (stored.bucket, stored.key, stored.size_bytes) == (Bucket.ASSETS, KEY, len(content))
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    assert before < stored.modified_at < datetime.now(UTC) + timedelta(seconds=2)
    assert await objects.stat(Bucket.ASSETS, KEY) == stored
    assert await collected(objects.get(Bucket.ASSETS, KEY)) == content
    assert (await objects.local_path(Bucket.ASSETS, KEY)).read_bytes() == content


async def test_a_file_is_put_like_a_stream(objects: ObjectStore, tmp_path: Path) -> None:
    source = tmp_path / "source.bin"
    source.write_bytes(os.urandom(MIB + 17))
    sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
    stored = await objects.put_file(Bucket.OUTPUTS, KEY, source, expected_sha256=sha256.upper())
    assert stored.sha256 == sha256
    assert await collected(objects.get(Bucket.OUTPUTS, KEY)) == source.read_bytes()


async def test_buckets_are_apart(objects: ObjectStore) -> None:
    await put(objects, KEY, b"asset")
    for bucket in set(Bucket) - {Bucket.ASSETS}:
        assert await objects.stat(bucket, KEY) is None


async def test_bytes_that_are_not_the_announced_ones_are_not_stored(objects: ObjectStore) -> None:
    await put(objects, KEY, b"before")
    with pytest.raises(CinemaError) as refused:
        await objects.put(Bucket.ASSETS, KEY, stream([b"tampered"]), expected_sha256="0" * 64)
    assert refused.value.code is ErrorCode.OBJECT_CORRUPT
    assert await collected(objects.get(Bucket.ASSETS, KEY)) == b"before"


async def test_a_source_that_breaks_off_changes_nothing(objects: ObjectStore) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield os.urandom(2 * MIB)
        raise ConnectionResetError("the browser went away")

    await put(objects, KEY, b"before")
    with pytest.raises(ConnectionResetError):
        await objects.put(Bucket.ASSETS, KEY, broken())
    assert await collected(objects.get(Bucket.ASSETS, KEY)) == b"before"


async def test_putting_again_replaces(objects: ObjectStore) -> None:
    for content in (b"first", b"second, longer", b"third"):
        await put(objects, KEY, content)
        assert await collected(objects.get(Bucket.ASSETS, KEY)) == content
    assert [item.key async for item in objects.list(Bucket.ASSETS, "")] == [KEY]


async def test_writers_at_once_leave_one_of_their_versions_whole(objects: ObjectStore) -> None:
    versions = [bytes([number]) * (MIB + number % 3) for number in range(8)]
    await asyncio.gather(*(put(objects, KEY, version) for version in versions))
    assert await collected(objects.get(Bucket.ASSETS, KEY)) in versions


async def test_reading_while_writing_sees_whole_versions_only(objects: ObjectStore) -> None:
    versions = [bytes([number]) * (MIB + number) for number in range(6)]
    await put(objects, KEY, versions[0])

    async def write() -> None:
        for version in versions:
            await put(objects, KEY, version)

    writing = asyncio.create_task(write())
    while not writing.done():
        assert await collected(objects.get(Bucket.ASSETS, KEY)) in versions
    await writing


@pytest.mark.parametrize(
    ("start", "length"), [(0, 10), (3, 4), (MIB - 1, 2), (9, MIB), (0, 0), (2 * MIB, 1), (5 * MIB, 5), (MIB, 10 * MIB)]
)
async def test_a_range_is_that_part_of_the_whole(objects: ObjectStore, start: int, length: int) -> None:
    content = os.urandom(2 * MIB)
    await put(objects, KEY, content)
    assert await collected(objects.get_range(Bucket.ASSETS, KEY, start, length)) == content[start : start + length]


async def test_a_negative_range_is_an_error(objects: ObjectStore) -> None:
    await put(objects, KEY, b"content")
    for start, length in ((-1, 2), (0, -1)):
        with pytest.raises(ValueError, match="range"):
            await collected(objects.get_range(Bucket.ASSETS, KEY, start, length))


async def test_an_opened_object_seeks(objects: ObjectStore) -> None:
    content = os.urandom(MIB)
    await put(objects, KEY, content)

    def jump_about() -> tuple[bytes, int, bytes]:
        with objects.open(Bucket.ASSETS, KEY) as file:
            file.seek(-4, os.SEEK_END)
            tail = file.read()
            return tail, file.seek(100), file.read(50)

    assert await asyncio.to_thread(jump_about) == (content[-4:], 100, content[100:150])


async def test_what_is_not_there_is_missing(objects: ObjectStore) -> None:
    await put(objects, KEY, b"content")
    for absent in ("nothing", "owner", "owner/project", f"{KEY}/below"):
        assert await objects.stat(Bucket.ASSETS, absent) is None
        assert not await objects.delete(Bucket.ASSETS, absent)
        for reading in (
            collected(objects.get(Bucket.ASSETS, absent)),
            collected(objects.get_range(Bucket.ASSETS, absent, 0, 1)),
            objects.local_path(Bucket.ASSETS, absent),
            asyncio.to_thread(objects.open, Bucket.ASSETS, absent),
        ):
            with pytest.raises(CinemaError) as missing:
                await reading
            assert missing.value.code is ErrorCode.OBJECT_MISSING


async def test_deleting_removes_that_object_alone(objects: ObjectStore) -> None:
    await put(objects, "a/b/one", b"1")
    await put(objects, "a/b/two", b"2")
    assert await objects.delete(Bucket.ASSETS, "a/b/one")
    assert not await objects.delete(Bucket.ASSETS, "a/b/one")
    assert await objects.stat(Bucket.ASSETS, "a/b/one") is None
    assert [item.key async for item in objects.list(Bucket.ASSETS, "")] == ["a/b/two"]
    assert await objects.delete(Bucket.ASSETS, "a/b/two")
    await put(objects, "a/b", b"the name is free again")


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("", {"a/1", "a/b/2", "ab/3", "c"}),
        ("a", {"a/1", "a/b/2", "ab/3"}),
        ("a/", {"a/1", "a/b/2"}),
        ("a/b", {"a/b/2"}),
        ("a/b/2", {"a/b/2"}),
        ("../", set()),
        ("/", set()),
        ("nothing", set()),
    ],
)
async def test_listing_by_prefix(objects: ObjectStore, prefix: str, expected: set[str]) -> None:
    for key in ("a/1", "a/b/2", "ab/3", "c"):
        await put(objects, key, key.encode())
    sizes = {item.key: item.size_bytes async for item in objects.list_sizes(Bucket.ASSETS, prefix)}
    assert sizes == {key: len(key) for key in expected}
    listed = [item async for item in objects.list(Bucket.ASSETS, prefix)]
    assert {item.key for item in listed} == expected
    assert all(item.size_bytes == len(item.key) for item in listed)


@pytest.mark.parametrize("key", HOSTILE_KEYS)
async def test_no_operation_follows_a_hostile_key(objects: ObjectStore, tmp_path: Path, key: str) -> None:
    before = everything_in(tmp_path)
    for operation in (
        put(objects, key, b"content"),
        collected(objects.get(Bucket.ASSETS, key)),
        collected(objects.get_range(Bucket.ASSETS, key, 0, 1)),
        objects.local_path(Bucket.ASSETS, key),
        objects.stat(Bucket.ASSETS, key),
        objects.delete(Bucket.ASSETS, key),
        objects.signed_download_url(Bucket.ASSETS, key, expires_in=timedelta(hours=1)),
        objects.signed_upload_url(Bucket.ASSETS, key, expires_in=timedelta(hours=1), max_bytes=1),
        asyncio.to_thread(objects.open, Bucket.ASSETS, key),
    ):
        with pytest.raises(CinemaError) as refused:
            await operation
        assert refused.value.code is ErrorCode.NOT_FOUND
    assert everything_in(tmp_path) == before


def everything_in(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.mark.parametrize("key", ["a b/ü 🎬.mp4", "con", ".hidden", "a.json", "...", "%2e%2e", "~", "-rf", "x" * 200])
async def test_odd_but_honest_keys_work(objects: ObjectStore, key: str) -> None:
    await put(objects, key, b"content")
    assert await collected(objects.get(Bucket.ASSETS, key)) == b"content"
    assert [item.key async for item in objects.list(Bucket.ASSETS, "")] == [key]


@given(key=st.text(alphabet=st.sampled_from("ab./\\\0~é\n"), max_size=12))
@settings(max_examples=300 * EXPLORED, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_accepted_key_stays_below_its_bucket(key: str, tmp_path: Path) -> None:
    try:
        relative = checked_key(key)
    except CinemaError:
        return
    assert (tmp_path / relative).resolve().is_relative_to(tmp_path.resolve())
    assert relative.as_posix() == key
    assert len(key.encode()) <= MAX_KEY_BYTES

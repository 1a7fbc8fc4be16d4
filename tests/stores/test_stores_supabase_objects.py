"""Supabase Storage in trouble, and the bytes that go to and fro; what any store does is in test_stores_objects."""

import asyncio
import hashlib
import os
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from schemas.errors import CinemaError, ErrorCode, TransientError
from stores import Bucket
from stores.object_cache import ObjectCache
from stores.range_file import BLOCK_BYTES
from stores.retrying import Backoff
from stores.supabase_storage import SupabaseObjects
from tests.stores.storage_server import KEY as SERVICE_KEY
from tests.stores.storage_server import StorageServer, Trouble

pytestmark = pytest.mark.unit

KEY = "owner/project/talk.mp4"
MIB = 1 << 20
QUICK = Backoff(first_s=0.001, longest_s=0.01)

INFO, CONTENT = f"/object/info/authenticated/assets/{KEY}", f"/object/authenticated/assets/{KEY}"
UPLOAD = f"/object/assets/{KEY}"


async def one(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def put(objects: SupabaseObjects, content: bytes, key: str = KEY) -> None:
    await objects.put(Bucket.ASSETS, key, one(content))


async def read(objects: SupabaseObjects, key: str = KEY) -> bytes:
    return b"".join([chunk async for chunk in objects.get(Bucket.ASSETS, key)])


async def test_200_mb_go_through_in_flat_memory(supabase_objects: SupabaseObjects) -> None:
    async def produce() -> AsyncIterator[bytes]:
        for number in range(200):
            yield bytes([number]) * MIB

    tracemalloc.start()
    try:
        stored = await supabase_objects.put(Bucket.ASSETS, KEY, produce())
        received = 0
        async for chunk in supabase_objects.get(Bucket.ASSETS, KEY):
            received += len(chunk)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert received == stored.size_bytes == 200 * MIB
    # The server's share is in it: it is in this process.
    assert peak < 16 * MIB


@pytest.mark.parametrize(
    ("trouble", "patches"),
    [
        pytest.param(Trouble("PATCH", "/upload/resumable/", cut_after=4 * MIB), 3, id="cut in the midst of a chunk"),
        pytest.param(Trouble("PATCH", "/upload/resumable/", cut_after=0, times=3), 6, id="cut again and again"),
        pytest.param(Trouble("PATCH", "/upload/resumable/", status=503, times=2), 5, id="unavailable"),
        pytest.param(Trouble("PATCH", "/upload/resumable/", status=423), 4, id="locked"),
        pytest.param(Trouble("PATCH", "/upload/resumable/", answer_lost=True), 3, id="the first answer lost"),
        pytest.param(Trouble("PATCH", "/upload/resumable/", answer_lost=True, times=3), 3, id="every answer lost"),
    ],
)
async def test_a_resumable_upload_goes_on_where_it_broke_off(
    supabase_objects: SupabaseObjects, storage_server: StorageServer, trouble: Trouble, patches: int
) -> None:
    content = os.urandom(13 * MIB)
    storage_server.troubles.append(trouble)
    await put(supabase_objects, content)
    assert await read(supabase_objects) == content
    assert storage_server.count("POST /upload/resumable") == 1
    assert storage_server.count("PATCH /upload/resumable") == patches
    # Nothing is sent again but what did not arrive.
    assert storage_server.received_bytes <= 13 * MIB + 4 * MIB


async def test_an_upload_that_the_store_forgets_is_begun_anew(
    supabase_objects: SupabaseObjects, storage_server: StorageServer
) -> None:
    content = os.urandom(7 * MIB)
    storage_server.troubles.append(Trouble("PATCH", "/upload/resumable/", status=404))
    await put(supabase_objects, content)
    assert await read(supabase_objects) == content
    assert storage_server.count("POST /upload/resumable") == 2


async def test_half_an_upload_is_never_visible(
    supabase_objects: SupabaseObjects, storage_server: StorageServer
) -> None:
    await put(supabase_objects, b"before")
    for cut_after, times in ((4 * MIB, 1), (0, 100)):
        storage_server.troubles.append(Trouble("PATCH", "/upload/resumable/", cut_after=cut_after, times=times))
    with pytest.raises(TransientError) as refused:
        await put(supabase_objects, os.urandom(20 * MIB))
    assert refused.value.code is ErrorCode.STORE_UNAVAILABLE
    assert await read(supabase_objects) == b"before"
    assert storage_server.count("PATCH") <= 1 + Backoff().attempts


@pytest.mark.parametrize("trouble", [Trouble("POST", UPLOAD, answer_lost=True), Trouble("POST", UPLOAD, cut_after=3)])
async def test_a_small_upload_is_sent_again(
    supabase_objects: SupabaseObjects, storage_server: StorageServer, trouble: Trouble
) -> None:
    storage_server.troubles.append(trouble)
    await put(supabase_objects, b"content")
    assert await read(supabase_objects) == b"content"
    assert storage_server.count(f"POST {UPLOAD}") == 2


@pytest.mark.parametrize("cut_after", [0, 1, 100_000, 2_999_999])
async def test_a_broken_download_goes_on_where_it_broke_off(
    supabase_objects: SupabaseObjects, storage_server: StorageServer, cut_after: int
) -> None:
    content = os.urandom(3_000_000)
    await put(supabase_objects, content)
    storage_server.troubles.append(Trouble("GET", CONTENT, cut_after=cut_after))
    assert await read(supabase_objects) == content
    # What was under way when the connection broke is sent again, not what had arrived.
    assert storage_server.sent_bytes < 2 * len(content)
    storage_server.troubles.append(Trouble("GET", CONTENT, cut_after=cut_after))
    assert (await supabase_objects.local_path(Bucket.ASSETS, KEY)).read_bytes() == content


async def test_a_local_copy_is_told_of_only_where_there_is_one(supabase_objects: SupabaseObjects) -> None:
    await put(supabase_objects, b"footage")
    assert await supabase_objects.local_copy(Bucket.ASSETS, KEY) is None
    path = await supabase_objects.local_path(Bucket.ASSETS, KEY)
    assert await supabase_objects.local_copy(Bucket.ASSETS, KEY) == path
    await put(supabase_objects, b"other footage")
    assert await supabase_objects.local_copy(Bucket.ASSETS, KEY) is None


async def test_a_version_that_comes_in_the_midst_of_reading_is_not_mixed_in(
    supabase_objects: SupabaseObjects, storage_server: StorageServer
) -> None:
    await put(supabase_objects, b"a" * 3 * MIB)
    storage_server.troubles.append(Trouble("GET", CONTENT, cut_after=MIB))
    with pytest.raises(TransientError) as changed:
        async for _ in supabase_objects.get(Bucket.ASSETS, KEY):
            await put(supabase_objects, b"b" * 3 * MIB)
    assert changed.value.code is ErrorCode.OBJECT_CORRUPT


@pytest.mark.parametrize("status", [429, 544])
async def test_a_store_that_stays_away_is_asked_a_bounded_number_of_times(
    supabase_objects: SupabaseObjects, storage_server: StorageServer, status: int
) -> None:
    await put(supabase_objects, b"content")
    for method, path in (("GET", INFO), ("GET", CONTENT), ("POST", UPLOAD), ("DELETE", "/object/assets")):
        trouble = Trouble(method, path, status=status, times=1000, headers={"Retry-After": "3600"})
        storage_server.troubles = [trouble]
        operations: dict[tuple[str, str], Callable[[], object]] = {
            ("GET", INFO): lambda: supabase_objects.stat(Bucket.ASSETS, KEY),
            ("GET", CONTENT): lambda: read(supabase_objects),
            ("POST", UPLOAD): lambda: put(supabase_objects, b"new"),
            ("DELETE", "/object/assets"): lambda: supabase_objects.delete(Bucket.ASSETS, KEY),
        }
        with pytest.raises(TransientError) as away:
            await operations[method, path]()  # type: ignore[misc]
        assert away.value.code is ErrorCode.STORE_UNAVAILABLE
        assert trouble.times == 1000 - Backoff().attempts
    storage_server.troubles.clear()
    assert await read(supabase_objects) == b"content"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_moment_of_trouble_is_not_noticed(
    supabase_objects: SupabaseObjects, storage_server: StorageServer, method: str
) -> None:
    storage_server.troubles.append(Trouble(method, "/object/", status=503, times=2))
    await put(supabase_objects, b"content")
    assert await read(supabase_objects) == b"content"
    assert [item.key async for item in supabase_objects.list(Bucket.ASSETS)] == [KEY]


@pytest.mark.parametrize(("status", "code"), [(413, ErrorCode.MEDIA_TOO_LARGE), (507, ErrorCode.DISK_FULL)])
@pytest.mark.parametrize("size", [5, 7 * MIB])
async def test_what_the_store_does_not_take_is_not_sent_again(
    supabase_objects: SupabaseObjects, storage_server: StorageServer, status: int, code: ErrorCode, size: int
) -> None:
    path = UPLOAD if size < MIB else "/upload/resumable"
    storage_server.troubles.append(Trouble("POST", path, status=status, times=100))
    with pytest.raises(CinemaError) as refused:
        await put(supabase_objects, bytes(size))
    assert refused.value.code is code
    assert storage_server.count("POST") == 1


async def test_a_bucket_s_limit_holds(supabase_objects: SupabaseObjects, storage_server: StorageServer) -> None:
    storage_server.buckets[Bucket.ASSETS]["file_size_limit"] = 8 * MIB
    with pytest.raises(CinemaError) as refused:
        await put(supabase_objects, bytes(9 * MIB))
    assert refused.value.code is ErrorCode.MEDIA_TOO_LARGE


async def test_a_wrong_key_and_a_missing_bucket_are_matters_of_the_store(
    supabase_objects: SupabaseObjects, storage_server: StorageServer, tmp_path: Path
) -> None:
    cache = ObjectCache(tmp_path / "other", limit_bytes=MIB)
    stranger = SupabaseObjects(storage_server.url, "wrong", cache=cache, backoff=QUICK)
    for operation in (stranger.stat(Bucket.ASSETS, KEY), read(stranger), stranger.delete(Bucket.ASSETS, KEY)):
        with pytest.raises(TransientError) as refused:
            await operation
        assert refused.value.code is ErrorCode.STORE_UNAVAILABLE
    await stranger.aclose()
    del storage_server.buckets[Bucket.THUMBS]
    for missing in (supabase_objects.stat(Bucket.THUMBS, KEY), supabase_objects.delete(Bucket.THUMBS, KEY)):
        with pytest.raises(TransientError, match="cinema setup supabase"):
            await missing
    assert len(storage_server.requests) == 5


async def test_a_copy_of_what_may_have_been_deleted_is_not_kept_for_ever(supabase_objects: SupabaseObjects) -> None:
    await put(supabase_objects, os.urandom(MIB))
    copy = await supabase_objects.local_path(Bucket.ASSETS, KEY)
    assert await supabase_objects.delete(Bucket.ASSETS, KEY)
    for days, kept in ((6, True), (8, False)):
        os.utime(copy, (time.time() - days * 86_400,) * 2)
        await supabase_objects.sweep_temporary()
        assert copy.exists() is kept


async def test_nothing_answers(tmp_path: Path) -> None:
    nowhere = SupabaseObjects(
        "http://127.0.0.1:9", SERVICE_KEY, cache=ObjectCache(tmp_path / "cache", limit_bytes=MIB), backoff=QUICK
    )
    for operation in (
        nowhere.stat(Bucket.ASSETS, KEY),
        nowhere.signed_download_url(Bucket.ASSETS, KEY, expires_in=timedelta(hours=1)),
        asyncio.to_thread(nowhere.open, Bucket.ASSETS, KEY),
    ):
        with pytest.raises(TransientError) as away:
            await operation
        assert away.value.code is ErrorCode.STORE_UNAVAILABLE
    await nowhere.aclose()


async def test_a_flipped_bit_is_noticed_by_the_end_of_reading(
    supabase_objects: SupabaseObjects, storage_server: StorageServer
) -> None:
    await put(supabase_objects, os.urandom(MIB))
    storage_server.corrupt(Bucket.ASSETS, KEY)
    for reading in (read(supabase_objects), supabase_objects.local_path(Bucket.ASSETS, KEY)):
        with pytest.raises(CinemaError) as noticed:
            await reading
        assert noticed.value.code is ErrorCode.OBJECT_CORRUPT


async def test_ranges_move_few_bytes(supabase_objects: SupabaseObjects, storage_server: StorageServer) -> None:
    content = os.urandom(24 * MIB)
    await put(supabase_objects, content)

    def look_about() -> None:
        with supabase_objects.open(Bucket.ASSETS, KEY) as file:
            file.seek(-4, os.SEEK_END)
            assert file.read() == content[-4:]
            for at in (100, 9 * MIB, 101):
                file.seek(at)
                assert file.read(50) == content[at : at + 50]

    await asyncio.to_thread(look_about)
    assert storage_server.sent_bytes <= 3 * BLOCK_BYTES
    storage_server.sent_bytes = 0
    part = [chunk async for chunk in supabase_objects.get_range(Bucket.ASSETS, KEY, 5 * MIB, 1000)]
    assert b"".join(part) == content[5 * MIB : 5 * MIB + 1000]
    assert storage_server.sent_bytes == 1000


async def test_reading_straight_on_takes_few_requests(
    supabase_objects: SupabaseObjects, storage_server: StorageServer
) -> None:
    content = os.urandom(24 * MIB)
    await put(supabase_objects, content)
    storage_server.requests.clear()
    storage_server.troubles.append(Trouble("GET", CONTENT, cut_after=1000))

    def read_all() -> bytes:
        with supabase_objects.open(Bucket.ASSETS, KEY) as file:
            return file.read()

    assert await asyncio.to_thread(read_all) == content
    assert len(storage_server.requests) < 16


async def test_an_open_file_does_not_mix_versions(supabase_objects: SupabaseObjects) -> None:
    await put(supabase_objects, b"a" * 2 * MIB)
    file = await asyncio.to_thread(supabase_objects.open, Bucket.ASSETS, KEY)
    assert await asyncio.to_thread(file.read, 10) == b"a" * 10
    await put(supabase_objects, b"b" * 2 * MIB)
    file.seek(MIB)
    with pytest.raises(TransientError):
        await asyncio.to_thread(file.read, 10)
    file.close()


async def test_what_somebody_else_uploaded_is_read_once_for_its_checksum(
    supabase_objects: SupabaseObjects, storage_server: StorageServer
) -> None:
    content = os.urandom(2 * MIB)
    url = await supabase_objects.signed_upload_url(
        Bucket.ASSETS, KEY, expires_in=timedelta(hours=1), max_bytes=len(content)
    )
    async with httpx.AsyncClient(timeout=60) as browser:
        assert (await browser.put(url, content=content)).status_code == 200
    first = await supabase_objects.stat(Bucket.ASSETS, KEY)
    assert first is not None
    assert first.sha256 == hashlib.sha256(content).hexdigest()
    assert await supabase_objects.stat(Bucket.ASSETS, KEY) == first
    assert storage_server.sent_bytes == len(content)
    await put(supabase_objects, b"another")
    assert (await supabase_objects.stat(Bucket.ASSETS, KEY)) != first


async def test_anyone_may_download_by_a_signed_address_under_its_name(supabase_objects: SupabaseObjects) -> None:
    await put(supabase_objects, b"content")
    url = await supabase_objects.signed_download_url(
        Bucket.ASSETS, KEY, expires_in=timedelta(hours=1), filename="Küche & Co.mp4"
    )
    other = "owner/project/other.mp4"
    await put(supabase_objects, b"other", other)
    async with httpx.AsyncClient(timeout=60) as browser:
        answer = await browser.get(url)
        assert answer.content == b"content"
        assert "filename*=UTF-8''K%C3%BCche%20%26%20Co.mp4" in answer.headers["content-disposition"]
        assert answer.headers["content-type"] == "video/mp4"
        assert (await browser.get(url.replace("talk", "other"))).status_code == 400
        assert (await browser.get(url.partition("?")[0])).status_code == 400


async def test_listing_goes_on_past_one_page(
    supabase_objects: SupabaseObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stores.supabase_storage.objects._LISTED_AT_ONCE", 4)
    for number in range(9):
        await put(supabase_objects, b"x", f"a_b/{number}")
    assert len([item async for item in supabase_objects.list_sizes(Bucket.ASSETS, "a_b/")]) == 9
    assert len([item async for item in supabase_objects.list_sizes(Bucket.ASSETS)]) == 9


async def test_several_who_need_a_file_share_one_download(
    supabase_objects: SupabaseObjects, storage_server: StorageServer
) -> None:
    content = os.urandom(2 * MIB)
    await put(supabase_objects, content)
    await put(supabase_objects, content, "the/same.mp4")
    paths = await asyncio.gather(*(supabase_objects.local_path(Bucket.ASSETS, KEY) for _ in range(6)))
    assert len(set(paths)) == 1
    assert await supabase_objects.local_path(Bucket.ASSETS, "the/same.mp4") == paths[0]
    assert storage_server.sent_bytes == len(content)


@pytest.mark.parametrize("size", [3 * MIB, 9 * MIB])
async def test_cancelled_at_any_moment_an_object_is_there_whole_or_not_at_all(
    supabase_objects: SupabaseObjects, tmp_path: Path, size: int
) -> None:
    content = os.urandom(size)
    for step in range(10):
        putting = asyncio.create_task(put(supabase_objects, content, f"{step}"))
        await asyncio.sleep(step * 0.01)
        putting.cancel()
        await asyncio.gather(putting, return_exceptions=True)
        if await supabase_objects.stat(Bucket.ASSETS, f"{step}") is not None:
            assert await read(supabase_objects, f"{step}") == content
        assert not any((tmp_path / "cache" / "incoming").iterdir())

"""What only the local store has: its files, its links, its disk."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from schemas.errors import CinemaError, ErrorCode, TransientError
from stores import Bucket, LocalObjects
from stores.checksums import ChecksumRecord, Version
from stores.signing import UrlSigner

pytestmark = pytest.mark.unit

KEY = "owner/project/talk.mp4"
MIB = 1 << 20
HOUR = timedelta(hours=1)


async def one(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk


async def read(objects: LocalObjects, key: str = KEY) -> bytes:
    return b"".join([chunk async for chunk in objects.get(Bucket.ASSETS, key)])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where ``local_objects`` keeps its files."""
    return tmp_path / "objects"


def being_written(root: Path) -> list[Path]:
    return list((root / ".incoming").iterdir())


async def test_the_local_path_is_the_stored_file_itself(local_objects: LocalObjects, root: Path) -> None:
    await local_objects.put(Bucket.ASSETS, KEY, one(b"content"))
    assert await local_objects.local_path(Bucket.ASSETS, KEY) == root / "assets" / KEY


async def test_200_mb_go_through_in_flat_memory_while_others_are_served(local_objects: LocalObjects) -> None:
    async def produce() -> AsyncIterator[bytes]:
        for number in range(200 * 4):
            yield bytes([number % 251]) * (MIB // 4)

    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.005)
            ticks += 1

    ticking = asyncio.create_task(tick())
    tracemalloc.start()
    try:
        stored = await local_objects.put(Bucket.ASSETS, KEY, produce())
        received = 0
        async for chunk in local_objects.get(Bucket.ASSETS, KEY):
            received += len(chunk)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        ticking.cancel()
    assert received == stored.size_bytes == 200 * MIB
    assert peak < 12 * MIB
    assert ticks > 5


@pytest.mark.parametrize("point", ["first", "later"])
async def test_a_cancelled_put_leaves_nothing(local_objects: LocalObjects, root: Path, point: str) -> None:
    reached = asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        if point == "later":
            yield b"x" * 2 * MIB
        reached.set()
        await asyncio.Event().wait()

    putting = asyncio.create_task(local_objects.put(Bucket.ASSETS, KEY, stalled()))
    await reached.wait()
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    assert await local_objects.stat(Bucket.ASSETS, KEY) is None
    assert being_written(root) == []


async def test_cancelled_at_any_moment_an_object_is_there_whole_or_not_at_all(
    local_objects: LocalObjects, root: Path
) -> None:
    content = os.urandom(3 * MIB)
    for step in range(25):
        putting = asyncio.create_task(local_objects.put(Bucket.ASSETS, f"{step}", one(content)))
        await asyncio.sleep(step * 0.0007)
        putting.cancel()
        await asyncio.gather(putting, return_exceptions=True)
        if await local_objects.stat(Bucket.ASSETS, f"{step}") is not None:
            assert await read(local_objects, f"{step}") == content
        assert being_written(root) == []


KILLED_WRITER = """
import asyncio, sys
from pathlib import Path
from stores import Bucket, LocalObjects

objects = LocalObjects(Path(sys.argv[1]), base_url="http://x", signing_key=b"k" * 32)

async def endless():
    while True:
        yield b"new" * 500_000
        print("written", flush=True)

asyncio.run(objects.put(Bucket.ASSETS, "owner/project/talk.mp4", endless()))
"""


async def test_a_killed_writer_leaves_the_old_object_and_what_it_left_is_swept(
    local_objects: LocalObjects, root: Path
) -> None:
    await local_objects.put(Bucket.ASSETS, KEY, one(b"old"))
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED_WRITER, str(root), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert writer.stdout is not None
    for _ in range(3):
        assert await asyncio.wait_for(writer.stdout.readline(), 30) == b"written\n"
    assert await local_objects.sweep_temporary() == 0, "its writer lives"
    writer.send_signal(signal.SIGKILL)
    await writer.wait()

    assert await read(local_objects) == b"old"
    assert [item.key async for item in local_objects.list(Bucket.ASSETS, "")] == [KEY]
    assert len(being_written(root)) == 1
    assert await local_objects.sweep_temporary() == 1
    assert being_written(root) == []


@pytest.mark.parametrize("on_disk", [b"old, long", b"new"])
async def test_power_lost_between_record_and_object_leaves_one_of_the_versions(
    local_objects: LocalObjects, root: Path, on_disk: bytes
) -> None:
    versions = [
        Version(size_bytes=stored.size_bytes, sha256=stored.sha256)
        for content in (b"old, long", b"new")
        for stored in [await local_objects.put(Bucket.ASSETS, KEY, one(content))]
    ]
    record_of(root).write_text(ChecksumRecord(versions=tuple(versions)).model_dump_json())
    (root / "assets" / KEY).write_bytes(on_disk)
    assert await read(local_objects) == on_disk
    await local_objects.put(Bucket.ASSETS, KEY, one(b"newest"))
    assert await read(local_objects) == b"newest"
    assert len(ChecksumRecord.model_validate_json(record_of(root).read_bytes()).versions) == 1


async def test_two_versions_of_one_size_are_told_apart_by_content(local_objects: LocalObjects, root: Path) -> None:
    older = await local_objects.put(Bucket.ASSETS, KEY, one(b"aaaa"))
    newer = await local_objects.put(Bucket.ASSETS, KEY, one(b"bbbb"))
    versions = tuple(Version(size_bytes=4, sha256=stored.sha256) for stored in (newer, older))
    record_of(root).write_text(ChecksumRecord(versions=versions).model_dump_json())
    assert await local_objects.stat(Bucket.ASSETS, KEY) == newer
    (root / "assets" / KEY).write_bytes(b"aaaa")
    found = await local_objects.stat(Bucket.ASSETS, KEY)
    assert found is not None
    assert found.sha256 == older.sha256


def record_of(root: Path) -> Path:
    return root / ".checksums" / "assets" / f"{KEY}.json"


def truncate(root: Path) -> None:
    os.truncate(root / "assets" / KEY, 3)


def garble_record(root: Path) -> None:
    record_of(root).write_text('{"versions": [')


def lose_record(root: Path) -> None:
    record_of(root).unlink()


def forge_record(root: Path) -> None:
    record_of(root).write_text(json.dumps({"versions": [{"size_bytes": 7, "sha256": "../../x"}]}))


@pytest.mark.parametrize("damage", [truncate, garble_record, lose_record, forge_record])
async def test_an_object_that_is_not_as_it_was_stored_is_not_handed_out(
    local_objects: LocalObjects, root: Path, damage: Callable[[Path], None]
) -> None:
    await local_objects.put(Bucket.ASSETS, KEY, one(b"content"))
    damage(root)
    for reading in (
        read(local_objects),
        local_objects.stat(Bucket.ASSETS, KEY),
        local_objects.local_path(Bucket.ASSETS, KEY),
    ):
        with pytest.raises(CinemaError) as refused:
            await reading
        assert refused.value.code is ErrorCode.OBJECT_CORRUPT
    await local_objects.put(Bucket.ASSETS, KEY, one(b"restored"))
    assert await read(local_objects) == b"restored"


async def test_a_flipped_bit_is_noticed_by_the_end_of_reading(local_objects: LocalObjects, root: Path) -> None:
    await local_objects.put(Bucket.ASSETS, KEY, one(b"content"))
    (root / "assets" / KEY).write_bytes(b"contemt")
    with pytest.raises(CinemaError) as refused:
        await read(local_objects)
    assert refused.value.code is ErrorCode.OBJECT_CORRUPT


@pytest.mark.parametrize("link", ["owner", "owner/project", KEY])
async def test_symbolic_links_lead_nowhere(local_objects: LocalObjects, root: Path, tmp_path: Path, link: str) -> None:
    outside = tmp_path / "outside"
    target = outside / Path(KEY).relative_to(link)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(b"secret")
    place = root / "assets" / link
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target if link == KEY else outside)
    for operation in (
        read(local_objects),
        local_objects.put(Bucket.ASSETS, KEY, one(b"overwritten")),
        local_objects.delete(Bucket.ASSETS, KEY),
    ):
        with pytest.raises(CinemaError) as refused:
            await operation
        assert refused.value.code is ErrorCode.NOT_FOUND
    assert target.read_bytes() == b"secret"
    assert being_written(root) == []


async def test_what_others_put_into_the_folder_neither_hangs_nor_breaks_it(
    local_objects: LocalObjects, root: Path
) -> None:
    os.mkfifo(root / "assets" / "pipe")
    (root / "assets" / "link").symlink_to("/etc/passwd")
    (root / "assets" / "back\\slash").write_bytes(b"foreign")
    await local_objects.put(Bucket.ASSETS, KEY, one(b"content"))
    assert await local_objects.stat(Bucket.ASSETS, "pipe") is None
    assert [item.key async for item in local_objects.list(Bucket.ASSETS, "")] == [KEY]


async def test_an_object_is_no_folder_and_a_folder_no_object(local_objects: LocalObjects, root: Path) -> None:
    await local_objects.put(Bucket.ASSETS, "a/b", one(b"content"))
    for taken in ("a", "a/b/c"):
        with pytest.raises(CinemaError, match="below another"):
            await local_objects.put(Bucket.ASSETS, taken, one(b"x"))
    assert await read(local_objects, "a/b") == b"content"
    assert being_written(root) == []


async def test_listing_goes_on_past_one_batch(local_objects: LocalObjects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stores.local_objects._LISTED_AT_ONCE", 4)
    keys = {f"many/{number}" for number in range(12)}
    for key in keys:
        await local_objects.put(Bucket.ASSETS, key, one(b"x"))
    assert {item.key async for item in local_objects.list(Bucket.ASSETS, "many/")} == keys


async def test_an_empty_store_is_left_without_folders(local_objects: LocalObjects, root: Path) -> None:
    await local_objects.put(Bucket.ASSETS, KEY, one(b"content"))
    await local_objects.delete(Bucket.ASSETS, KEY)
    assert list((root / "assets").iterdir()) == []
    assert list((root / ".checksums" / "assets").iterdir()) == []


FULL_DISK = """
import asyncio, sys
from pathlib import Path
from schemas.errors import ErrorCode, TransientError
from stores import Bucket, LocalObjects

root = Path(sys.argv[1])
objects = LocalObjects(root, base_url="http://x", signing_key=b"k" * 32)

async def chunks(count):
    for _ in range(count):
        yield b"x" * (1 << 20)

async def main():
    await objects.put(Bucket.ASSETS, "small", chunks(1))
    try:
        await objects.put(Bucket.ASSETS, "large", chunks(16))
    except TransientError as error:
        assert error.code is ErrorCode.DISK_FULL, error.code
    else:
        raise AssertionError("the disk was not full")
    assert list((root / ".incoming").iterdir()) == []
    assert [item.key async for item in objects.list(Bucket.ASSETS, "")] == ["small"]
    await objects.put(Bucket.ASSETS, "also small", chunks(2))

asyncio.run(main())
"""


def test_a_full_disk_is_said_plainly_and_left_clean(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = 'mount -t tmpfs -o size=8m tmpfs "$1" 2>/dev/null || exit 77; exec "$2" -c "$3" "$1"'
    result = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mounted, "sh", disk, sys.executable, FULL_DISK],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if result.returncode == 77 or "unshare" in result.stderr:
        pytest.skip("this system lets nobody mount a small disk to fill")
    assert result.returncode == 0, result.stderr


async def test_a_disk_that_cannot_be_written_is_a_passing_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(TransientError) as refused:
        LocalObjects(tmp_path / "file" / "objects", base_url="http://x", signing_key=b"k" * 32)
    assert refused.value.code is ErrorCode.STORE_UNAVAILABLE


def parts(url: str) -> tuple[str, dict[str, str]]:
    address = urlsplit(url)
    return unquote(address.path), dict(parse_qsl(address.query))


async def test_a_signed_download_is_good_for_its_object_alone(local_objects: LocalObjects) -> None:
    url = await local_objects.signed_download_url(
        Bucket.OUTPUTS, "o/é 1.mp4", expires_in=HOUR, filename='final "cut"\r\n.mp4'
    )
    path, query = parts(url)
    assert url.startswith("https://cinema.example/objects/outputs/")
    assert path == "/objects/outputs/o/é 1.mp4"
    assert local_objects.verify_download(Bucket.OUTPUTS, "o/é 1.mp4", query) == 'final "cut"\r\n.mp4'

    forgeries = [
        (Bucket.ASSETS, "o/é 1.mp4", query),
        (Bucket.OUTPUTS, "o/é 2.mp4", query),
        (Bucket.OUTPUTS, "o/é 1.mp4", query | {"expires": str(int(query["expires"]) + 1)}),
        (Bucket.OUTPUTS, "o/é 1.mp4", query | {"expires": "never"}),
        (Bucket.OUTPUTS, "o/é 1.mp4", query | {"filename": "other.mp4"}),
        (Bucket.OUTPUTS, "o/é 1.mp4", query | {"signature": "ü\ud800"}),
        (Bucket.OUTPUTS, "o/é 1.mp4", query | {"signature": query["signature"].upper() + " "}),
        (Bucket.OUTPUTS, "o/é 1.mp4", {}),
        (Bucket.OUTPUTS, "o/é 1.mp4", {name: value for name, value in query.items() if name != "filename"}),
    ]
    for bucket, key, forged in forgeries:
        with pytest.raises(CinemaError) as refused:
            local_objects.verify_download(bucket, key, forged)
        assert refused.value.code is ErrorCode.NOT_FOUND
    with pytest.raises(CinemaError):
        local_objects.verify_upload(Bucket.OUTPUTS, "o/é 1.mp4", query)


async def test_a_signed_upload_carries_its_limit(local_objects: LocalObjects) -> None:
    _, query = parts(await local_objects.signed_upload_url(Bucket.ASSETS, KEY, expires_in=HOUR, max_bytes=1000))
    assert local_objects.verify_upload(Bucket.ASSETS, KEY, query) == 1000
    for forged in (query | {"max_bytes": "1001"}, {k: v for k, v in query.items() if k != "max_bytes"}):
        with pytest.raises(CinemaError):
            local_objects.verify_upload(Bucket.ASSETS, KEY, forged)
    with pytest.raises(CinemaError):
        local_objects.verify_download(Bucket.ASSETS, KEY, query)


def test_a_signed_address_expires() -> None:
    now = time.time()
    signer = UrlSigner("http://x/", b"k" * 32, clock=lambda: now)
    _, query = parts(signer.download_url(Bucket.ASSETS, KEY, expires_in=HOUR, filename=None))
    assert signer.verify_download(Bucket.ASSETS, KEY, query) is None
    now += 3601
    with pytest.raises(CinemaError):
        signer.verify_download(Bucket.ASSETS, KEY, query)


def test_another_key_opens_nothing_and_a_short_one_is_refused() -> None:
    _, query = parts(UrlSigner("http://x", b"k" * 32).download_url(Bucket.ASSETS, KEY, expires_in=HOUR, filename=None))
    with pytest.raises(CinemaError):
        UrlSigner("http://x", b"j" * 32).verify_download(Bucket.ASSETS, KEY, query)
    with pytest.raises(ValueError, match="32"):
        UrlSigner("http://x", b"short")


async def test_a_damaged_object_is_listed_by_its_size_and_can_be_removed(
    local_objects: LocalObjects, root: Path
) -> None:
    await local_objects.put(Bucket.ASSETS, "o/damaged", one(b"as it was"))
    (root / "assets/o/damaged").write_bytes(b"cut")
    sizes = [(item.key, item.size_bytes) async for item in local_objects.list_sizes(Bucket.ASSETS, "o/")]
    assert sizes == [("o/damaged", 3)]
    assert await local_objects.delete(Bucket.ASSETS, "o/damaged")
    assert left(root) == []


async def test_a_removal_killed_in_the_middle_is_still_listed_and_leaves_nothing_once_repeated(
    local_objects: LocalObjects, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await local_objects.put(Bucket.ASSETS, "o/talk", one(b"talk"))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", killed_after(Path.unlink))
        with pytest.raises(Killed):
            await local_objects.delete(Bucket.ASSETS, "o/talk")
    assert [item.key async for item in local_objects.list_sizes(Bucket.ASSETS)] == ["o/talk"]
    assert await local_objects.delete(Bucket.ASSETS, "o/talk")
    assert left(root) == []


async def test_the_record_of_an_object_that_never_came_is_swept(local_objects: LocalObjects, root: Path) -> None:
    for key in ("o/first", "o/second", "p/third"):
        await local_objects.put(Bucket.ASSETS, key, one(b"talk"))
    (root / "assets/o/first").unlink()
    (root / "assets/p/third").unlink()
    assert await local_objects.sweep_temporary() == 2
    assert left(root) == [root / ".checksums/assets/o/second.json", root / "assets/o/second"]
    assert not (root / ".checksums/assets/p").exists()
    assert await read(local_objects, "o/second") == b"talk"


class Killed(BaseException):
    """Stands for a kill: nothing that is written may catch it."""


def killed_after(step: Callable[[Path], None]) -> Callable[[Path], None]:
    def stepped(path: Path) -> None:
        step(path)
        raise Killed

    return stepped


def left(root: Path) -> list[Path]:
    return sorted(path for name in ("assets", ".checksums") for path in (root / name).rglob("*") if path.is_file())

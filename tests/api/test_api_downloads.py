"""Downloads by signed address: whole, in ranges, and not at all without a permission."""

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import quote

import httpx
import pytest

from stores import Bucket, LocalObjects

pytestmark = pytest.mark.unit

CONTENT = bytes(range(256)) * 1200
HOUR = timedelta(hours=1)


async def once(content: bytes) -> AsyncIterator[bytes]:
    yield content


@pytest.fixture
async def url(objects: LocalObjects) -> str:
    await objects.put(Bucket.OUTPUTS, "owner/film.mp4", once(CONTENT))
    return await objects.signed_download_url(Bucket.OUTPUTS, "owner/film.mp4", expires_in=HOUR)


async def test_the_whole_file(client: httpx.AsyncClient, url: str) -> None:
    answer = await client.get(url)
    assert answer.status_code == 200
    assert answer.content == CONTENT
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=307000-", 307_000, len(CONTENT)),
        ("bytes=-5", len(CONTENT) - 5, len(CONTENT)),
        ("bytes=-99999999", 0, len(CONTENT)),
        ("bytes=307199-999999999", 307_199, len(CONTENT)),
    ],
)
async def test_a_range(client: httpx.AsyncClient, url: str, asked: str, start: int, end: int) -> None:
    answer = await client.get(url, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.content == CONTENT[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(CONTENT)}"
    assert answer.headers["content-length"] == str(end - start)


@pytest.mark.parametrize("asked", ["bytes=307200-", "bytes=999999999-1000000000", "bytes=-0"])
async def test_a_range_outside_the_file(client: httpx.AsyncClient, url: str, asked: str) -> None:
    answer = await client.get(url, headers={"Range": asked})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(CONTENT)}"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "asked", ["bytes=9-3", "bytes=-", "bytes=a-b", "lines=0-5", "bytes=0-1,5-9", "bytes=" + "9" * 99]
)
async def test_a_range_that_makes_no_sense_is_ignored(client: httpx.AsyncClient, url: str, asked: str) -> None:
    answer = await client.get(url, headers={"Range": asked})
    assert answer.status_code == 200
    assert answer.content == CONTENT


async def test_head_tells_size_and_sends_nothing(client: httpx.AsyncClient, url: str) -> None:
    answer = await client.head(url)
    assert answer.status_code == 200
    assert answer.headers["content-length"] == str(len(CONTENT))
    assert answer.content == b""


async def test_a_version_that_the_client_has_is_not_sent_again(client: httpx.AsyncClient, url: str) -> None:
    etag = (await client.head(url)).headers["etag"]
    assert (await client.get(url, headers={"If-None-Match": etag})).status_code == 304


async def test_a_download_is_not_resumed_into_another_version(client: httpx.AsyncClient, url: str) -> None:
    answer = await client.get(url, headers={"Range": "bytes=5-9", "If-Range": '"another"'})
    assert answer.status_code == 200


@pytest.mark.usefixtures("url")
async def test_it_is_saved_under_the_signed_name(client: httpx.AsyncClient, objects: LocalObjects) -> None:
    name = 'Zürich "final"\r\nX-Evil: 1.mp4'
    signed = await objects.signed_download_url(Bucket.OUTPUTS, "owner/film.mp4", expires_in=HOUR, filename=name)
    answer = await client.get(signed)
    assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    assert "x-evil" not in answer.headers


async def test_what_a_browser_might_run_is_only_saved(client: httpx.AsyncClient, objects: LocalObjects) -> None:
    await objects.put(Bucket.ASSETS, "owner/page.html", once(b"<script>alert(1)</script>"))
    answer = await client.get(await objects.signed_download_url(Bucket.ASSETS, "owner/page.html", expires_in=HOUR))
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment"


async def test_an_empty_file(client: httpx.AsyncClient, objects: LocalObjects) -> None:
    await objects.put(Bucket.ASSETS, "owner/empty", once(b""))
    url = await objects.signed_download_url(Bucket.ASSETS, "owner/empty", expires_in=HOUR)
    assert (await client.get(url)).content == b""
    assert (await client.get(url, headers={"Range": "bytes=0-"})).status_code == 416


async def test_every_forgery_looks_like_a_missing_file(
    client: httpx.AsyncClient, objects: LocalObjects, url: str
) -> None:
    await objects.put(Bucket.OUTPUTS, "owner/secret.mp4", once(b"secret"))
    expired = await objects.signed_download_url(Bucket.OUTPUTS, "owner/film.mp4", expires_in=-HOUR)
    upload = await objects.signed_upload_url(Bucket.OUTPUTS, "owner/film.mp4", expires_in=HOUR, max_bytes=9)
    forgeries = {
        "no signature": url.split("?", maxsplit=1)[0],
        "another file": url.replace("film", "secret"),
        "another bucket": url.replace("/outputs/", "/assets/"),
        "no such bucket": url.replace("/outputs/", "/etc/"),
        "later expiry": url.replace("expires=", "expires=9"),
        "another name": url + "&filename=x",
        "another signature": url[:-1] + ("0" if url[-1] != "0" else "1"),
        "signature of text": url[:-64] + quote("é" * 64),
        "expired": expired,
        "an upload's": upload,
        "the parent": url.replace("owner/film.mp4", "owner/..%2f..%2f..%2fetc%2fpasswd"),
        "absolute": url.replace("owner/film.mp4", "%2fetc%2fpasswd"),
        "a null byte": url.replace("owner/film.mp4", "owner/film.mp4%00"),
    }
    for what, forged in forgeries.items():
        answer = await client.get(forged)
        assert answer.status_code == 404, what
        assert answer.headers["content-type"] == "application/problem+json", what
        assert answer.json()["status"] == 404, what
        assert b"secret" not in answer.content


async def test_what_was_deleted_is_missing(client: httpx.AsyncClient, objects: LocalObjects, url: str) -> None:
    await objects.delete(Bucket.OUTPUTS, "owner/film.mp4")
    answer = await client.get(url)
    assert answer.status_code == 404
    assert answer.json()["code"] == "object_missing"


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
async def test_nothing_can_be_changed(client: httpx.AsyncClient, url: str, method: str) -> None:
    answer = await client.request(method, url, content=b"x")
    assert answer.status_code == 405
    assert answer.json()["title"] == "Method Not Allowed"

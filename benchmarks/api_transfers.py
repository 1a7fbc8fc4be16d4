"""Uploading through the embedded store, and downloading from it, against copying the file."""

import asyncio
import http.client
import os
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit
from uuid import uuid4

from benchmarks.api_processes import Served
from benchmarks.frame import BenchmarkError, Figures
from benchmarks.jobs_stack import Stack
from stores import Bucket

BYTES = 256 << 20
BLOCK = 1 << 20
ROUNDS = 5


async def measure(stack: Stack, served: Served, project_id: str, folder: Path) -> Figures:
    """``upload.*`` and ``download.*`` figures. What is sent, fetched or copied ends on the disk."""
    file, target = folder / "large.mp4", folder / "copy.mp4"
    file.write_bytes(os.urandom(BLOCK) * (BYTES // BLOCK))
    key = f"{uuid4()}/large.mp4"
    await stack.objects.put_file(Bucket.OUTPUTS, key, file)
    url = urlsplit(await stack.objects.signed_download_url(Bucket.OUTPUTS, key, expires_in=timedelta(hours=1)))
    try:
        return {
            **await _against_copies("upload", served, file, target, lambda: _upload(served, project_id, file)),
            **await _against_copies(
                "download", served, file, target, lambda: _download(served, f"{url.path}?{url.query}", target)
            ),
        }
    finally:
        await stack.objects.delete(Bucket.OUTPUTS, key)
        file.unlink()


async def _against_copies(
    name: str, served: Served, file: Path, target: Path, transfer: Callable[[], float]
) -> Figures:
    """Copies and transfers by turns; the first of each is left out."""
    pairs, peaks = [], []
    for _ in range(ROUNDS + 1):
        with served.peak() as peak:
            transferred = await asyncio.to_thread(transfer)
        peaks += peak
        pairs.append((await asyncio.to_thread(_copy, file, target), transferred))
    pairs = pairs[1:]
    return {
        f"{name}.speed_vs_copy": median(copied / transferred for copied, transferred in pairs),
        f"{name}.mb_per_s": BYTES / 1e6 / median(transferred for _, transferred in pairs),
        f"{name}.rss_mb": max(peaks),
    }


def _copy(source: Path, target: Path) -> float:
    began = time.perf_counter()
    with source.open("rb") as read, target.open("wb") as written:
        while block := read.read(BLOCK):
            written.write(block)
        written.flush()
        os.fsync(written.fileno())
    seconds = time.perf_counter() - began
    target.unlink()
    return seconds


def _upload(served: Served, project_id: str, file: Path) -> float:
    """Seconds to send all but the last byte, after which the file would be judged: it is no media. Then it is ended."""
    authorized = {"Authorization": f"Bearer {served.token}", "Tus-Resumable": "1.0.0"}
    metadata = {"project": project_id, "filename": file.name}
    create = {
        **authorized,
        "Upload-Length": str(BYTES + 1),
        "Upload-Metadata": ",".join(f"{name} {b64encode(value.encode()).decode()}" for name, value in metadata.items()),
    }
    location = _asked(served, "POST", "/uploads", create, 201)["location"]
    headers = {
        **authorized,
        "Upload-Offset": "0",
        "Content-Type": "application/offset+octet-stream",
        "Content-Length": str(BYTES),
    }
    began = time.perf_counter()
    _asked(served, "PATCH", location, headers, 204, body=file)
    seconds = time.perf_counter() - began
    _asked(served, "DELETE", location, authorized, 204)
    return seconds


def _download(served: Served, address: str, target: Path) -> float:
    """Seconds until all of it is on the disk."""
    block = memoryview(bytearray(BLOCK))
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=300)
    try:
        connection.request("GET", address)
        response = connection.getresponse()
        with target.open("wb", buffering=0) as written:
            while count := response.readinto(block):
                written.write(block[:count])
            os.fsync(written.fileno())
        seconds = time.perf_counter() - began
        if response.status != http.client.OK or target.stat().st_size != BYTES:
            raise BenchmarkError(f"GET {address}: {response.status}, {target.stat().st_size} bytes")
    finally:
        connection.close()
    target.unlink()
    return seconds


def _asked(
    served: Served, method: str, path: str, headers: Mapping[str, str], expected: int, *, body: Path | None = None
) -> Mapping[str, str]:
    """The answer's headers. The kernel sends a body by itself, so that it is the server that is measured."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=300)
    try:
        connection.putrequest(method, path)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        if body is not None:
            with body.open("rb") as file:
                connection.sock.sendfile(file)
        response = connection.getresponse()
        said = response.read()
        if response.status != expected:
            raise BenchmarkError(f"{method} {path}: {response.status} {said[:500]!r}")
        return {name.lower(): value for name, value in response.headers.items()}
    finally:
        connection.close()

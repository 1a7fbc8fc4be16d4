"""Uploading through the embedded store against copying the file."""

import asyncio
import http.client
import json
import os
import time
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from benchmarks.api_processes import Served
from benchmarks.frame import BenchmarkError, Figures

BYTES = 256 << 20
BLOCK = 1 << 20
ROUNDS = 3


async def measure(served: Served, project_id: str, folder: Path) -> Figures:
    """``upload.*`` figures. Copies end on the disk, as uploads do."""
    file = folder / "large.mp4"
    file.write_bytes(os.urandom(BLOCK) * (BYTES // BLOCK))
    pairs, peaks = [], []
    for _ in range(ROUNDS):
        with served.peak() as peak:
            uploaded = await asyncio.to_thread(_upload, served, project_id, file)
        peaks += peak
        pairs.append((await asyncio.to_thread(_copy, file, folder / "copy.mp4"), uploaded))
    file.unlink()
    return {
        "upload.speed_vs_copy": median(copied / uploaded for copied, uploaded in pairs),
        "upload.mb_per_s": BYTES / 1e6 / median(uploaded for _, uploaded in pairs),
        "upload.rss_mb": max(peaks),
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
    began = time.perf_counter()
    with file.open("rb") as body:
        headers = {
            **authorized,
            "Upload-Offset": "0",
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(BYTES),
        }
        _asked(served, "PATCH", location, headers, 204, body=body)
    seconds = time.perf_counter() - began
    _asked(served, "DELETE", location, authorized, 204)
    return seconds


def _asked(
    served: Served, method: str, path: str, headers: Mapping[str, str], expected: int, *, body: object = None
) -> Mapping[str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, blocksize=BLOCK, timeout=300)
    try:
        connection.request(method, path, body=body, headers=dict(headers))  # type: ignore[arg-type]
        response = connection.getresponse()
        said = response.read()
        if response.status != expected:
            raise BenchmarkError(f"{method} {path}: {response.status} {json.dumps(said.decode())[:500]}")
        return {name.lower(): value for name, value in response.headers.items()}
    finally:
        connection.close()

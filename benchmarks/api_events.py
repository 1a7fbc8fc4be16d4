"""How soon those who watch a job hear of a change, and what idle watchers cost."""

import asyncio
import time
from statistics import quantiles
from uuid import UUID

from benchmarks.api_processes import Served
from benchmarks.frame import Figures
from benchmarks.http_load import get
from benchmarks.jobs_stack import Stack
from schemas.jobs import ArtifactCounts
from stores import Jobs

LISTENERS = 500
STREAMS = 1000
CHANGES = 20
#: Seconds between two changes, so that each is sent by itself.
APART_S = 0.5
#: Seconds that streams are left alone before their memory is counted.
REST_S = 3.0

_EVENT = b"event: job"


async def measure(stack: Stack, served: Served, job_id: UUID) -> Figures:
    """``events.*`` figures."""
    before = served.rss_mb()
    streams = await _opened(served, job_id, STREAMS)
    await asyncio.sleep(REST_S)
    grown = served.rss_mb() - before
    for stream in streams[LISTENERS:]:
        stream.close()
    latencies = await _latencies(stack, job_id, streams[:LISTENERS])
    for stream in streams[:LISTENERS]:
        stream.close()
    return {
        "events.rss_mb_1000_streams": grown,
        "events.p99_ms_500_listeners": quantiles(latencies, n=100, method="inclusive")[98] * 1000,
        "events.p50_ms_500_listeners": quantiles(latencies, n=100, method="inclusive")[49] * 1000,
    }


class _Listener(asyncio.Protocol):
    """Notes when events arrive."""

    def __init__(self) -> None:
        self.arrived: list[float] = []
        self.began = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if _EVENT in data:
            self.arrived.append(time.perf_counter())
        self.began.set()

    def close(self) -> None:
        self.transport.close()


async def _opened(served: Served, job_id: UUID, count: int) -> list[_Listener]:
    loop, request = asyncio.get_running_loop(), get(f"/jobs/{job_id}/events", served.token)
    streams = []
    for _ in range(count):
        transport, listener = await loop.create_connection(_Listener, "127.0.0.1", served.port)
        transport.write(request)
        await listener.began.wait()
        streams.append(listener)
    return streams


async def _latencies(stack: Stack, job_id: UUID, listeners: list[_Listener]) -> list[float]:
    """Seconds from each change's commit until each listener has it."""
    latencies = []
    await asyncio.sleep(APART_S)
    for number in range(CHANGES):
        for listener in listeners:
            listener.arrived.clear()
        await Jobs(stack.pool).count_artifacts(job_id, ArtifactCounts(computed=number, reused=number + 1))
        committed = time.perf_counter()
        await asyncio.sleep(APART_S)
        while not all(listener.arrived for listener in listeners):  # noqa: ASYNC110 (another process sends)
            await asyncio.sleep(0.05)
        latencies += [max(0.0, listener.arrived[0] - committed) for listener in listeners]
    return latencies

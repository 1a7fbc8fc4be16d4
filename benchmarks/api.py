"""What the gateway costs: requests against a bare route, orders, event streams, uploads and downloads."""

import asyncio
import json
import tempfile
from pathlib import Path
from statistics import median, quantiles
from uuid import UUID

from benchmarks import api_events, api_transfers
from benchmarks.api_processes import NOWHERE, Served, api, bare, holding_still
from benchmarks.frame import BenchmarkError, Figures
from benchmarks.http_load import KeptConnection, Load, get, load, one_by_one, post
from benchmarks.jobs_stack import Stack, running_stack

NAME = "api"

#: Connections that ask at once, seconds of each turn, and turns of each side.
CONNECTIONS = 8
SECONDS = 3.0
ROUNDS = 7
#: Orders timed one after another.
ORDERS = 300

ORDER = json.dumps({"variants": ["hook_cut"]}).encode()


def run() -> Figures:
    """Measure on one stack whose workers hold still."""
    return asyncio.run(_measure())


async def _measure() -> Figures:
    with tempfile.TemporaryDirectory(prefix="cinema-api-") as folder:
        async with running_stack() as stack:
            endpoints = stack.state.endpoints
            if endpoints is None:
                raise BenchmarkError("The stack has no addresses.")
            with holding_still(stack):
                async with api(stack, endpoints.temporal_address) as served:
                    project_id = await _made(served, "/projects", json.dumps({"name": "Measured"}).encode())
                    job_id = await _made(served, f"/projects/{project_id}/jobs", b"{}")
                    reads = await _reads(stack, served, job_id)
                    orders = await _orders(served, project_id)
                    events = await api_events.measure(stack, served, UUID(job_id))
                    transfers = await api_transfers.measure(stack, served, project_id, Path(folder))
                async with api(stack, NOWHERE) as alone:
                    orders_alone = await _orders(alone, project_id)
    return {
        **reads,
        "create_job.p99_ms": _p99(orders) * 1000,
        "create_job.p50_ms": median(orders) * 1000,
        "create_job.p99_ms_temporal_down": _p99(orders_alone) * 1000,
        **events,
        **transfers,
    }


async def _made(served: Served, path: str, body: bytes) -> str:
    connection = await KeptConnection.open(served.port)
    try:
        made: str = json.loads(await connection.ask(post(path, served.token, body), 201))["id"]
    finally:
        connection.close()
    return made


async def _reads(stack: Stack, served: Served, job_id: str) -> Figures:
    """``get_job.*``: ours and the bare route by turns, on one Postgres."""
    path = f"/jobs/{job_id}"
    async with bare(stack) as ceiling:
        pairs = []
        for number in range(ROUNDS + 1):
            pair = await _load(served.port, get(path, served.token)), await _load(ceiling.port, get(path))
            if number:  # The first of anything is slow.
                pairs.append(pair)
    ours = [latency for pair in pairs for latency in pair[0].latencies]
    return {
        "get_job.rps": median(pair[0].per_s for pair in pairs),
        "get_job.bare_rps": median(pair[1].per_s for pair in pairs),
        "get_job.rps_vs_bare": median(pair[0].per_s / pair[1].per_s for pair in pairs),
        "get_job.p99_vs_median": median(_p99(pair[0].latencies) / median(pair[0].latencies) for pair in pairs),
        "get_job.p50_ms": median(ours) * 1000,
    }


async def _load(port: int, request: bytes) -> Load:
    return await load(port, request, connections=CONNECTIONS, seconds=SECONDS)


async def _orders(served: Served, project_id: str) -> list[float]:
    """Seconds that each order takes, one after another, the first few left out."""
    request = post(f"/projects/{project_id}/jobs", served.token, ORDER)
    warm = 20
    return (await one_by_one(served.port, [request] * (ORDERS + warm), 201))[warm:]


def _p99(samples: list[float]) -> float:
    return quantiles(samples, n=100, method="inclusive")[98]

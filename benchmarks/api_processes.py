"""Processes that are measured, started on the parts of a running stack whose workers hold still meanwhile."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.frame import BenchmarkError
from benchmarks.http_load import KeptConnection, get, post
from benchmarks.jobs_stack import Stack

#: Nothing listens here.
NOWHERE = "127.0.0.1:9"
START_SECONDS = 120.0

_NEEDED = frozenset({"postgres", "temporal"})
_KIB = 1024
_MB = 1e6


@dataclass(frozen=True)
class Served:
    """An HTTP server in a process of its own; ``token`` is the owner's of this installation, where it has one."""

    port: int
    pid: int
    token: str = ""

    def rss_mb(self) -> float:
        """Memory that it holds, in millions of bytes."""
        return _of_process(self.pid, "VmRSS")

    @contextmanager
    def peak(self) -> Iterator[list[float]]:
        """Filled in the end with how much more memory it held at most than before, in millions of bytes."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="utf-8")  # proc(5): forget the peak
        before, found = self.rss_mb(), list[float]()
        yield found
        found.append(_of_process(self.pid, "VmHWM") - before)


def _of_process(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    kib = next(line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return int(kib) * _KIB / _MB


@contextmanager
def holding_still(stack: Stack) -> Iterator[None]:
    """Stop all of the stack but its stores, so that nobody works on what is measured."""
    pids = [child.pid for child in stack.state.children if child.name not in _NEEDED and child.pid is not None]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def api(stack: Stack, temporal_address: str) -> AsyncIterator[Served]:
    """The API as ``cinema up`` runs it, without limits on how much may be asked."""
    endpoints = stack.state.endpoints
    if endpoints is None:
        raise BenchmarkError("The stack has no addresses.")
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CINEMA_")} | {
        "CINEMA_HOME": str(stack.home),
        "CINEMA_POSTGRES_DSN": endpoints.postgres_dsn,
        "CINEMA_TEMPORAL_ADDRESS": temporal_address,
        "CINEMA_API_PORT": str(port),
        "CINEMA_API_URL": f"http://127.0.0.1:{port}",
        "CINEMA_RATE_LIMITS": "false",
        "CINEMA_LOG_LEVEL": "warning",
    }
    async with _running("cinema.serve", environment=environment) as process:
        await _listening(port)
        connection = await KeptConnection.open(port)
        signed_in = json.loads(await connection.ask(post("/auth/local")))
        connection.close()
        yield Served(port, process.pid, signed_in["access_token"])


@asynccontextmanager
async def bare(stack: Stack) -> AsyncIterator[Served]:
    """The ceiling, on the same Postgres."""
    endpoints = stack.state.endpoints
    if endpoints is None:
        raise BenchmarkError("The stack has no addresses.")
    async with _running("benchmarks.api_bare", endpoints.postgres_dsn) as process:
        if process.stdout is None:
            raise BenchmarkError("The bare route has no output.")
        port = int(await asyncio.wait_for(process.stdout.readline(), START_SECONDS))
        await _listening(port)
        yield Served(port, process.pid)


async def answer(served: Served, path: str) -> bytes:
    """What the API says there."""
    connection = await KeptConnection.open(served.port)
    try:
        return await connection.ask(get(path, served.token))
    finally:
        connection.close()


@asynccontextmanager
async def _running(
    module: str, *arguments: str, environment: dict[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments), env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.communicate()


async def _listening(port: int) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                (await KeptConnection.open(port)).close()
            except OSError:
                await asyncio.sleep(0.05)
            else:
                return


def _free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port

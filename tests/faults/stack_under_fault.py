"""A stack of its own for the tests of this folder: started, looked at, and hurt."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from temporalio.client import Client

from api.authentication import LocalIssuer
from cinema.connections import objects
from cinema.settings import Settings
from cinema.stack.layout import Layout
from cinema.stack.services import runtime_environment
from cinema.stack.state import read_state
from demo.small import write_variation
from schemas.edl import Variant
from schemas.jobs import Job, JobRequest, JobStatus, Pace, Project
from schemas.media import AssetKind
from stores import Assets, Bucket, Jobs, LocalObjects, Pool, Projects
from tests.cinema.cinema_processes import descendants, running
from tests.conftest import REPOSITORY
from tests.faults.clock import Clock
from tests.faults.fault_plan import FaultPlan
from tests.faults.network import CuttableNetwork
from tests.faults.stack import SERVICES_DSN
from tests.working_files import has_bytes

#: In the environment of every process of the stack, its sandboxed children included.
MARK = "FAULTS_STACK"

#: Beyond any honest wait on a loaded machine; reached only when something is wrong.
PATIENCE_SECONDS = 300.0

LOOK_SECONDS = 0.05

SETTINGS = {
    "CINEMA_ENCODER_PRESET": "ultrafast",
    "CINEMA_ANALYSIS_SLOTS": "2",
    # With a second slot a worker that sleeps would have a poll open, and be given the task again.
    "CINEMA_RENDER_SLOTS": "1",
    # What is longer than twelve seconds is rendered in parts; the small talk is not.
    "CINEMA_SEGMENT_SECONDS": "4",
    "CINEMA_WORKER_DRAIN_SECONDS": "2",
}

PARTS = ("postgres", "temporal", "api", "dispatcher", "worker-jobs", "worker-analysis", "worker-render")


@dataclass(frozen=True)
class StackUnderFault:
    """One home folder, everything that runs on it, and direct ways into its stores that no fault touches."""

    home: Path
    process: subprocess.Popen[bytes]
    pool: Pool
    temporal: Client
    network: CuttableNetwork
    talk: Path

    @property
    def dsn(self) -> str:
        """Of Postgres, past the network that a test can cut."""
        state = read_state(self.home / "stack.json")
        assert state is not None
        assert state.endpoints is not None
        return state.endpoints.postgres_dsn

    @property
    def faults(self) -> FaultPlan:
        return FaultPlan(self.home)

    @property
    def clock(self) -> Clock:
        return Clock(self.home)

    @property
    def objects(self) -> LocalObjects:
        return objects(Settings(home=self.home))

    @property
    def scratch(self) -> Path:
        return self.home / "scratch"

    @property
    def incoming(self) -> Path:
        return self.home / "objects" / ".incoming"

    def part(self, name: str) -> dict[str, Any]:
        """What the supervisor says of one of its children."""
        state = json.loads((self.home / "stack.json").read_text(encoding="utf-8"))
        part: dict[str, Any] = next(part for part in state["children"] if part["name"] == name)
        return part

    def pid(self, part: str) -> int:
        pid = self.part(part)["pid"]
        assert isinstance(pid, int), f"{part} is not running"
        return pid

    def signal(self, part: str, number: signal.Signals) -> int:
        """Send a signal to one part; its process id."""
        pid = self.pid(part)
        os.kill(pid, number)
        return pid

    async def restarted(self, part: str, old_pid: int) -> None:
        """Wait until another process does the part's work."""
        await until(
            lambda: self.part(part)["state"] == "ready" and self.part(part)["pid"] not in {None, old_pid},
            f"{part} is back",
        )

    async def all_ready(self) -> None:
        await until(lambda: all(self.part(part)["state"] == "ready" for part in PARTS), "every part is ready")

    def processes(self) -> list[int]:
        """Every running process that was started by this stack, directly or not."""
        wanted = f"{MARK}={self.home}".encode()
        return [pid for pid in _all_processes() if wanted in _environment(pid).split(b"\0") and running(pid)]

    def children_of(self, part: str) -> list[int]:
        """The sandboxed children that work for a worker at this moment; the one that recognises speech stays."""
        return [pid for pid in descendants(self.pid(part)) if running(pid) and not _hears(pid)]

    def creator(self, project: Project) -> httpx.AsyncClient:
        """A client of the API, signed in as the project's owner."""
        state = read_state(self.home / "stack.json")
        assert state is not None
        assert state.endpoints is not None
        token = LocalIssuer(Layout(self.home).token_key.read_text(encoding="utf-8")).token(project.owner_id)
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.AsyncClient(base_url=state.endpoints.api_url, headers=headers, timeout=PATIENCE_SECONDS)

    async def order(
        self,
        *variants: Variant,
        pace: Pace = Pace.NATURAL,
        fresh: bool = False,
        corrupt: bool = False,
        talk: Path | None = None,
    ) -> Job:
        """A job of a new owner over the small talk, committed as the API would, so that nothing rendered is reused.

        Args:
            variants: what to make.
            pace: how to cut.
            fresh: with footage that was never analysed before.
            corrupt: with a second file that is no media.
            talk: the footage instead of the small talk.
        """
        project = await self.project(fresh=fresh, talk=talk)
        if corrupt:
            broken = self.home / f"{project.id}.broken.mp4"
            broken.write_bytes(os.urandom(50_000))
            await self._add(project, broken, 1)
        return await Jobs(self.pool).create(project.owner_id, project.id, JobRequest(variants=variants, pace=pace))

    async def project(self, *, fresh: bool = False, talk: Path | None = None) -> Project:
        """A project of a new owner with the small talk or another one in it, or one that was never analysed before."""
        owner = uuid4()
        projects = Projects(self.pool)
        await projects.ensure_profile(owner)
        project = await projects.create(owner, "Faults")
        footage = talk or self.talk
        if fresh:
            footage = self.home / f"{owner}.mp4"
            write_variation(talk or self.talk, footage, owner.bytes)
        await self._add(project, footage, 0)
        return project

    async def _add(self, project: Project, path: Path, position: int) -> None:
        key = f"{project.owner_id}/{path.name}"
        stored = await self.objects.put_file(Bucket.ASSETS, key, path)
        await Assets(self.pool).add(
            owner_id=project.owner_id,
            project_id=project.id,
            name=path.name,
            kind=AssetKind.A_ROLL,
            object_key=key,
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
            position=position,
        )

    async def reached(self, job: Job, *statuses: JobStatus) -> Job:
        """Wait until the job is in one of these states."""
        found = job

        async def there() -> bool:
            nonlocal found
            found = await Jobs(self.pool).get(job.id)
            assert found.status in statuses or not found.status.settled, found
            return found.status in statuses

        await until(there, f"the job is {' or '.join(statuses)}")
        return found

    async def settled(self, job: Job) -> Job:
        return await self.reached(job, *(status for status in JobStatus if status.settled))

    async def lease_ends(self, job: Job) -> None:
        """Have the claim's lease end now rather than in a while."""
        await self.pool.execute(
            "update public.outbox set available_at = clock_timestamp() where job_id = $1 and done_at is null", job.id
        )

    def said(self, part: str, words: str) -> bool:
        """Whether these words are in the part's log."""
        return words in (self.home / "logs" / f"{part}.log").read_text(encoding="utf-8")

    def is_stopped(self, pid: int) -> bool:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T"

    @asynccontextmanager
    async def second_worker(self, queue: str) -> AsyncIterator[None]:
        """One more worker for the time of the block, as on another machine."""
        state = read_state(self.home / "stack.json")
        assert state is not None
        assert state.endpoints is not None
        environment = {
            **environment_of(self.home),
            **runtime_environment(state.endpoints.model_copy(update={"postgres_dsn": self.network.dsn})),
        }
        environment.pop(MARK)
        with (self.home / "second.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.faults.worker", "--queue", queue),
                env=environment,
                stdout=log,
                stderr=log,
                cwd=REPOSITORY,
            )
        try:
            yield
        finally:
            process.terminate()
            await process.wait()

    async def rendering(self) -> None:
        """Wait until a render is well under way: its working folder has bytes in it."""
        await until(lambda: has_bytes(self.scratch), "something is rendered")


async def until(condition: Callable[[], bool | Awaitable[bool]], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Fail unless ``condition`` comes true in time."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer if isinstance(answer, bool) else await answer:
            return
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(LOOK_SECONDS)


def start_process(home: Path, network: CuttableNetwork) -> subprocess.Popen[bytes]:
    """The stack as a process that dies with the tests."""
    command = [sys.executable, "-m", "tests.faults.stack"]
    tether = [sys.executable, "-m", "cinema.tethered", str(os.getpid()), str(int(signal.SIGTERM)), "-"]
    environment = {**environment_of(home), SERVICES_DSN: network.dsn}
    with (home / "stack.log").open("wb") as log:
        return subprocess.Popen([*tether, *command], env=environment, stdout=log, stderr=log, cwd=REPOSITORY)


def environment_of(home: Path) -> dict[str, str]:
    """What every program of the stack finds in its environment."""
    return {
        **os.environ,
        **SETTINGS,
        "CINEMA_HOME": str(home),
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONSAFEPATH": "1",
        "CINEMA_SANDBOX_ENVIRONMENT": MARK,
        MARK: str(home),
    }


def _hears(pid: int) -> bool:
    """Whether it is the process with the speech model, which a worker has for all its analyses."""
    try:
        return b"activities.speech_child" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _all_processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""

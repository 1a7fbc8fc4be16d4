"""A real stack of its own, with direct ways into its stores, and the small jobs that are run on it."""

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from temporalio.client import Client

from benchmarks.frame import BenchmarkError
from cinema.connections import objects
from cinema.settings import Settings
from cinema.stack.state import StackState, read_state
from demo.small import make_small_talk
from schemas.jobs import Job, JobRequest, Project
from schemas.media import AssetKind
from stores import Assets, Bucket, Jobs, ObjectStore, Pool, Projects, open_pool
from workflows.plugin import cinema_plugin

#: Small pictures and a fast encoder: it is not the picture that is measured.
SETTINGS = {"CINEMA_ENCODER_PRESET": "ultrafast", "CINEMA_RENDER_SLOTS": "2", "CINEMA_ANALYSIS_SLOTS": "2"}

#: Longest that the stack may take to start or to stop, in seconds.
START_SECONDS = 300.0

#: Bytes of a file that is no media.
CORRUPT_BYTES = 20_000

_UNSETTLED = """
    select count(*) from public.jobs
    where id = any($1) and status not in ('completed', 'partial', 'failed', 'cancelled')
"""


@dataclass(frozen=True)
class Stack:
    """One running stack and the footage for its jobs."""

    home: Path
    pool: Pool
    temporal: Client
    talk: Path
    corrupt: Path

    @property
    def state(self) -> StackState:
        state = read_state(self.home / "stack.json")
        if state is None:
            raise BenchmarkError("The stack is gone.")
        return state

    @property
    def objects(self) -> ObjectStore:
        return objects(Settings(home=self.home))

    def kill(self, part: str) -> bool:
        """Kill one part without warning; ``False`` where it is down already."""
        pid = next((child.pid for child in self.state.children if child.name == part), None)
        if pid is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return True

    async def owner(self) -> UUID:
        owner = uuid4()
        await Projects(self.pool).ensure_profile(owner)
        return owner

    async def project(self, owner: UUID, *files: Path) -> Project:
        """A project of the owner's with these files as A-roll."""
        project = await Projects(self.pool).create(owner, "Small talk")
        for position, path in enumerate(files):
            stored = await self.objects.put_file(Bucket.ASSETS, f"{owner}/{path.name}", path)
            await Assets(self.pool).add(
                owner_id=owner,
                project_id=project.id,
                name=path.name,
                kind=AssetKind.A_ROLL,
                object_key=stored.key,
                size_bytes=stored.size_bytes,
                sha256=stored.sha256,
                position=position,
            )
        return project

    async def order(self, project: Project, request: JobRequest) -> Job:
        return await Jobs(self.pool).create(project.owner_id, project.id, request)

    async def settled(self, job_ids: list[UUID], seconds: float) -> None:
        """Wait for these jobs to settle.

        Raises:
            BenchmarkError: Some have not within ``seconds``.
        """
        deadline = time.monotonic() + seconds
        while waiting := await self.pool.fetchval(_UNSETTLED, job_ids):
            if time.monotonic() > deadline:
                raise BenchmarkError(f"{waiting} of {len(job_ids)} jobs have not settled within {seconds:g} s.")
            await asyncio.sleep(0.2)


@asynccontextmanager
async def running_stack() -> AsyncIterator[Stack]:
    """A stack in a new folder, gone with its folder in the end.

    Raises:
        BenchmarkError: It could not be started.
    """
    with tempfile.TemporaryDirectory(prefix="cinema-jobs-") as folder:
        home = Path(folder) / "home"
        talk, corrupt = Path(folder) / "talk.mp4", Path(folder) / "broken.mp4"
        await asyncio.to_thread(make_small_talk, talk)
        corrupt.write_bytes(os.urandom(CORRUPT_BYTES))
        await _cinema(home, "up", "--detach")
        try:
            state = json.loads((home / "stack.json").read_text())["endpoints"]
            temporal = await Client.connect(state["temporal_address"], plugins=[cinema_plugin()])
            async with await open_pool(state["postgres_dsn"]) as pool:
                yield Stack(home, pool, temporal, talk, corrupt)
        finally:
            await _cinema(home, "down")


async def _cinema(home: Path, *arguments: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CINEMA_")}
    environment |= {"CINEMA_HOME": str(home), "CINEMA_MODELS": str(Settings().models), **SETTINGS}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cinema", *arguments),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaint = await asyncio.wait_for(process.communicate(), START_SECONDS)
    if process.returncode != 0:
        raise BenchmarkError(f"cinema {arguments[0]} ended with status {process.returncode}: {(said + complaint)!r}")

"""A real Temporal server and a real Postgres with workers between them, and clients that know neither of our code."""

import asyncio
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.declarations import PLAN_OUTPUT, TaskQueue
from activities.registry import activities_for
from cinema.connections import objects
from cinema.settings import Settings
from cinema.worker import activity_context
from stores import Bucket, ObjectStore, Pool
from tests.clients.makers import Makers
from tests.conftest import REPOSITORY, TEMPORAL
from tests.stores.conftest import dsn, owner_id, pool
from workflows.contract import SEARCH_ATTRIBUTES
from workflows.direct_job import DirectJob
from workflows.plugin import cinema_plugin

__all__ = ["dsn", "owner_id", "pool"]

HERE = Path(__file__).parent
PROGRAM_SECONDS = 120


@dataclass(frozen=True)
class Server:
    """Temporal as we reach it and as a client elsewhere does, with workers on its queues and what they work with."""

    ours: Client
    plain: Client
    address: str
    objects: ObjectStore

    async def upload(self, owner_id: UUID, content: bytes = b"a talk") -> str:
        """What an uploaded file becomes in the object store."""

        async def chunks() -> AsyncIterator[bytes]:
            yield content

        key = f"{owner_id}/{hashlib.sha256(content).hexdigest()}"
        await self.objects.put(Bucket.ASSETS, key, chunks())
        return key


@pytest.fixture(scope="session")
async def temporal() -> AsyncIterator[Client]:
    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(TEMPORAL), search_attributes=SEARCH_ATTRIBUTES, plugins=[cinema_plugin()]
    )
    async with environment:
        yield environment.client


@pytest.fixture
async def server(temporal: Client, pool: Pool, tmp_path: Path) -> AsyncIterator[Server]:
    settings = Settings(home=tmp_path / "home")
    context = activity_context(settings, pool)
    makers = Makers(pool)
    made = {maker.__name__: maker for maker in makers.activities()}
    light = [one for one in activities_for(TaskQueue.JOBS, context) if one.__name__ != PLAN_OUTPUT.name]
    address = temporal.service_client.config.target_host
    async with AsyncExitStack() as stack:
        for queue in (TaskQueue.JOBS, TaskQueue.ANALYSIS, TaskQueue.RENDER):
            hosted = [*light, made[PLAN_OUTPUT.name]] if queue is TaskQueue.JOBS else makers.activities()
            workflows = [DirectJob] if queue is TaskQueue.JOBS else []
            await stack.enter_async_context(Worker(temporal, task_queue=queue, activities=hosted, workflows=workflows))
        yield Server(ours=temporal, plain=await Client.connect(address), address=address, objects=objects(settings))


#: Runs one of a client's programs with arguments, and gives what it printed.
Program = Callable[..., Awaitable[Any]]


@pytest.fixture(scope="session")
def typescript() -> Path:
    """The compiled TypeScript clients, made by the same target as `make test` makes them with."""
    if shutil.which("npm") is None:
        pytest.skip("Node.js 20 is not here, so the TypeScript client is not tried")
    subprocess.run(["make", "--silent", "typescript-clients"], cwd=REPOSITORY, check=True, timeout=280)
    return HERE / "typescript" / "dist"


@pytest.fixture(params=["python", "typescript"])
def program(request: pytest.FixtureRequest) -> Program:
    if request.param == "python":
        commands = {name: (sys.executable, str(HERE / "python" / f"{name}.py")) for name in ("direct", "refused")}
    else:
        folder: Path = request.getfixturevalue("typescript")
        commands = {name: ("node", str(folder / f"{name}.js")) for name in ("direct", "refused")}

    async def run(name: str, *arguments: str) -> Any:
        return json.loads(await _output_of([*commands[name], *arguments]))

    return run


async def _output_of(command: Sequence[str]) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(PROGRAM_SECONDS):
            printed, complaints = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    # Not the exit code: Temporal's runtime may abort a Python process after it has done its work.
    assert printed, complaints.decode()
    return printed


@pytest.fixture
def stranger_id() -> UUID:
    return uuid4()

"""A worker that is told to stop: running work may finish for a while, then another worker goes on with it at once."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowHandle

from activities.declarations import TaskQueue
from activities.heartbeat import HeartbeatState, heartbeating
from activities.sandbox import ChildTask, SandboxLimits, run_in_child
from activities.scratch import working_folder
from cinema.hosting import worker_for
from cinema.settings import Settings
from schemas.errors import ErrorCode
from tests.activities.misbehaving_child import Answer, Behaviour
from tests.cinema.calling_workers import jobs_worker, start_calling
from tests.cinema.cinema_processes import running
from tests.cinema.conftest import RestartableTemporal
from tests.conftest import REPOSITORY
from tests.workflows.calling import WORK, Call, Calls, Done, Piece, Work
from workflows.plugin import cinema_plugin

pytestmark = pytest.mark.temporal

HANG = ChildTask("tests.activities.misbehaving_child", Behaviour)

#: A share of the work that only the first attempt can have done.
CHECKPOINT = 0.625


@pytest.fixture(scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    server = RestartableTemporal(tmp_path_factory.mktemp("temporal"))
    await server.start()
    yield await Client.connect(server.address, plugins=[cinema_plugin()])
    await server.stop()


class Render:
    """The first attempt hangs in a child process, with its temporary files beside it; the next one succeeds."""

    def __init__(self, folder: Path) -> None:
        self.scratch = folder / "scratch"
        self.successor_found: list[HeartbeatState] = []
        self._folder = folder

    @activity.defn(name=WORK.name)
    async def work(self, _: Piece) -> Done:
        info = activity.info()
        if info.attempt == 1:
            await self._hang()
        self.successor_found = [HeartbeatState.model_validate(state) for state in info.heartbeat_details]
        return Done(queue=info.task_queue, attempt=info.attempt)

    async def _hang(self) -> None:
        async def ignore(_: float) -> None: ...

        async with heartbeating("render") as heartbeat:
            heartbeat.advance(CHECKPOINT)
            with working_folder(self.scratch, "render") as folder:
                (folder / "half.mp4").write_bytes(b"half")
                asked = Behaviour(do="hang", folder=self._folder)
                long = timedelta(minutes=5)
                await run_in_child(HANG, asked, Answer, limits=SandboxLimits(), time_limit=long, on_progress=ignore)

    async def child(self) -> int:
        """The process that the first attempt has started."""
        written = self._folder / "pid"
        async with asyncio.timeout(60):
            while not written.exists() or not written.read_text():
                await asyncio.sleep(0.05)
        return int(written.read_text())


async def why_again(handle: WorkflowHandle[Any, Calls]) -> list[str]:
    """The error type of the attempt before each that was not the first."""
    started = [event.activity_task_started_event_attributes for event in (await handle.fetch_history()).events]
    return [event.last_failure.application_failure_info.type for event in started if event.attempt > 1]


async def test_work_of_a_drained_worker_goes_on_elsewhere_at_once(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    render = Render(tmp_path)
    settings = Settings(worker_drain_seconds=0.5)
    async with jobs_worker(client):
        async with worker_for(TaskQueue.RENDER, client, [render.work], settings):
            handle = await start_calling(client, Call())
            child = await render.child()
            stopping_since = time.monotonic()
        stopped_after = time.monotonic() - stopping_since
        assert not running(child)
        assert list(render.scratch.iterdir()) == []
        async with worker_for(TaskQueue.RENDER, client, [render.work], settings):
            await handle.result()
    assert settings.worker_drain_seconds <= stopped_after
    assert [state.progress for state in render.successor_found] == [CHECKPOINT]
    assert await why_again(handle) == [ErrorCode.WORKER_STOPPING], "nobody had to be missed first"


async def test_work_that_can_end_within_the_drain_time_does(client: Client) -> None:
    work = Work()
    work.may_end.clear()
    settings = Settings(worker_drain_seconds=60)
    async with jobs_worker(client):
        async with worker_for(TaskQueue.RENDER, client, [work.work], settings):
            handle = await start_calling(client, Call())
            await work.until_begun(1)
            asyncio.get_running_loop().call_later(0.5, work.may_end.set)
        assert [done.attempt for done in (await handle.result()).done] == [1]


async def test_work_outlives_more_lost_workers_than_it_has_attempts(client: Client) -> None:
    work = Work()
    work.may_end.clear()
    settings = Settings(worker_drain_seconds=0.001)
    losses = 7
    async with jobs_worker(client):
        handle = await start_calling(client, Call())
        for times in range(losses):
            async with worker_for(TaskQueue.RENDER, client, [work.work], settings):
                await work.until_begun(times + 1)
        work.may_end.set()
        async with worker_for(TaskQueue.RENDER, client, [work.work], settings):
            await handle.result()
    assert len(work.begun) == losses + 1

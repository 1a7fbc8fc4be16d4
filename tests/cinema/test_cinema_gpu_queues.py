"""Work that a GPU makes faster: to a GPU worker where one has time, to a CPU worker otherwise, and soon."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client

from activities.accelerators import GpuPolicy, polled_queues
from activities.declarations import ACCELERATED_ANALYZERS, TaskQueue, pass_of
from analysis import ANALYZERS
from cinema.gpu import has_gpu
from cinema.hosting import worker_for
from cinema.settings import Settings
from cinema.stack.services import worker_specs
from cinema.stack.state import Endpoints
from schemas.service import GpuWork
from tests.cinema.calling_workers import jobs_worker, start_calling
from tests.cinema.conftest import RestartableTemporal
from tests.workflows.calling import Call, Work
from workflows.plugin import cinema_plugin

pytestmark = pytest.mark.temporal

#: Longer than any test may take: who waits for a GPU worker for so long waits in vain.
ENDLESS_SECONDS = 3600.0

ENDPOINTS = Endpoints(
    postgres_dsn="postgresql:///",
    temporal_address="127.0.0.1:1",
    temporal_namespace="n",
    temporal_ui_url=None,
    api_url="u",
)

ONE_SLOT = Settings(gpu_slots=1, render_slots=1, worker_drain_seconds=5)


@pytest.fixture
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A server of each test's own: one that remembers no poller of another test."""
    server = RestartableTemporal(tmp_path_factory.mktemp("temporal"))
    await server.start()
    yield await Client.connect(server.address, plugins=[cinema_plugin()])
    await server.stop()


async def until_polled(client: Client) -> None:
    """A worker is seen once it has polled, which takes a moment after its start."""
    async with asyncio.timeout(60):
        while TaskQueue.RENDER_GPU not in await polled_queues(client):
            await asyncio.sleep(0.05)


async def test_without_a_gpu_worker_a_cpu_worker_takes_it_at_once(client: Client) -> None:
    work = Work()
    policy = GpuPolicy(patience_s=ENDLESS_SECONDS)
    async with jobs_worker(client, policy), worker_for(TaskQueue.RENDER, client, [work.work], ONE_SLOT):
        handle = await start_calling(client, Call())
        assert [done.queue for done in (await handle.result()).done] == [TaskQueue.RENDER]


async def test_a_gpu_worker_is_preferred(client: Client) -> None:
    work = Work()
    async with (
        jobs_worker(client, GpuPolicy(patience_s=ENDLESS_SECONDS)),
        worker_for(TaskQueue.RENDER, client, [work.work], ONE_SLOT),
        worker_for(TaskQueue.RENDER_GPU, client, [work.work], ONE_SLOT),
    ):
        await until_polled(client)
        handle = await start_calling(client, Call(pieces=3))
        assert [done.queue for done in (await handle.result()).done] == [TaskQueue.RENDER_GPU] * 3


async def test_work_that_a_full_gpu_worker_does_not_take_in_time_goes_to_a_cpu(client: Client) -> None:
    gpu_work, cpu_work = Work(), Work()
    gpu_work.may_end.clear()
    async with (
        # Long enough for the GPU worker to take one piece on a machine with much else to do.
        jobs_worker(client, GpuPolicy(patience_s=4)),
        worker_for(TaskQueue.RENDER, client, [cpu_work.work], ONE_SLOT),
        worker_for(TaskQueue.RENDER_GPU, client, [gpu_work.work], ONE_SLOT),
    ):
        await until_polled(client)
        handle = await start_calling(client, Call(pieces=3))
        await cpu_work.until_begun(2)
        gpu_work.may_end.set()
        queues = [done.queue for done in (await handle.result()).done]
    assert sorted(queues) == [TaskQueue.RENDER, TaskQueue.RENDER, TaskQueue.RENDER_GPU]
    assert len(gpu_work.begun) == 1


async def test_workers_that_start_when_work_waits_are_waited_for(client: Client) -> None:
    work = Work()
    policy = GpuPolicy(work=GpuWork.ALWAYS, patience_s=ENDLESS_SECONDS)
    async with jobs_worker(client, policy), worker_for(TaskQueue.RENDER, client, [work.work], ONE_SLOT):
        handle = await start_calling(client, Call())
        await asyncio.sleep(1)
        assert work.begun == []
        async with worker_for(TaskQueue.RENDER_GPU, client, [work.work], ONE_SLOT):
            assert [done.queue for done in (await handle.result()).done] == [TaskQueue.RENDER_GPU]


async def test_gpu_workers_can_be_passed_over(client: Client) -> None:
    work = Work()
    async with (
        jobs_worker(client, GpuPolicy(work=GpuWork.NEVER)),
        worker_for(TaskQueue.RENDER, client, [work.work], ONE_SLOT),
        worker_for(TaskQueue.RENDER_GPU, client, [work.work], ONE_SLOT),
    ):
        await until_polled(client)
        handle = await start_calling(client, Call())
        assert [done.queue for done in (await handle.result()).done] == [TaskQueue.RENDER]


@pytest.mark.parametrize("with_gpu", [True, False])
def test_the_stack_starts_gpu_workers_where_it_is_told_to(with_gpu: bool) -> None:
    names = {spec.name for spec in worker_specs(ENDPOINTS, Settings(gpu_workers=with_gpu))}
    assert {"worker-jobs", "worker-analysis", "worker-render"} <= names
    assert ({"worker-analysis-gpu", "worker-render-gpu"} <= names) == with_gpu


def test_the_stack_starts_gpu_workers_where_the_driver_lists_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not has_gpu(), "no driver"
    program = tmp_path / "nvidia-smi"
    for says, expected in (("GPU 0: NVIDIA L4 (UUID: GPU-1)", True), ("No devices were found", False)):
        program.write_text(f"#!/bin/sh\necho '{says}'\n")
        program.chmod(0o755)
        assert has_gpu() == expected, says


def test_only_analyses_that_there_are_go_to_a_gpu() -> None:
    assert set(ANALYZERS) >= ACCELERATED_ANALYZERS
    assert pass_of(["sound", "transcript"]).accelerated is TaskQueue.ANALYSIS_GPU
    assert pass_of(["sound"]).accelerated is None

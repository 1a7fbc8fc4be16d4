"""Rolling out a new version: what runs stays on the version it started on, what starts later goes to the new one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from pydantic import ValidationError
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from activities.declarations import TaskQueue
from cinema.hosting import worker_for
from cinema.settings import Settings
from tests.cinema.calling_workers import jobs_worker, start_calling
from tests.cinema.conftest import RestartableTemporal
from tests.workflows.calling import Call, Calls, Work
from workflows.plugin import cinema_plugin

pytestmark = pytest.mark.temporal

DEPLOYMENT = "cinema"


@pytest.fixture
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    server = RestartableTemporal(tmp_path_factory.mktemp("temporal"))
    await server.start()
    yield await Client.connect(server.address, plugins=[cinema_plugin()])
    await server.stop()


async def roll_out(client: Client, stack: AsyncExitStack, build_id: str, work: Work) -> None:
    """Start this version's workers and make it current, as the deploy step does."""
    settings = Settings(worker_deployment=DEPLOYMENT, worker_build_id=build_id, worker_drain_seconds=5)
    await stack.enter_async_context(jobs_worker(client, settings=settings))
    await stack.enter_async_context(worker_for(TaskQueue.RENDER, client, [work.work], settings))
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace, deployment_name=DEPLOYMENT, build_id=build_id
    )
    async with asyncio.timeout(60):
        while True:
            try:
                await client.workflow_service.set_worker_deployment_current_version(request)
            except RPCError:
                # The server does not know this version before all its queues have been polled.
                await asyncio.sleep(0.2)
            else:
                return


async def version_of(handle: WorkflowHandle[Any, Calls]) -> str:
    described = (await handle.describe()).raw_description.workflow_execution_info
    return described.versioning_info.deployment_version.build_id


async def test_running_jobs_stay_on_their_version_and_new_ones_go_to_the_new(client: Client) -> None:
    old, new = Work(), Work()
    old.may_end.clear()
    async with AsyncExitStack() as stack:
        await roll_out(client, stack, "1.0", old)
        running = await start_calling(client, Call())
        await old.until_begun(1)
        await roll_out(client, stack, "1.1", new)
        started_later = await start_calling(client, Call())
        await started_later.result()
        old.may_end.set()
        await running.result()
        assert await version_of(started_later) == "1.1"
        assert await version_of(running) == "1.0"
    assert len(old.begun) == 1, "not even the later work of a running job moved"
    assert len(new.begun) == 1


@pytest.mark.parametrize("half", [{"worker_deployment": "cinema"}, {"worker_build_id": "1.0"}])
def test_half_a_version_is_refused(half: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="CINEMA_WORKER_DEPLOYMENT and CINEMA_WORKER_BUILD_ID"):
        Settings.model_validate(half)

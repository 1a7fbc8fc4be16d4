"""Jobs leave the outbox exactly once, whoever dispatches and whatever is away meanwhile."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from temporalio.client import Client

from cinema.dispatcher import Dispatcher
from schemas.edl import Variant
from schemas.jobs import Job, JobRequest
from stores import Jobs, Outbox, Pool, Projects
from tests.cinema.conftest import RestartableTemporal
from workflows.contract import OWNER, VARIANTS, direct_job_id
from workflows.plugin import cinema_plugin

pytestmark = pytest.mark.temporal

NOW = timedelta(0)


@pytest.fixture
async def owner_id(pool: Pool) -> UUID:
    owner = uuid4()
    await Projects(pool).ensure_profile(owner)
    return owner


async def ordered(pool: Pool, owner_id: UUID, count: int) -> list[Job]:
    project = await Projects(pool).create(owner_id, "Kitchen talk")
    request = JobRequest(variants=(Variant.HOOK_CUT, Variant.VERTICAL_REEL))
    return [await Jobs(pool).create(owner_id, project.id, request) for _ in range(count)]


async def connected(server: RestartableTemporal) -> Client:
    return await Client.connect(server.address, plugins=[cinema_plugin()], lazy=True)


async def started(client: Client, owner_id: UUID) -> Counter[str]:
    query = f"{OWNER.name} = '{owner_id}'"
    return Counter([execution.id async for execution in client.list_workflows(query)])


async def until_started(client: Client, owner_id: UUID, jobs: list[Job]) -> Counter[str]:
    """What Temporal knows once it knows of every job; visibility lags a little behind."""
    async with asyncio.timeout(20):
        while len(found := await started(client, owner_id)) < len(jobs):
            await asyncio.sleep(0.1)
    return found


async def test_two_dispatchers_start_every_job_once(
    pool: Pool, owner_id: UUID, temporal_server: RestartableTemporal
) -> None:
    client = await connected(temporal_server)
    dispatchers = [asyncio.create_task(Dispatcher(pool, client).run()) for _ in range(2)]
    jobs = await ordered(pool, owner_id, 30)
    found = await until_started(client, owner_id, jobs)
    for dispatcher in dispatchers:
        dispatcher.cancel()
    await asyncio.gather(*dispatchers, return_exceptions=True)
    assert found == Counter(direct_job_id(job.id) for job in jobs)
    assert await Outbox(pool).claim(100, NOW) == ()


async def test_a_started_workflow_tells_who_and_what(
    pool: Pool, owner_id: UUID, temporal_server: RestartableTemporal
) -> None:
    client = await connected(temporal_server)
    (job,) = await ordered(pool, owner_id, 1)
    await Dispatcher(pool, client).dispatch_due()
    described = await client.get_workflow_handle(direct_job_id(job.id)).describe()
    assert described.typed_search_attributes[VARIANTS] == ["hook_cut", "vertical_reel"]
    assert await described.static_summary() == "Kitchen talk: hook_cut, vertical_reel"
    assert (await described.memo())["project"] == "Kitchen talk"


async def test_a_claim_whose_dispatcher_died_after_starting_is_started_once(
    pool: Pool, owner_id: UUID, temporal_server: RestartableTemporal
) -> None:
    client = await connected(temporal_server)
    jobs = await ordered(pool, owner_id, 1)
    dispatcher = Dispatcher(pool, client)
    (entry,) = await Outbox(pool).claim(10, NOW)
    await dispatcher._start(entry.job_id)
    await client.get_workflow_handle(direct_job_id(jobs[0].id)).terminate()
    assert await dispatcher.dispatch_due() == 1
    assert await dispatcher.dispatch_due() == 0
    assert await until_started(client, owner_id, jobs) == Counter([direct_job_id(jobs[0].id)])


async def test_a_job_called_off_before_it_was_started_is_not_started(
    pool: Pool, owner_id: UUID, temporal_server: RestartableTemporal
) -> None:
    client = await connected(temporal_server)
    (job,) = await ordered(pool, owner_id, 1)
    await Jobs(pool).cancel(job.id)
    assert await Dispatcher(pool, client).dispatch_due() == 1
    assert await Outbox(pool).claim(10, NOW) == ()
    assert not await started(client, owner_id)


async def test_nothing_is_lost_while_temporal_is_away(
    pool: Pool, owner_id: UUID, temporal_server: RestartableTemporal
) -> None:
    client = await connected(temporal_server)
    await temporal_server.stop()
    jobs = await ordered(pool, owner_id, 3)
    dispatching = asyncio.create_task(Dispatcher(pool, client).run())
    await asyncio.sleep(1.0)
    await temporal_server.start()
    found = await until_started(client, owner_id, jobs)
    dispatching.cancel()
    await asyncio.gather(dispatching, return_exceptions=True)
    assert found == Counter(direct_job_id(job.id) for job in jobs)

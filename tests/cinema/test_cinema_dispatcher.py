"""Jobs leave the outbox exactly once, whoever dispatches and whatever is away meanwhile."""

import asyncio
import random
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client, Interceptor, OutboundInterceptor, StartWorkflowInput, WorkflowHandle
from temporalio.service import RPCError

from cinema.dispatcher import Dispatcher
from cinema.temporal_setup import require_search_attributes
from schemas.edl import Variant
from schemas.errors import ErrorCode
from schemas.jobs import Job, JobRequest, JobStatus
from stores import Jobs, Outbox, Pool, Projects
from stores.outbox import MOST_REFUSALS
from tests.cinema.conftest import RestartableTemporal
from workflows.contract import OWNER, VARIANTS, direct_job_id
from workflows.plugin import cinema_plugin

pytestmark = pytest.mark.temporal

NOW = timedelta(0)
A_SECOND = timedelta(seconds=1)


@pytest.fixture
async def owner_id(pool: Pool) -> UUID:
    """A new creator, in a database whose outbox is empty."""
    await pool.execute("delete from outbox")
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
    async with asyncio.timeout(120):
        while len(found := await started(client, owner_id)) < len(jobs):
            await asyncio.sleep(0.1)
    return found


async def until_empty(pool: Pool) -> None:
    async with asyncio.timeout(120):
        while (await Outbox(pool).backlog()).waiting:
            await asyncio.sleep(0.1)


async def until_tried(pool: Pool, jobs: list[Job], times: int) -> None:
    """Until the dispatchers have tried so many starts."""
    ids = [job.id for job in jobs]
    async with asyncio.timeout(120):
        while await pool.fetchval("select sum(attempts) from outbox where job_id = any($1::uuid[])", ids) < times:
            await asyncio.sleep(0.1)


async def ended(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def refused_for_good(pool: Pool, dispatcher: Dispatcher, job: Job) -> None:
    """Lets the dispatcher try until it gives the job up, without waiting for the back-off."""
    for _ in range(MOST_REFUSALS):
        await pool.execute("update outbox set available_at = now() where job_id = $1", job.id)
        assert await dispatcher.dispatch_due()
    assert await dispatcher.dispatch_due() == 0
    assert (await Outbox(pool).backlog()).dead == 1


async def namespace_without_search_attributes(server: RestartableTemporal) -> Client:
    name = f"bare-{uuid4().hex}"
    administrator = await connected(server)
    await administrator.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=Duration(seconds=86_400))
    )
    client = await Client.connect(server.address, namespace=name, plugins=[cinema_plugin()])
    async with asyncio.timeout(60):
        while True:
            try:
                await client.count_workflows()
            except RPCError:
                await asyncio.sleep(0.2)
            else:
                return client


class CrashAfterStart(Interceptor):
    """Ends its dispatcher, wherever it stands with its other entries, after a third of the starts."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.dispatching: asyncio.Task[None] | None = None

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 (Temporal's)
        return _CrashingOutbound(next, self)


class _CrashingOutbound(OutboundInterceptor):
    def __init__(self, inner: OutboundInterceptor, crash: CrashAfterStart) -> None:
        super().__init__(inner)
        self._crash = crash

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002 (Temporal's)
        handle = await super().start_workflow(input)
        if self._crash.chance.random() < 1 / 3 and self._crash.dispatching is not None:
            self._crash.dispatching.cancel()
            await asyncio.sleep(60)
        return handle


async def test_two_dispatchers_start_every_job_once(
    pool: Pool, owner_id: UUID, temporal_server: RestartableTemporal
) -> None:
    client = await connected(temporal_server)
    dispatchers = [asyncio.create_task(Dispatcher(pool, client).run()) for _ in range(2)]
    jobs = await ordered(pool, owner_id, 30)
    found = await until_started(client, owner_id, jobs)
    await ended(dispatchers)
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


@pytest.mark.parametrize("answered_before", [True, False], ids=["killed", "not there yet"])
async def test_jobs_wait_through_any_outage_and_all_start_once(
    pool: Pool, owner_id: UUID, temporal_server: RestartableTemporal, answered_before: bool
) -> None:
    clients = [await connected(temporal_server) for _ in range(3)]
    if answered_before:
        assert await asyncio.gather(*(started(client, owner_id) for client in clients))
    await temporal_server.stop()
    jobs = await ordered(pool, owner_id, 100)
    dispatching = [asyncio.create_task(Dispatcher(pool, client).run()) for client in clients]
    await until_tried(pool, jobs, MOST_REFUSALS + 1)
    assert {(await Jobs(pool).get(job.id)).status for job in jobs} == {JobStatus.QUEUED}
    backlog = await Outbox(pool).backlog()
    assert (backlog.waiting, backlog.dead) == (len(jobs), 0)
    assert {letter.refusals for letter in await Outbox(pool).letters(1000)} == {0}
    await temporal_server.start()
    found = await until_started(clients[0], owner_id, jobs)
    await until_empty(pool)
    await ended(dispatching)
    assert found == Counter(direct_job_id(job.id) for job in jobs)


async def test_dispatchers_that_crash_at_any_moment_start_every_job_once(
    pool: Pool, owner_id: UUID, temporal_server: RestartableTemporal
) -> None:
    """A third of all starts are answered to a dispatcher that dies before it can write that down."""
    crashes = 0

    async def supervised(seed: int) -> None:
        nonlocal crashes
        crash = CrashAfterStart(random.Random(seed))
        client = await Client.connect(temporal_server.address, plugins=[cinema_plugin()], interceptors=[crash])
        try:
            while True:
                crash.dispatching = asyncio.create_task(Dispatcher(pool, client, lease=A_SECOND).run())
                await asyncio.wait({crash.dispatching})
                crashes += 1
        finally:
            if crash.dispatching is not None:
                await ended([crash.dispatching])

    supervisors = [asyncio.create_task(supervised(seed)) for seed in range(4)]
    jobs = await ordered(pool, owner_id, 60)
    await until_empty(pool)
    client = await connected(temporal_server)
    found = await until_started(client, owner_id, jobs)
    await ended(supervisors)
    assert found == Counter(direct_job_id(job.id) for job in jobs)
    assert crashes > 4


async def test_a_job_that_cannot_be_read_is_given_up_and_stops_no_other(
    pool: Pool, owner_id: UUID, temporal_server: RestartableTemporal
) -> None:
    client = await connected(temporal_server)
    broken, sound = await ordered(pool, owner_id, 2)
    await pool.execute("""update jobs set request = '{"variants": ["trailer"]}' where id = $1""", broken.id)
    await refused_for_good(pool, Dispatcher(pool, client), broken)
    assert await until_started(client, owner_id, [sound]) == Counter([direct_job_id(sound.id)])
    assert await pool.fetchval("select status from jobs where id = $1", broken.id) == JobStatus.FAILED
    (letter,) = await Outbox(pool).letters(10)
    assert letter.last_error is not None
    assert "trailer" in letter.last_error

    await pool.execute("update jobs set request = $2 where id = $1", broken.id, sound.request.model_dump(mode="json"))
    assert await Outbox(pool).replay([broken.id]) == (broken.id,)
    await Dispatcher(pool, client).dispatch_due()
    await until_started(client, owner_id, [broken, sound])
    assert (await Jobs(pool).get(broken.id)).status is JobStatus.QUEUED


async def test_a_namespace_without_search_attributes_is_held_against_no_job(
    pool: Pool, owner_id: UUID, temporal_server: RestartableTemporal
) -> None:
    bare = await namespace_without_search_attributes(temporal_server)
    jobs = await ordered(pool, owner_id, 3)
    dispatching = asyncio.create_task(Dispatcher(pool, bare).run())
    await until_tried(pool, jobs, MOST_REFUSALS + 1)
    letters = await Outbox(pool).letters(10)
    assert {letter.refusals for letter in letters} == {0}
    assert any(
        f"namespace {bare.namespace} lacks the search attributes CinemaOwner" in (letter.last_error or "")
        and "cinema setup temporal" in (letter.last_error or "")
        for letter in letters
    )
    await require_search_attributes(bare)
    assert await until_started(bare, owner_id, jobs) == Counter(direct_job_id(job.id) for job in jobs)
    await ended([dispatching])


async def test_what_the_server_refuses_is_given_up_with_its_reason(
    pool: Pool, owner_id: UUID, temporal_server: RestartableTemporal
) -> None:
    strange = await namespace_without_search_attributes(temporal_server)
    await strange.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace=strange.namespace,
            search_attributes={OWNER.name: IndexedValueType.INDEXED_VALUE_TYPE_INT},
        )
    )
    await require_search_attributes(strange)
    (job,) = await ordered(pool, owner_id, 1)
    await refused_for_good(pool, Dispatcher(pool, strange), job)
    (letter,) = await Outbox(pool).letters(10)
    assert "CinemaOwner" in (letter.last_error or "")
    failed = await Jobs(pool).get(job.id)
    assert failed.error is not None
    assert (failed.status, failed.error.code) == (JobStatus.FAILED, ErrorCode.NOT_STARTED)


async def test_a_namespace_that_is_missing_is_held_against_no_job(
    pool: Pool, owner_id: UUID, temporal_server: RestartableTemporal
) -> None:
    client = await Client.connect(
        temporal_server.address, namespace="not-made-yet", plugins=[cinema_plugin()], lazy=True
    )
    (job,) = await ordered(pool, owner_id, 1)
    dispatcher = Dispatcher(pool, client)
    for _ in range(3):
        assert await dispatcher.dispatch_due() == 1
    (letter,) = await Outbox(pool).letters(10)
    assert (letter.job_id, letter.refusals) == (job.id, 0)
    assert "not-made-yet" in (letter.last_error or "")

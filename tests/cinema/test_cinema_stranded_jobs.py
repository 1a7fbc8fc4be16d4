"""Jobs whose workflow has gone do not say for ever that they are being worked on."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from temporalio.client import Client

from cinema.dispatcher import Dispatcher
from cinema.stranded_jobs import StrandedJobWatch
from schemas.edl import Variant
from schemas.errors import ErrorCode
from schemas.jobs import Job, JobRequest, JobStatus, OutputStatus
from stores import Jobs, Outputs, Pool, Projects
from tests.cinema.conftest import RestartableTemporal
from tests.stores.samples import delivered
from workflows.contract import direct_job_id
from workflows.plugin import cinema_plugin

pytestmark = pytest.mark.temporal

AT_ONCE, AN_HOUR = timedelta(0), timedelta(hours=1)


@pytest.fixture
async def client(temporal_server: RestartableTemporal) -> Client:
    return await Client.connect(temporal_server.address, plugins=[cinema_plugin()])


@pytest.fixture
async def rendering(pool: Pool, client: Client) -> Job:
    """A job with a workflow, one output that is there, and one that is being rendered."""
    job = await ordered(pool)
    await Dispatcher(pool, client).dispatch_due()
    await Jobs(pool).set_status(job.id, JobStatus.RENDERING)
    for output in job.outputs:
        await Outputs(pool).plan(output.id, "edl.json")
        await Outputs(pool).begin_attempt(output.id)
    await Outputs(pool).complete(job.outputs[0].id, 1, delivered())
    return job


async def ordered(pool: Pool) -> Job:
    owner = uuid4()
    await Projects(pool).ensure_profile(owner)
    project = await Projects(pool).create(owner, "Kitchen talk")
    return await Jobs(pool).create(owner, project.id, JobRequest(variants=(Variant.HOOK_CUT, Variant.VERTICAL_REEL)))


async def status_after_a_look(pool: Pool, client: Client, job_id: UUID, quiet: timedelta = AT_ONCE) -> JobStatus:
    await StrandedJobWatch(pool, client, quiet).look()
    return (await Jobs(pool).get(job_id)).status


async def test_what_a_terminated_workflow_left_open_has_failed_and_can_be_tried_again(
    pool: Pool, client: Client, rendering: Job
) -> None:
    assert await status_after_a_look(pool, client, rendering.id) is JobStatus.RENDERING, "its workflow runs"
    await client.get_workflow_handle(direct_job_id(rendering.id)).terminate()
    assert await status_after_a_look(pool, client, rendering.id, AN_HOUR) is JobStatus.RENDERING, "it may yet speak"
    assert await status_after_a_look(pool, client, rendering.id) is JobStatus.PARTIAL
    made, lost = (await Jobs(pool).get(rendering.id)).outputs
    assert made.status is OutputStatus.COMPLETED
    assert lost.error is not None
    assert (lost.status, lost.error.code, lost.error.retryable) == (OutputStatus.FAILED, ErrorCode.WORK_ENDED, True)
    assert "by whoever runs this service" in lost.error.message
    assert await Jobs(pool).reopen(rendering.id, (), "again") == (lost.id,)


async def test_a_job_that_temporal_has_never_heard_of_has_failed(pool: Pool, client: Client) -> None:
    """As after a server was set up anew."""
    job = await ordered(pool)
    await pool.execute("update outbox set done_at = now() where job_id = $1", job.id)
    assert await status_after_a_look(pool, client, job.id) is JobStatus.FAILED


async def test_a_job_that_waits_to_be_started_is_left_alone(pool: Pool, client: Client) -> None:
    job = await ordered(pool)
    assert await status_after_a_look(pool, client, job.id) is JobStatus.QUEUED

"""A job that its creator deletes: refused while it runs, then gone with all it made, whoever is away meanwhile."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from activities.declarations import TaskQueue
from activities.job_deletion import JobDeletionActivities
from cinema.client import AsyncClient
from schemas.jobs import Job
from schemas.retention import JobDeletionRecord
from stores import Bucket, Jobs, Pool
from tests.api.delivered_output import delivered_job
from tests.api.gateway import Gateway, serving
from tests.cinema.conftest import RestartableTemporal
from workflows.job_deletion import DeleteJob
from workflows.plugin import cinema_plugin
from workflows.retention_contract import delete_job_id

pytestmark = [pytest.mark.postgres, pytest.mark.temporal]


@pytest.fixture
async def client(temporal_server: RestartableTemporal) -> Client:
    return await Client.connect(temporal_server.address, plugins=[cinema_plugin()])


@pytest.fixture
async def gateway(pool: Pool, tmp_path: Path, client: Client) -> AsyncIterator[Gateway]:
    async with serving(pool, tmp_path / "objects", client) as served:
        yield served


@pytest.fixture
async def creator(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    async with gateway.client() as signed_in:
        yield signed_in


@pytest.fixture
async def job(gateway: Gateway, creator: httpx.AsyncClient) -> Job:
    return await delivered_job(gateway, creator, project="Kitchen talk")


def worker(client: Client, gateway: Gateway) -> Worker:
    deletion = JobDeletionActivities(gateway.pool, gateway.objects)
    return Worker(
        client,
        task_queue=TaskQueue.JOBS,
        workflows=[DeleteJob],
        activities=[deletion.begin_job_deletion, deletion.remove_job_objects, deletion.finish_job_deletion],
    )


async def test_a_creator_deletes_a_job_once_it_has_ended(
    gateway: Gateway, creator: httpx.AsyncClient, client: Client, job: Job
) -> None:
    early = await creator.delete(f"/jobs/{job.id}")
    assert (early.status_code, early.json()["code"]) == (409, "invalid_transition")
    await Jobs(gateway.pool).cancel(job.id)
    for _ in range(2):
        answer = await creator.delete(f"/jobs/{job.id}")
        assert (answer.status_code, answer.json()["id"]) == (202, str(job.id))
    told = (await creator.get(f"/jobs/{job.id}")).json()
    assert all(output["expired"] for output in told["outputs"]), "nothing of it can be used from the answer on"
    async with worker(client, gateway):
        await client.get_workflow_handle(delete_job_id(job.id)).result()
    for path in (f"/jobs/{job.id}", f"/outputs/{job.outputs[0].id}", f"/jobs/{job.id}/archive"):
        assert (await creator.get(path)).status_code == 404
    assert (await creator.delete(f"/jobs/{job.id}")).status_code == 404
    assert (await creator.get("/jobs")).json()["items"] == []
    assert not [item async for item in gateway.objects.list(Bucket.OUTPUTS)]
    by_owner = "select requested_by = 'creator ' || owner_id from public.job_deletions where job_id = $1"
    assert await gateway.pool.fetchval(by_owner, job.id)
    log = (await creator.get("/audit")).json()["items"]
    assert [entry["status"] for entry in log if entry["resource"] == f"/jobs/{job.id}"] == [404, 202, 202, 409]


async def test_a_deletion_whose_worker_is_lost_is_carried_on_by_another(
    gateway: Gateway, creator: httpx.AsyncClient, client: Client, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    await Jobs(gateway.pool).cancel(job.id)
    removing, delete = asyncio.Event(), gateway.objects.delete

    async def hangs(bucket: Bucket, key: str) -> bool:
        if removing.is_set():
            await asyncio.Event().wait()
        removing.set()
        return await delete(bucket, key)

    with monkeypatch.context() as patched:
        patched.setattr(gateway.objects, "delete", hangs)
        async with worker(client, gateway):
            async with AsyncClient(gateway.url, gateway.issuer.token(job.owner_id)) as program:
                assert (await program.jobs.delete(job.id)).id == job.id
            await removing.wait()
    async with worker(client, gateway):
        await client.get_workflow_handle(delete_job_id(job.id)).result()
    assert (await creator.get(f"/jobs/{job.id}")).status_code == 404
    assert not [item async for item in gateway.objects.list(Bucket.OUTPUTS)]


async def test_while_temporal_is_away_nothing_is_begun(
    gateway: Gateway, creator: httpx.AsyncClient, job: Job, temporal_server: RestartableTemporal
) -> None:
    await Jobs(gateway.pool).cancel(job.id)
    await temporal_server.stop()
    try:
        answer = await creator.delete(f"/jobs/{job.id}")
    finally:
        await temporal_server.start()
    assert (answer.status_code, answer.json()["code"]) == (503, "stack_unavailable")
    assert not any(output["expired"] for output in (await creator.get(f"/jobs/{job.id}")).json()["outputs"])


@dataclass(frozen=True)
class Answer:
    status: int
    out: str
    err: str


@dataclass(frozen=True)
class CommandLine:
    """The command as an operator gives it, on the servers of these tests."""

    environment: dict[str, str]

    async def __call__(self, *arguments: object, says: str = "") -> Answer:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "cinema", *map(str, arguments)),
            env={**os.environ, **self.environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(says.encode()), 120)
        assert process.returncode is not None
        return Answer(process.returncode, out.decode(), err.decode())


@pytest.fixture
def cinema(postgres_dsn: str, temporal_server: RestartableTemporal, tmp_path: Path) -> CommandLine:
    return CommandLine(
        {
            "CINEMA_HOME": str(tmp_path / "home"),
            "CINEMA_POSTGRES_DSN": postgres_dsn,
            "CINEMA_TEMPORAL_ADDRESS": temporal_server.address,
            "COLUMNS": "200",
        }
    )


async def test_an_operator_deletes_a_job_once_it_has_ended_and_that_is_confirmed(
    gateway: Gateway, client: Client, job: Job, cinema: CommandLine
) -> None:
    running = await cinema("delete-job", job.id, "--yes")
    assert (running.status, "call it off first" in running.err) == (1, True)
    await Jobs(gateway.pool).cancel(job.id)
    declined = await cinema("delete-job", job.id, says="n\n")
    assert declined.status == 1
    assert f"Delete this job of project 'Kitchen talk' with what it made ({job.outputs[0].name}" in declined.out
    assert not any(output.expiring_since for output in (await Jobs(gateway.pool).get(job.id)).outputs)
    async with worker(client, gateway):
        deleted = await cinema("delete-job", job.id, says="y\n")
        assert deleted.status == 0, deleted.err
        assert f"Job {job.id} is deleted" in deleted.out
        assert "nothing is left" in deleted.out
        again = await cinema("delete-job", job.id, "--json")
    record = JobDeletionRecord.model_validate_json(again.out)
    assert record.requested_by.startswith("operator ")
    assert not [item async for item in gateway.objects.list(Bucket.OUTPUTS)]


async def test_a_job_that_never_was_is_not_deleted(cinema: CommandLine) -> None:
    answer = await cinema("delete-job", uuid4(), "--yes")
    assert (answer.status, "This job does not exist." in answer.err) == (1, True)

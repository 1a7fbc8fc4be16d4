"""Live progress: every change arrives, once, also after a break, and at nobody else's."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from schemas.jobs import JobStatus
from stores import Jobs, Ledger
from stores.job_deletions import JobDeletions
from tests.api.gateway import Gateway

pytestmark = pytest.mark.postgres


class Watcher:
    """A client that reads a stream of events."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()

    async def next(self, kind: str = "job") -> tuple[str, dict[str, Any]]:
        """The next event's id and data; comments are passed over, and a job's states on the way to its end."""
        fields: dict[str, str] = {}
        while True:
            line = await asyncio.wait_for(anext(self._lines), 30)
            if line.startswith(":"):
                continue
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif fields:
                if fields["event"] == kind:
                    return fields["id"], json.loads(fields["data"])
                assert (fields["event"], kind) == ("job", "job_deleted")
                fields = {}

    async def ends(self) -> bool:
        try:
            while True:
                await asyncio.wait_for(anext(self._lines), 30)
        except StopAsyncIteration:
            return True


@asynccontextmanager
async def watching(client: httpx.AsyncClient, path: str, last: str | None = None) -> AsyncIterator[Watcher]:
    headers = {"Last-Event-ID": last} if last else {}
    async with client.stream("GET", path, headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Watcher(answer)


@pytest.fixture
async def project_id(creator: httpx.AsyncClient) -> str:
    identifier: str = (await creator.post("/projects", json={"name": "Kitchen talk"})).json()["id"]
    return identifier


async def order(client: httpx.AsyncClient, project_id: str) -> str:
    answer = await client.post(f"/projects/{project_id}/jobs", json={"variants": ["hook_cut"]})
    identifier: str = answer.json()["id"]
    return identifier


async def test_a_watcher_gets_the_job_as_it_is_and_every_change(
    gateway: Gateway, creator: httpx.AsyncClient, project_id: str
) -> None:
    job_id = await order(creator, project_id)
    async with watching(creator, f"/jobs/{job_id}/events") as watcher:
        _, job = await watcher.next()
        assert job == (await creator.get(f"/jobs/{job_id}")).json()
        for status in (JobStatus.ANALYSING, JobStatus.PLANNING):
            await Jobs(gateway.pool).set_status(UUID(job_id), status)
            _, job = await watcher.next()
            assert job["status"] == status
        await Jobs(gateway.pool).cancel(UUID(job_id))
        _, job = await watcher.next()
        assert (job["status"], job["outputs"][0]["status"]) == ("cancelled", "cancelled")


async def test_a_change_is_heard_among_more_than_can_be_kept(
    gateway: Gateway, creator: httpx.AsyncClient, project_id: str
) -> None:
    job_id = await order(creator, project_id)
    async with watching(creator, f"/jobs/{job_id}/events") as watcher:
        await watcher.next()
        async with gateway.pool.acquire() as connection, connection.transaction():
            await connection.execute("update jobs set status = 'analysing' where id = $1", UUID(job_id))
            others = "select pg_notify('cinema_jobs', gen_random_uuid()::text) from generate_series(1, 20000)"
            await connection.execute(others)
        _, job = await watcher.next()
        assert job["status"] == "analysing"


async def test_who_comes_back_gets_what_was_missed_and_nothing_twice(
    gateway: Gateway, creator: httpx.AsyncClient, project_id: str
) -> None:
    job_id = await order(creator, project_id)
    async with watching(creator, f"/jobs/{job_id}/events") as watcher:
        first, _ = await watcher.next()
    async with watching(creator, f"/jobs/{job_id}/events", last=first) as watcher:
        await Jobs(gateway.pool).set_status(UUID(job_id), JobStatus.ANALYSING)
        _, job = await watcher.next()
        assert job["status"] == "analysing", "the state it had was not sent again"
    await Jobs(gateway.pool).set_status(UUID(job_id), JobStatus.PLANNING)
    async with watching(creator, f"/jobs/{job_id}/events", last=first) as watcher:
        _, job = await watcher.next()
        assert job["status"] == "planning", "what changed meanwhile is told at once"


async def test_a_project_is_watched_with_the_jobs_that_come(creator: httpx.AsyncClient, project_id: str) -> None:
    old = await order(creator, project_id)
    async with watching(creator, f"/projects/{project_id}/events") as watcher:
        assert (await watcher.next())[1]["id"] == old
        new = await order(creator, project_id)
        assert (await watcher.next())[1]["id"] == new


@pytest.mark.parametrize("watched", ["/jobs/{job_id}/events", "/projects/{project_id}/events"])
async def test_a_lost_connection_to_the_database_loses_no_change(
    creator: httpx.AsyncClient, project_id: str, dsn: str, watched: str
) -> None:
    job_id = await order(creator, project_id)
    async with watching(creator, watched.format(job_id=job_id, project_id=project_id)) as watcher:
        await watcher.next()
        administrator = await asyncpg.connect(dsn)
        await administrator.execute(
            """
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()
            """
        )
        await administrator.execute("update public.jobs set status = 'analysing' where id = $1", UUID(job_id))
        await administrator.close()
        assert (await watcher.next())[1]["status"] == "analysing"


async def test_a_notification_that_names_no_job_stops_nobody(
    gateway: Gateway, creator: httpx.AsyncClient, project_id: str
) -> None:
    job_id = await order(creator, project_id)
    async with watching(creator, f"/jobs/{job_id}/events") as watcher:
        await watcher.next()
        await gateway.pool.execute("select pg_notify('cinema_jobs', 'no job')")
        await Jobs(gateway.pool).set_status(UUID(job_id), JobStatus.ANALYSING)
        assert (await watcher.next())[1]["status"] == "analysing"


async def gone(gateway: Gateway, job_id: str) -> None:
    """Its rows are removed, as at the end of its deletion."""
    await Jobs(gateway.pool).cancel(UUID(job_id))
    bill = await Ledger(gateway.pool).bill_of_job(UUID(job_id))
    await JobDeletions(gateway.pool).begin(UUID(job_id), "creator", bill)
    await JobDeletions(gateway.pool).remove_rows(UUID(job_id))


async def test_the_stream_of_a_deleted_job_says_so_and_ends(
    gateway: Gateway, creator: httpx.AsyncClient, project_id: str
) -> None:
    job_id = await order(creator, project_id)
    async with watching(creator, f"/jobs/{job_id}/events") as watcher:
        await watcher.next()
        await Jobs(gateway.pool).cancel(UUID(job_id))
        last, job = await watcher.next()
        assert job["status"] == "cancelled"
        await gone(gateway, job_id)
        assert (await watcher.next("job_deleted"))[1] == {"id": job_id}
        assert await watcher.ends()
    answer = await creator.get(f"/jobs/{job_id}/events", headers={"Last-Event-ID": last})
    assert answer.status_code == 404


async def test_who_watches_a_project_hears_which_of_its_jobs_is_gone(
    gateway: Gateway, creator: httpx.AsyncClient, other: httpx.AsyncClient, project_id: str
) -> None:
    elsewhere = (await other.post("/projects", json={"name": "Another's"})).json()["id"]
    theirs, mine = await order(other, elsewhere), await order(creator, project_id)
    async with watching(creator, f"/projects/{project_id}/events") as watcher:
        assert (await watcher.next())[1]["id"] == mine
        await gone(gateway, theirs)
        await Jobs(gateway.pool).cancel(UUID(mine))
        assert (await watcher.next())[1]["status"] == "cancelled"
        await gone(gateway, mine)
        assert (await watcher.next("job_deleted"))[1] == {"id": mine}, "and nothing of another's"
        new = await order(creator, project_id)
        assert (await watcher.next())[1]["id"] == new


async def test_a_stopping_server_ends_its_streams(
    gateway: Gateway, creator: httpx.AsyncClient, project_id: str
) -> None:
    job_id = await order(creator, project_id)
    async with watching(creator, f"/jobs/{job_id}/events") as watcher:
        await watcher.next()
        gateway.app.state.context.changes.close()
        assert await watcher.ends()


async def test_nobody_else_watches(creator: httpx.AsyncClient, other: httpx.AsyncClient, project_id: str) -> None:
    job_id = await order(creator, project_id)
    assert (await other.get(f"/jobs/{job_id}/events")).status_code == 404
    assert (await other.get(f"/projects/{project_id}/events")).status_code == 404

"""Outbox entries: claimed by one dispatcher at a time, given back, never lost."""

import asyncio
from datetime import timedelta
from time import monotonic
from uuid import UUID

import pytest

from schemas.errors import TransientError
from schemas.jobs import Job, JobRequest, Project
from stores import JOBS_CHANNEL, Jobs, Outbox, Pool, listen, open_pool
from stores.outbox import LONGEST_BACK_OFF

pytestmark = pytest.mark.postgres

LEASE = timedelta(seconds=30)
A_MOMENT = timedelta(milliseconds=50)
PATIENCE = timedelta(seconds=10)


@pytest.fixture
def outbox(pool: Pool) -> Outbox:
    return Outbox(pool)


async def test_many_claimers_at_once_get_every_entry_once(pool: Pool, project: Project, outbox: Outbox) -> None:
    made = {(await Jobs(pool).create(project.owner_id, project.id, JobRequest())).id for _ in range(30)}

    async def claim_all() -> list[UUID]:
        mine: list[UUID] = []
        while entries := await outbox.claim(3, LEASE):
            mine += [entry.job_id for entry in entries]
        return mine

    claimed = [job_id for claims in await asyncio.gather(*(claim_all() for _ in range(6))) for job_id in claims]
    assert len(claimed) == len(made)
    assert set(claimed) == made


async def test_a_claimed_entry_comes_back_when_its_lease_ends(outbox: Outbox, job: Job) -> None:
    (first,) = await outbox.claim(10, A_MOMENT)
    assert (first.job_id, first.attempts) == (job.id, 1)
    assert await outbox.wait(PATIENCE)
    (second,) = await outbox.claim(10, LEASE)
    assert (second.id, second.attempts) == (first.id, 2)


async def test_what_is_done_never_comes_back(pool: Pool, outbox: Outbox, job: Job) -> None:
    (entry,) = await outbox.claim(10, A_MOMENT)
    await outbox.done(entry.id)
    await outbox.release(entry.id, "a late claimer thinks it failed")
    assert not await outbox.wait(2 * A_MOMENT)
    assert await outbox.claim(10, LEASE) == ()
    assert await pool.fetchval("select last_error is null from outbox where job_id = $1", job.id)


async def test_a_released_entry_waits_longer_each_time_and_says_why(pool: Pool, outbox: Outbox, job: Job) -> None:
    waits = []
    for _ in range(8):
        (entry,) = await outbox.claim(10, LEASE)
        await outbox.release(entry.id, "Temporal is down\0")
        waits.append(await pool.fetchval("select available_at - updated_at from outbox where id = $1", entry.id))
        await pool.execute("update outbox set available_at = now() where id = $1", entry.id)
    assert [round(wait.total_seconds()) for wait in waits] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert max(waits) <= LONGEST_BACK_OFF + timedelta(seconds=1)
    assert await pool.fetchval("select last_error from outbox where job_id = $1", job.id) == "Temporal is down\ufffd"


async def test_waiting_ends_at_once_when_a_job_comes(pool: Pool, project: Project, outbox: Outbox) -> None:
    async with asyncio.TaskGroup() as tasks:
        woken = tasks.create_task(outbox.wait(PATIENCE))
        await asyncio.sleep(0.1)
        started = monotonic()
        await Jobs(pool).create(project.owner_id, project.id, JobRequest())
    assert woken.result()
    assert monotonic() - started < 2


@pytest.mark.usefixtures("job")
async def test_waiting_ends_at_once_when_a_job_is_there(outbox: Outbox) -> None:
    assert await outbox.wait(timedelta(0))


async def test_a_pool_of_one_connection_is_enough_to_wait(dsn: str, job: Job) -> None:
    async with await open_pool(dsn, min_size=1, max_size=1) as narrow:
        assert await Outbox(narrow).wait(PATIENCE)
        assert [entry.job_id for entry in await Outbox(narrow).claim(1, LEASE)] == [job.id]


async def test_waiting_without_a_job_ends_too(outbox: Outbox) -> None:
    assert not await outbox.wait(A_MOMENT)


async def test_changes_of_a_job_are_told_once_per_transaction(pool: Pool, project: Project) -> None:
    async with listen(pool, JOBS_CHANNEL) as notifications:
        job = await Jobs(pool).create(project.owner_id, project.id, JobRequest())
        assert await notifications.next(PATIENCE) == str(job.id)
        assert await notifications.next(A_MOMENT) is None
        await Jobs(pool).cancel(job.id)
        assert await notifications.next(PATIENCE) == str(job.id)


async def test_a_lost_connection_is_told_to_the_listener(pool: Pool) -> None:
    async with listen(pool, JOBS_CHANNEL) as notifications:
        await pool.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where query ilike 'listen%' and datname = current_database() and pid <> pg_backend_pid()"
        )
        with pytest.raises(TransientError):
            await notifications.next(PATIENCE)
    assert await pool.fetchval("select 1") == 1

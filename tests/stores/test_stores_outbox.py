"""Outbox entries: claimed by one dispatcher at a time, given back, never lost."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from schemas.errors import TransientError
from schemas.jobs import Job, JobRequest, JobStatus, OutputStatus, Project
from stores import JOBS_CHANNEL, Backlog, Jobs, LetterState, Outbox, Pool, listen, open_pool
from stores.outbox import FIRST_BACK_OFF, LONGEST_BACK_OFF, MOST_REFUSALS, NOT_STARTED

pytestmark = pytest.mark.postgres

LEASE = timedelta(seconds=30)
A_MOMENT = timedelta(milliseconds=50)
#: Far longer than anything here takes.
PATIENCE = timedelta(seconds=60)


@pytest.fixture
def outbox(pool: Pool) -> Outbox:
    return Outbox(pool)


async def due(pool: Pool, job: Job) -> None:
    """Ends the lease or the back-off."""
    await pool.execute("update outbox set available_at = now() where job_id = $1", job.id)


async def kill(pool: Pool, outbox: Outbox, job: Job) -> None:
    """Refuses the job's entry until it is a dead letter."""
    for _ in range(MOST_REFUSALS):
        await due(pool, job)
        entry = next(entry for entry in await outbox.claim(100, A_MOMENT) if entry.job_id == job.id)
        state = await outbox.refuse(entry, "unreadable")
    assert state is LetterState.DEAD


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
    await outbox.postpone(entry.id, "a late claimer thinks it failed")
    await outbox.refuse(entry, "a late claimer thinks it failed")
    assert not await outbox.wait(2 * A_MOMENT)
    assert await outbox.claim(10, LEASE) == ()
    assert await pool.fetchval("select last_error is null from outbox where job_id = $1", job.id)


async def test_a_refused_entry_waits_longer_each_time_and_says_why(pool: Pool, outbox: Outbox, job: Job) -> None:
    waits = []
    for _ in range(MOST_REFUSALS - 1):
        (entry,) = await outbox.claim(10, LEASE)
        assert await outbox.refuse(entry, "no such search attribute\0") is LetterState.WAITING
        waits.append(await pool.fetchval("select available_at - updated_at from outbox where id = $1", entry.id))
        await due(pool, job)
    expected = [min(FIRST_BACK_OFF * 2**number, LONGEST_BACK_OFF) for number in range(len(waits))]
    slack = timedelta(milliseconds=500)
    assert all(whole / 2 - slack <= wait <= whole + slack for wait, whole in zip(waits, expected, strict=True)), waits
    (letter,) = await outbox.letters(10)
    assert (letter.state, letter.refusals) == (LetterState.WAITING, MOST_REFUSALS - 1)
    assert letter.last_error == "no such search attribute\ufffd"


async def test_entries_refused_together_come_back_apart(pool: Pool, project: Project, outbox: Outbox) -> None:
    for _ in range(10):
        await Jobs(pool).create(project.owner_id, project.id, JobRequest())
    for _ in range(4):
        await pool.execute("update outbox set available_at = now()")
        for entry in await outbox.claim(10, LEASE):
            await outbox.refuse(entry, "no")
    first, last = await pool.fetchrow("select min(available_at), max(available_at) from outbox")
    assert last - first > timedelta(milliseconds=500)


async def test_what_was_postponed_can_be_claimed_at_once_and_is_never_given_up(outbox: Outbox, job: Job) -> None:
    for attempt in range(1, 3 * MOST_REFUSALS):
        (entry,) = await outbox.claim(10, LEASE)
        assert (entry.job_id, entry.attempts) == (job.id, attempt)
        await outbox.postpone(entry.id, "Temporal is down")
    (letter,) = await outbox.letters(10)
    assert (letter.state, letter.refusals, letter.last_error) == (LetterState.WAITING, 0, "Temporal is down")


async def test_a_dead_letter_fails_its_job_and_a_replay_queues_it_again(pool: Pool, outbox: Outbox, job: Job) -> None:
    await kill(pool, outbox, job)
    failed = await Jobs(pool).get(job.id)
    assert failed.status is JobStatus.FAILED
    assert failed.error == NOT_STARTED
    assert {(output.status, output.error) for output in failed.outputs} == {(OutputStatus.FAILED, NOT_STARTED)}
    assert await outbox.claim(10, LEASE) == ()
    assert not await outbox.wait(A_MOMENT)
    (letter,) = await outbox.letters(10)
    assert (letter.state, letter.last_error, letter.owner_id) == (LetterState.DEAD, "unreadable", job.owner_id)

    async with asyncio.TaskGroup() as tasks:
        woken = tasks.create_task(outbox.wait(PATIENCE))
        await asyncio.sleep(0.1)
        assert await outbox.replay([job.id]) == (job.id,)
    assert woken.result()
    queued = await Jobs(pool).get(job.id)
    assert (queued.status, queued.error) == (JobStatus.QUEUED, None)
    assert {(output.status, output.error) for output in queued.outputs} == {(OutputStatus.QUEUED, None)}
    assert [entry.job_id for entry in await outbox.claim(10, LEASE)] == [job.id]
    assert await outbox.replay() == ()


async def test_a_job_that_runs_already_is_not_failed_by_its_dead_letter(pool: Pool, outbox: Outbox, job: Job) -> None:
    await Jobs(pool).set_status(job.id, JobStatus.ANALYSING)
    await kill(pool, outbox, job)
    assert (await Jobs(pool).get(job.id)).status is JobStatus.ANALYSING
    assert await outbox.replay() == (job.id,)
    assert (await Jobs(pool).get(job.id)).status is JobStatus.ANALYSING


async def test_a_replay_leaves_what_its_creator_called_off(pool: Pool, outbox: Outbox, job: Job) -> None:
    await kill(pool, outbox, job)
    await Jobs(pool).reopen(job.id, [], "retry")
    await Jobs(pool).cancel(job.id)
    assert await outbox.replay([job.id]) == (job.id,)
    assert (await Jobs(pool).get(job.id)).status is JobStatus.CANCELLED


async def test_the_backlog_counts_and_ages_what_waits(pool: Pool, project: Project, outbox: Outbox) -> None:
    assert await outbox.backlog() == Backlog(waiting=0, dead=0, oldest_waiting_s=0)
    dead, old, _ = [await Jobs(pool).create(project.owner_id, project.id, JobRequest()) for _ in range(3)]
    await pool.execute("update outbox set waiting_since = now() - interval '1 hour' where job_id = $1", old.id)
    await kill(pool, outbox, dead)
    backlog = await outbox.backlog()
    assert (backlog.waiting, backlog.dead) == (2, 1)
    assert 3600 <= backlog.oldest_waiting_s < 3700
    states = [(letter.job_id, letter.state) for letter in await outbox.letters(2)]
    assert states == [(dead.id, LetterState.DEAD), (old.id, LetterState.WAITING)]


async def test_waiting_ends_at_once_when_a_job_comes(pool: Pool, project: Project, outbox: Outbox) -> None:
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        woken = tasks.create_task(outbox.wait(timedelta(hours=1)))
        await asyncio.sleep(0.1)
        await Jobs(pool).create(project.owner_id, project.id, JobRequest())
    assert woken.result()


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

"""``cinema outbox`` as an operator uses it: see what was not started and why, mend it, replay it."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from uuid import uuid4

import pytest

from schemas.jobs import Job, JobRequest, JobStatus
from stores import Jobs, Outbox, Pool, Projects
from stores.outbox import MOST_REFUSALS

pytestmark = pytest.mark.postgres

LEASE = timedelta(seconds=30)


def cinema(dsn: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CINEMA_POSTGRES_DSN": dsn, "COLUMNS": "300"}
    command = [sys.executable, "-m", "cinema", "outbox", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
async def dead_and_waiting(pool: Pool) -> tuple[Job, Job]:
    await pool.execute("delete from outbox")
    owner = uuid4()
    await Projects(pool).ensure_profile(owner)
    project = await Projects(pool).create(owner, "Kitchen talk")
    dead, waiting = [await Jobs(pool).create(owner, project.id, JobRequest()) for _ in range(2)]
    for _ in range(MOST_REFUSALS):
        await pool.execute("update outbox set available_at = now() where job_id = $1", dead.id)
        (entry,) = [entry for entry in await Outbox(pool).claim(2, LEASE) if entry.job_id == dead.id]
        await Outbox(pool).refuse(entry, "[the server] said no")
    return dead, waiting


async def test_operators_see_what_was_given_up_and_replay_it(
    pool: Pool, postgres_dsn: str, dead_and_waiting: tuple[Job, Job]
) -> None:
    dead, waiting = dead_and_waiting
    shown = cinema(postgres_dsn)
    assert shown.returncode == 0, shown.stderr
    assert "1 waiting" in shown.stdout
    assert "1 given up" in shown.stdout
    assert "[the server] said no" in shown.stdout
    document = json.loads(cinema(postgres_dsn, "--json").stdout)
    assert document["backlog"]["dead"] == 1
    assert [(letter["job_id"], letter["state"]) for letter in document["letters"]] == [
        (str(dead.id), "dead"),
        (str(waiting.id), "waiting"),
    ]
    refused = cinema(postgres_dsn, "replay", str(waiting.id))
    assert (refused.returncode, refused.stdout) == (1, f"The start of job {waiting.id} was not given up.\n")
    replayed = cinema(postgres_dsn, "replay", "--all")
    assert (replayed.returncode, replayed.stdout) == (0, f"job {dead.id} waits to be started again\n")
    assert (await Jobs(pool).get(dead.id)).status is JobStatus.QUEUED
    assert cinema(postgres_dsn, "replay", "--all").stdout == "Nothing was given up.\n"


@pytest.mark.parametrize("arguments", [(), ("--all", "11111111-1111-1111-1111-111111111111"), ("job",)])
def test_a_replay_of_nothing_in_particular_is_not_understood(arguments: tuple[str, ...]) -> None:
    assert cinema("postgresql://nowhere", "replay", *arguments).returncode == 2

"""``cinema cost`` as whoever pays reads it."""

import json
import os
import subprocess
import sys
from uuid import uuid4

import pytest

from schemas.cost import Outcome, Usage
from schemas.jobs import Job, JobRequest
from schemas.media import AssetKind
from stores import AnalysisWork, Assets, Jobs, Ledger, Pool, Projects

pytestmark = pytest.mark.postgres


def cinema(dsn: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CINEMA_POSTGRES_DSN": dsn, "COLUMNS": "200"}
    command = [sys.executable, "-m", "cinema", "cost", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
async def job(pool: Pool) -> Job:
    """A job that lost an analysis and then made it."""
    owner = uuid4()
    await Projects(pool).ensure_profile(owner)
    project = await Projects(pool).create(owner, "Kitchen talk")
    asset = await Assets(pool).add(
        owner_id=owner,
        project_id=project.id,
        name="[talk].mp4",
        kind=AssetKind.A_ROLL,
        object_key="a/talk.mp4",
        size_bytes=7,
        sha256="0" * 64,
        position=0,
    )
    job = await Jobs(pool).create(owner, project.id, JobRequest())
    work = AnalysisWork(job.id, asset.id, "faces")
    await Ledger(pool).keep_up(await Ledger(pool).begin_analysis(work), Usage(wall_s=4, cpu_s=3))
    made = await Ledger(pool).begin_analysis(work)
    await Ledger(pool).end(made, Outcome.SUCCEEDED, Usage(wall_s=8.5, cpu_s=7.25, bytes_read=3_000_000), 4_000_000)
    return job


async def test_each_attempt_is_shown_with_who_pays(postgres_dsn: str, job: Job) -> None:
    shown = cinema(postgres_dsn, str(job.id))
    assert shown.returncode == 0, shown.stderr
    lost, made = (line for line in shown.stdout.splitlines() if "faces of [talk].mp4" in line)
    assert all(part in lost for part in ("lost", "us", " 4.0 ", " 3.0 "))
    assert all(part in made for part in ("succeeded", "creator", " 8.5 ", " 7.2 ", "3 MB"))
    document = json.loads(cinema(postgres_dsn, str(job.id), "--json").stdout)
    assert document["bill"]["creator"]["usage"]["cpu_s"] == 7.25
    assert document["bill"]["house"]["usage"]["cpu_s"] == 3
    assert [entry["outcome"] for entry in document["entries"]] == ["lost", "succeeded"]


async def test_a_job_that_is_not_there_is_said_to_be_not_there(postgres_dsn: str) -> None:
    missing = cinema(postgres_dsn, str(uuid4()))
    assert (missing.returncode, missing.stderr) == (1, "cinema: This job does not exist.\n")

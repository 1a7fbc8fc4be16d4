"""Each table tried in SQL as another signed-in creator, and as nobody."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product
from uuid import UUID, uuid4

import asyncpg
import pytest

from schemas.analysing import ArtifactRef
from schemas.cost import Outcome, Usage
from schemas.errors import CinemaError, ErrorCode
from schemas.jobs import Job, Project
from schemas.media import AssetKind
from schemas.resources.jobs import JobResource
from stores import ActingAs, Analyses, AnalysisWork, Assets, Jobs, Ledger, Outputs, Pool, Projects
from stores.database import Connection
from stores.job_reading import job_as_seen_by

pytestmark = pytest.mark.postgres

TABLES = ("plans", "profiles", "projects", "assets", "jobs", "job_outputs", "analyses", "outbox", "ledger")
OWNED = ("profiles", "projects", "assets", "jobs", "job_outputs", "ledger")


@pytest.fixture
async def stranger(pool: Pool, project: Project, job: Job) -> UUID:
    """Another creator, with every table of the database holding a row of the first one."""
    await Assets(pool).add(
        owner_id=project.owner_id,
        project_id=project.id,
        name="talk.mp4",
        kind=AssetKind.A_ROLL,
        object_key="a/talk.mp4",
        size_bytes=7,
        sha256="0" * 64,
        position=0,
    )
    artifact = ArtifactRef(analyzer="shots", key="c" * 64, object_key="shots/c.json")
    await Analyses(pool).record(artifact, asset_sha256="0" * 64, analyzer_version="1")
    entry = await Ledger(pool).begin_analysis(AnalysisWork(job.id, uuid4(), "shots"))
    await Ledger(pool).end(entry, Outcome.SUCCEEDED, Usage(cpu_s=1))
    other = uuid4()
    await Projects(pool).ensure_profile(other)
    for table in TABLES:
        assert await pool.fetchval(f"select count(*) from {table}") > 0, table
    assert job.owner_id != other
    return other


@asynccontextmanager
async def role(pool: Pool, name: str) -> AsyncIterator[Connection]:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(f"set local role {name}")
        yield connection


async def test_a_creator_sees_their_own_rows_and_no_others(pool: Pool, owner_id: UUID, stranger: UUID) -> None:
    for table in OWNED:
        own = {stranger} if table == "profiles" else set()
        assert await owners_seen_by(pool, owner_id, table) == {owner_id}, table
        assert await owners_seen_by(pool, stranger, table) == own, table


async def owners_seen_by(pool: Pool, creator: UUID, table: str) -> set[UUID]:
    column = "id" if table == "profiles" else "owner_id"
    async with ActingAs(pool, creator).acquire() as connection:
        return {row["owner"] for row in await connection.fetch(f"select {column} as owner from {table}")}


@pytest.mark.usefixtures("stranger")
async def test_what_belongs_to_nobody_is_the_services_own(pool: Pool, owner_id: UUID) -> None:
    for table in ("analyses", "outbox"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with ActingAs(pool, owner_id).acquire() as connection:
                await connection.fetch(f"select * from {table}")


@pytest.mark.parametrize(
    "statement", ["delete from {}", "update {} set created_at = now()", "insert into {} default values"]
)
async def test_a_creator_writes_no_row_that_the_services_rely_on(
    pool: Pool, owner_id: UUID, stranger: UUID, statement: str
) -> None:
    for creator, table in product((owner_id, stranger), TABLES):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with ActingAs(pool, creator).acquire() as connection:
                await connection.execute(statement.format(table))


async def test_a_creator_creates_and_renames_only_their_own_projects(
    pool: Pool, project: Project, stranger: UUID
) -> None:
    mine = await Projects(ActingAs(pool, stranger)).create(stranger, "Mine")
    async with ActingAs(pool, stranger).acquire() as connection:
        assert await connection.execute("update projects set name = 'taken'") == "UPDATE 1"
    assert (await Projects(pool).get(project.id)).name == project.name
    assert (await Projects(pool).get(mine.id)).name == "taken"
    with pytest.raises(CinemaError):
        await Projects(ActingAs(pool, stranger)).create(project.owner_id, "Forged")


async def test_repositories_find_nothing_of_others(pool: Pool, job: Job, stranger: UUID) -> None:
    view = ActingAs(pool, stranger)
    for reading in (Jobs(view).get(job.id), Outputs(view).get(job.outputs[0].id), Projects(view).get(job.project_id)):
        with pytest.raises(CinemaError) as missing:
            await reading
        assert missing.value.code is ErrorCode.NOT_FOUND
    assert await Assets(view).for_project(job.project_id) == ()
    assert (await Jobs(ActingAs(pool, job.owner_id)).get(job.id)) == job


async def test_a_job_read_in_one_round_trip_is_the_job_that_its_owner_sees(
    pool: Pool, job: Job, stranger: UUID
) -> None:
    for _ in range(7):  # Postgres makes its plan for all roles and values anew, and then once and for all.
        assert await job_as_seen_by(ActingAs(pool, job.owner_id), job.id) == JobResource.of(job)
        with pytest.raises(CinemaError) as missing:
            await job_as_seen_by(ActingAs(pool, stranger), job.id)
        assert missing.value.code is ErrorCode.NOT_FOUND


@pytest.mark.parametrize("who", ["anon", "authenticated"])
async def test_only_the_services_read_as_somebody(pool: Pool, job: Job, who: str) -> None:
    claims = json.dumps({"sub": str(job.owner_id)})
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with role(pool, who) as connection:
            await connection.fetchval("select cinema.job_with_expiry($1, $2)", claims, job.id)


@pytest.mark.usefixtures("stranger")
async def test_nobody_sees_nothing(pool: Pool) -> None:
    for table in TABLES:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with role(pool, "anon") as connection:
                await connection.fetch(f"select * from {table}")


@pytest.mark.usefixtures("stranger")
async def test_the_service_role_sees_everything(pool: Pool) -> None:
    for table in TABLES:
        count = f"select count(*) from {table}"
        async with role(pool, "service_role") as connection:
            assert await connection.fetchval(count) == await pool.fetchval(count) > 0


async def test_nothing_of_a_creator_stays_on_the_connection(pool: Pool, owner_id: UUID) -> None:
    async with pool.acquire() as connection:
        before = await connection.fetchval("select current_user")
    for _ in range(3):
        with pytest.raises(CinemaError):
            await job_as_seen_by(ActingAs(pool, owner_id), uuid4())
        assert await pool.fetchrow("select current_user, auth.uid()") == (before, None)
        async with ActingAs(pool, owner_id).acquire() as connection:
            assert await connection.fetchval("select current_user") == "authenticated"
            assert await connection.fetchval("select auth.uid()") == owner_id
    async with pool.acquire() as connection:
        assert await connection.fetchval("select current_user") == before
        assert await connection.fetchval("select auth.uid()") is None

"""Migrations: once each, in order, together, and never changed afterwards."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from schemas.errors import CinemaError, ErrorCode, TransientError
from schemas.jobs import JobRequest
from stores import ActingAs, Jobs, Projects, bootstrap_embedded, migrate, open_pool
from stores.job_reading import job_as_seen_by
from stores.migration import Migration, shipped_migrations

pytestmark = pytest.mark.postgres


async def test_each_migration_is_applied_once_and_in_order(bare_dsn: str) -> None:
    await bootstrap_embedded(bare_dsn)
    applied = await migrate(bare_dsn)
    assert applied == tuple(step.name for step in shipped_migrations())
    assert applied[0] == "0001_tables"
    assert await migrate(bare_dsn) == ()


async def test_processes_that_migrate_at_once_share_the_work(bare_dsn: str) -> None:
    await asyncio.gather(*(bootstrap_embedded(bare_dsn) for _ in range(4)))
    applied = await asyncio.gather(*(migrate(bare_dsn) for _ in range(5)))
    assert sorted(name for names in applied for name in names) == [step.name for step in shipped_migrations()]


async def test_a_migration_changed_after_it_was_applied_is_an_error(dsn: str) -> None:
    first, *rest = shipped_migrations()
    with pytest.raises(CinemaError, match="0001_tables was changed") as refused:
        await migrate(dsn, (replace(first, sql=f"{first.sql}\n-- an afterthought"), *rest))
    assert not refused.value.retryable


async def test_line_ends_do_not_count_as_a_change(dsn: str) -> None:
    windows = tuple(replace(step, sql=step.sql.replace("\n", "\r\n")) for step in shipped_migrations())
    assert await migrate(dsn, windows) == ()


async def test_a_migration_that_fails_half_way_leaves_nothing_of_itself(dsn: str) -> None:
    good = Migration("9001_good", "create table public.good (id int)")
    bad = Migration("9002_bad", "create table public.bad (id int); select nonsense()")
    with pytest.raises(CinemaError) as refused:
        await migrate(dsn, (good, bad))
    assert refused.value.code is ErrorCode.INTERNAL
    async with administrator(dsn) as connection:
        assert await connection.fetchval("select to_regclass('public.good') is not null")
        assert await connection.fetchval("select to_regclass('public.bad') is null")
        assert await connection.fetchval("select count(*) from cinema.migrations where name like '900%'") == 1


async def test_the_migrations_need_no_superuser(server_dsn: str, bare_dsn: str) -> None:
    await bootstrap_embedded(bare_dsn)
    role = f"tenant_{uuid4().hex}"
    async with administrator(bare_dsn) as connection:
        await connection.execute(f"create role {role} login nosuperuser")
        await connection.execute(f"grant anon, authenticated, service_role to {role}")
        await connection.execute(f"grant create on schema public to {role}")
        await connection.execute(f'grant create on database "{urlsplit(bare_dsn).path[1:]}" to {role}')
    tenant_dsn = urlsplit(bare_dsn)._replace(netloc=f"{role}@").geturl()
    assert len(await migrate(tenant_dsn)) == len(shipped_migrations())
    async with await open_pool(tenant_dsn, max_size=2) as pool:
        owner = uuid4()
        await Projects(pool).ensure_profile(owner)
        project = await Projects(ActingAs(pool, owner)).create(owner, "Tenant's")
        job = await Jobs(pool).create(owner, project.id, JobRequest())
        assert await Jobs(ActingAs(pool, owner)).get(job.id) == job
        assert (await job_as_seen_by(ActingAs(pool, owner), job.id)).id == job.id
    async with administrator(bare_dsn) as connection:
        await connection.execute(f"drop owned by {role} cascade")
    async with administrator(server_dsn) as connection:
        await connection.execute(f"drop role if exists {role}")


@asynccontextmanager
async def administrator(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def test_a_server_that_is_not_there_is_a_passing_trouble() -> None:
    nowhere = "postgresql://nobody@127.0.0.1:9/none"
    for attempt in (open_pool(nowhere), migrate(nowhere), bootstrap_embedded(nowhere)):
        with pytest.raises(TransientError) as refused:
            await attempt
        assert refused.value.code is ErrorCode.STORE_UNAVAILABLE
        assert refused.value.retryable

"""Migrations: once each, in order, together, and never changed afterwards."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from schemas.errors import CinemaError, ErrorCode, TransientError
from stores import bootstrap_embedded, migrate, open_pool
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
    connection = await asyncpg.connect(dsn)
    try:
        assert await connection.fetchval("select to_regclass('public.good') is not null")
        assert await connection.fetchval("select to_regclass('public.bad') is null")
        assert await connection.fetchval("select count(*) from cinema.migrations where name like '900%'") == 1
    finally:
        await connection.close()


async def test_a_server_that_is_not_there_is_a_passing_trouble() -> None:
    nowhere = "postgresql://nobody@127.0.0.1:9/none"
    for attempt in (open_pool(nowhere), migrate(nowhere), bootstrap_embedded(nowhere)):
        with pytest.raises(TransientError) as refused:
            await attempt
        assert refused.value.code is ErrorCode.STORE_UNAVAILABLE
        assert refused.value.retryable

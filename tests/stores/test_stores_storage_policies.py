"""Who reads stored objects past the API, tried in SQL on a database that has Storage, and on one that has none."""

from uuid import uuid4

import asyncpg
import pytest

from stores import ActingAs, bootstrap_embedded, migrate, open_pool
from stores.supabase_storage import secure_storage

pytestmark = pytest.mark.postgres

#: As far as policies rely on it (github.com/supabase/storage, ``migrations/tenant/0002-storage-schema.sql``).
STORAGE = """
    create schema storage;
    create table storage.objects (
        id uuid primary key default gen_random_uuid(), bucket_id text, name text, metadata jsonb
    );
    alter table storage.objects enable row level security;
    grant usage on schema storage to anon, authenticated, service_role;
    grant all on storage.objects to anon, authenticated, service_role;
"""


@pytest.fixture
async def supabase_dsn(bare_dsn: str) -> str:
    """A migrated database to which Storage came first."""
    await bootstrap_embedded(bare_dsn)
    connection = await asyncpg.connect(bare_dsn)
    await connection.execute(STORAGE)
    await connection.close()
    await migrate(bare_dsn)
    return bare_dsn


async def test_creators_read_their_own_objects_and_write_none(supabase_dsn: str) -> None:
    mine, theirs = uuid4(), uuid4()
    async with await open_pool(supabase_dsn, max_size=2) as pool:
        places = [("assets", f"{mine}/p/a.mp4"), ("outputs", f"{mine}/p/o.mp4"), ("thumbs", f"{mine}/t.jpg")]
        others = [("assets", f"{theirs}/{mine}.mp4"), ("analysis", f"{mine}/a.json"), ("elsewhere", f"{mine}/x")]
        await pool.executemany("insert into storage.objects (bucket_id, name) values ($1, $2)", places + others)
        async with ActingAs(pool, mine).acquire() as connection:
            rows = await connection.fetch("select bucket_id, name from storage.objects")
            assert {tuple(row) for row in rows} == set(places)
            assert await connection.execute("update storage.objects set name = 'x'") == "UPDATE 0"
            assert await connection.execute("delete from storage.objects") == "DELETE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with ActingAs(pool, mine).acquire() as connection:
                await connection.execute(f"insert into storage.objects (bucket_id, name) values ('assets', '{mine}/n')")
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("set local role anon")
            assert await connection.fetchval("select count(*) from storage.objects") == 0


async def test_policies_can_be_made_again_and_after_the_fact(supabase_dsn: str, dsn: str) -> None:
    assert await secure_storage(supabase_dsn)
    assert not await secure_storage(dsn)
    connection = await asyncpg.connect(dsn)
    await connection.execute(STORAGE)
    assert await secure_storage(dsn)
    assert await connection.fetchval("select count(*) from pg_policies where schemaname = 'storage'") == 1
    await connection.close()

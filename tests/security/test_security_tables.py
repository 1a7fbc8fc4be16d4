"""Every table of the database in plain SQL, as another creator and as nobody. A new table needs no naming here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
import pytest

from stores import ActingAs, Pool, Projects
from stores.database import Connection
from tests.security.belongings import SHARED_TABLES, Belongings

pytestmark = pytest.mark.postgres

#: What creators may write themselves: a project of their own, and its name.
WRITABLE = {"projects": {"insert": {"owner_id", "name"}, "update": {"name"}}}


async def tables(pool: Pool) -> list[str]:
    rows = await pool.fetch(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1"
    )
    return [row["relname"] for row in rows]


async def granted(pool: Pool, role: str, table: str, privilege: str) -> set[str]:
    """The columns of ``table`` that ``role`` may use so."""
    rows = await pool.fetch(
        """
        select attname from pg_attribute
        where attrelid = format('public.%I', $2::text)::regclass and attnum > 0 and not attisdropped
            and has_column_privilege($1, attrelid, attnum, $3)
        """,
        role,
        table,
        privilege,
    )
    return {row["attname"] for row in rows}


@asynccontextmanager
async def trying(pool: Pool, creator: UUID) -> AsyncIterator[Connection]:
    async with ActingAs(pool, creator).acquire() as connection:
        yield connection


@pytest.fixture
async def stranger(pool: Pool) -> UUID:
    other = uuid4()
    await Projects(pool).ensure_profile(other)
    return other


async def test_nobody_sees_or_writes_a_creators_rows(pool: Pool, belongings: Belongings, stranger: UUID) -> None:
    tried = await tables(pool)
    assert {"projects", "jobs", "assets", "webhook_secrets", "service_tokens", "audit_log"} <= set(tried)
    for table in tried:
        await _reads_nothing(pool, table, stranger)
        await _inserts_nothing(pool, table, stranger, belongings.owner_id)
        for statement in ("update public.{} set {} = {}", "delete from public.{}"):
            await _changes_nothing(pool, table, stranger, statement)


async def _reads_nothing(pool: Pool, table: str, stranger: UUID) -> None:
    readable = await granted(pool, "authenticated", table, "select")
    if not readable:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with trying(pool, stranger) as connection:
                await connection.fetch(f"select from public.{table}")
        return
    async with trying(pool, stranger) as connection:
        rows = await connection.fetch(f"select {', '.join(sorted(readable))} from public.{table}")
    if table not in SHARED_TABLES:
        owner = "id" if table == "profiles" else "owner_id"
        assert [row for row in rows if row[owner] != stranger] == [], table


async def _inserts_nothing(pool: Pool, table: str, stranger: UUID, owner_id: UUID) -> None:
    columns = await granted(pool, "authenticated", table, "insert")
    assert columns == WRITABLE.get(table, {}).get("insert", set()), table
    names, values = ("(owner_id, name)", "values ($1, 'Forged')") if columns else ("", "default values")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with trying(pool, stranger) as connection:
            await connection.execute(f"insert into public.{table} {names} {values}", *([owner_id] if columns else []))


async def _changes_nothing(pool: Pool, table: str, stranger: UUID, statement: str) -> None:
    columns = await granted(pool, "authenticated", table, "update")
    assert columns == WRITABLE.get(table, {}).get("update", set()), table
    column = min(columns) if columns else await _first_column(pool, table)
    try:
        async with trying(pool, stranger) as connection:
            done = await connection.execute(statement.format(table, column, column))
    except asyncpg.InsufficientPrivilegeError:
        return
    assert done.endswith(" 0"), (table, done)


async def _first_column(pool: Pool, table: str) -> str:
    """One that may be set at all."""
    name: str = await pool.fetchval(
        """
        select attname from pg_attribute
        where attrelid = format('public.%I', $1::text)::regclass
            and attnum > 0 and attidentity = '' and attgenerated = '' order by attnum limit 1
        """,
        table,
    )
    return name


async def test_every_table_is_under_row_level_security(pool: Pool) -> None:
    bare = await pool.fetch(
        """
        select relname from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relrowsecurity
        """
    )
    assert [row["relname"] for row in bare] == []


async def test_every_policy_asks_who_it_is(pool: Pool) -> None:
    policies = await pool.fetch("select * from pg_policies where schemaname = 'public'")
    assert policies
    for policy in policies:
        asked = f"{policy['qual']} {policy['with_check']}"
        assert policy["tablename"] in SHARED_TABLES or "auth.uid()" in asked, policy
        assert policy["roles"] == ["authenticated"], policy


async def test_views_show_what_their_reader_may_see(pool: Pool) -> None:
    """A view without ``security_invoker`` sees with its owner's eyes."""
    views = await pool.fetch(
        """
        select relname, relkind, coalesce('security_invoker=true' = any (reloptions), false) as safe
        from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')
        """
    )
    for view in views:
        safe = view["safe"] or not await granted(pool, "authenticated", view["relname"], "select")
        assert safe, view["relname"]


@pytest.mark.usefixtures("belongings")
async def test_who_is_not_signed_in_may_do_nothing(pool: Pool) -> None:
    for table in await tables(pool):
        for privilege in ("select", "insert", "update"):
            assert await granted(pool, "anon", table, privilege) == set(), (table, privilege)
        assert not await pool.fetchval("select has_table_privilege('anon', $1, 'delete, truncate')", f"public.{table}")


async def test_creators_call_no_function_of_ours(pool: Pool) -> None:
    """The services' functions are in a schema that creators cannot enter, and the public one has none."""
    for role in ("anon", "authenticated"):
        assert not await pool.fetchval("select has_schema_privilege($1, 'cinema', 'usage')", role)
    ours = "select count(*) from pg_proc where pronamespace = 'public'::regnamespace"
    assert await pool.fetchval(ours) == 0

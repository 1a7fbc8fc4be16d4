"""Brings a database to the shape this version of the code needs."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files

import asyncpg

from schemas.errors import CinemaError, ErrorCode
from stores.database import Connection, database_errors

#: Our own key among Postgres's advisory locks: "CINEMA" in ASCII.
_LOCK_KEY = 0x43494E454D41


@dataclass(frozen=True)
class Migration:
    """One SQL file. ``checksum`` is over its text with line ends normalised, as checkouts differ in them."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256("\n".join(self.sql.splitlines()).encode()).hexdigest()


def shipped_migrations() -> tuple[Migration, ...]:
    """The migrations of this version, in order."""
    folder = files("stores") / "migrations"
    found = [file for file in folder.iterdir() if file.name.endswith(".sql")]
    return tuple(
        Migration(file.name.removesuffix(".sql"), file.read_text(encoding="utf-8"))
        for file in sorted(found, key=lambda file: file.name)
    )


async def migrate(dsn: str, migrations: tuple[Migration, ...] | None = None) -> tuple[str, ...]:
    """Applies what has not been applied yet, each migration in a transaction of its own, and names what it applied.

    Any number of processes may migrate at once: each step holds an advisory lock until it commits, so one applies a
    migration and the others find it applied. A migration that fails leaves those before it in place.

    Raises:
        CinemaError: the database lacks what Supabase's has before the first migration, an applied migration has been
            changed since, or a migration's SQL was refused (``INTERNAL``).
        TransientError: the server cannot be reached (``STORE_UNAVAILABLE``).
    """
    with database_errors():
        connection = await asyncpg.connect(dsn, statement_cache_size=0)
        try:
            await _check_base(connection)
            pending = shipped_migrations() if migrations is None else migrations
            return tuple([step.name for step in pending if await _apply_once(connection, step)])
        finally:
            await connection.close()


async def _check_base(connection: Connection) -> None:
    """Refuse a bare Postgres in a sentence, before the first migration fails for want of a role."""
    found = await connection.fetchval("""
        select exists (
            select from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
            where nspname = 'auth' and proname = 'uid'
        )
    """)
    if not found:
        raise CinemaError(
            ErrorCode.INTERNAL,
            "This Postgres lacks what Supabase's has: have a superuser run stores/supabase_base.sql on it first.",
        )


async def _apply_once(connection: Connection, migration: Migration) -> bool:
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK_KEY)
        await _ensure_record(connection)
        applied = await connection.fetchval("select checksum from cinema.migrations where name = $1", migration.name)
        if applied is None:
            await connection.execute(migration.sql)
            await connection.execute(
                "insert into cinema.migrations (name, checksum) values ($1, $2)", migration.name, migration.checksum
            )
        elif applied != migration.checksum:
            raise CinemaError(
                ErrorCode.INTERNAL,
                f"Migration {migration.name} was changed after it had been applied to this database. "
                "Restore its file and put the change into a new migration.",
            )
    return applied is None


async def _ensure_record(connection: Connection) -> None:
    if await connection.fetchval("select to_regclass('cinema.migrations') is null"):
        await connection.execute("""
            create schema if not exists cinema;
            create table cinema.migrations (
                name text primary key,
                checksum text not null,
                applied_at timestamptz not null default now()
            );
        """)


async def bootstrap_embedded(dsn: str) -> None:
    """Gives a bare Postgres what every Supabase database has before our migrations. May be run again, and at once.

    Raises:
        TransientError: the server cannot be reached (``STORE_UNAVAILABLE``).
    """
    script = (files("stores") / "supabase_base.sql").read_text(encoding="utf-8")
    with database_errors():
        connection = await asyncpg.connect(dsn, statement_cache_size=0)
        try:
            async with connection.transaction():
                await connection.execute("select pg_advisory_xact_lock($1)", _LOCK_KEY)
                await connection.execute(script)
        finally:
            await connection.close()

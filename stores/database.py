"""Connections to Postgres and what its errors mean to us."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, Protocol, TypeAlias, TypeVar
from uuid import UUID

import asyncpg

from schemas.errors import CinemaError, ConflictError, ErrorCode, TransientError
from schemas.model import Model

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Row = TypeVar("Row", bound=Model)

#: A query of ours takes milliseconds; one that takes this long is stuck behind a broken network or lock.
COMMAND_TIMEOUT_S = 60.0

#: Raised by the triggers of migration 0002.
_CONFLICTS = {"CN001": ErrorCode.INVALID_TRANSITION, "CN002": ErrorCode.STALE_ATTEMPT}

#: SQLSTATE classes (PostgreSQL manual, appendix A) that say something about the server's moment, not about the query:
#: connection, authorisation, unknown database, rollback, resources, lock, operator intervention, system.
_TRANSIENT_CLASSES = frozenset({"08", "28", "3D", "40", "53", "55", "57", "58"})


class Connections(Protocol):
    """Where the repositories take connections from: a pool, or a creator's narrowed view of one (:class:`ActingAs`)."""

    def acquire(self) -> AbstractAsyncContextManager[Connection]: ...


async def open_pool(dsn: str, *, min_size: int = 1, max_size: int = 10, statement_cache_size: int = 100) -> Pool:
    """A pool whose connections speak JSON.

    Args:
        dsn: ``postgresql://`` address.
        min_size: connections opened at once and kept.
        max_size: the most connections held.
        statement_cache_size: 0 behind a pooler in transaction mode, where a prepared statement may not be there again.

    Raises:
        TransientError: the server cannot be reached (``STORE_UNAVAILABLE``).
    """
    with database_errors():
        return await asyncpg.create_pool(
            dsn,
            min_size=min_size,
            max_size=max_size,
            statement_cache_size=statement_cache_size,
            command_timeout=COMMAND_TIMEOUT_S,
            init=_speak_json,
            reset=_leave_clean,
        )


async def _speak_json(connection: Connection) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def _leave_clean(connection: Connection) -> None:
    """Spares every use of a connection a round trip: settings and locks of ours end with their transaction."""
    if connection.is_in_transaction():
        await connection.reset()


@contextmanager
def database_errors() -> Iterator[None]:
    """Turns what asyncpg raises into our errors, with the original as the cause."""
    try:
        yield
    except asyncpg.PostgresError as error:
        raise _translated(error) from error
    except asyncpg.DataError as error:
        raise CinemaError(ErrorCode.INTERNAL, "A value does not fit the database.") from error
    except (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError) as error:
        # InternalClientError: asyncpg's state machine, caught between a server's farewell and the end of the stream.
        raise TransientError.store("The database cannot be reached at the moment.") from error


def _translated(error: asyncpg.PostgresError) -> CinemaError:
    sqlstate: str = error.sqlstate or ""
    if sqlstate in _CONFLICTS:
        return ConflictError(_CONFLICTS[sqlstate], str(error))
    if isinstance(error, asyncpg.ForeignKeyViolationError):
        return CinemaError(ErrorCode.NOT_FOUND, "What this belongs to does not exist.")
    if sqlstate[:2] in _TRANSIENT_CLASSES:
        return TransientError.store("The database cannot answer at the moment.")
    return CinemaError(ErrorCode.INTERNAL, "The database refused a change that breaks its rules.")


@asynccontextmanager
async def session(connections: Connections) -> AsyncIterator[Connection]:
    """A connection for single statements."""
    with database_errors():
        async with connections.acquire() as connection:
            yield connection


@asynccontextmanager
async def transaction(connections: Connections) -> AsyncIterator[Connection]:
    """A connection in a transaction: all statements take effect together, or none does."""
    async with session(connections) as connection:
        if connection.is_in_transaction():  # As a creator's are from the start.
            yield connection
            return
        async with connection.transaction():
            yield connection


#: Until the transaction ends (``set local``), in one round trip; the claims first, while we may still set anything.
_BECOME = "select set_config('request.jwt.claims', $1, true), set_config('role', 'authenticated', true)"


class ActingAs:
    """Connections that see and do only what row-level security grants one creator.

    Each is inside a transaction in role ``authenticated`` with the creator's claims set for that transaction alone, so
    nothing of them is left on the pooled connection.
    """

    def __init__(self, connections: Connections, owner_id: UUID) -> None:
        self._connections = connections
        self._claims = json.dumps({"sub": str(owner_id), "role": "authenticated"})

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        async with self._connections.acquire() as connection, connection.transaction():
            await connection.fetchrow(_BECOME, self._claims)
            yield connection

    async def read(self, statement: str, *arguments: object) -> Any:
        """One value in one round trip, by a function of the database that takes the claims (``$1``) and acts by them.

        The statement is a transaction of its own, so that nothing of them is left on the pooled connection either.
        """
        with database_errors():
            async with self._connections.acquire() as connection:
                return await connection.fetchval(statement, self._claims, *arguments)


def model_from(row: asyncpg.Record | Mapping[str, Any], model: type[Row]) -> Row:
    """The row as a model whose fields are columns; columns that clients do not see are left out."""
    return model.model_validate({name: row[name] for name in model.model_fields})


def storable(text: str) -> str:
    """``text`` as Postgres can keep it: NUL and lone surrogates, which it refuses, become U+FFFD."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def storable_json(value: Any) -> Any:
    """The same for every string in a JSON value."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(key): storable_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [storable_json(item) for item in value]
    return value

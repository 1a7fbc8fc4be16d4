"""The exclusive right to make something, held by a process for as long as it lives and says so."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta

from schemas.errors import CinemaError
from stores.database import Connection, Connections, database_errors, session, transaction

#: Ends with the transaction it is taken in.
_TAKE = "select pg_try_advisory_xact_lock(hashtextextended($1, 0))"

#: Seconds between two looks at whether another process has let go.
LOOK_INTERVAL = 0.5

#: A holder says this often that it lives.
SIGN_INTERVAL = timedelta(seconds=5)

#: A holder that says nothing for so long has lost the right: its machine froze, or was cut off without a word. The
#: server would else wait for it for hours.
LONGEST_SILENCE = timedelta(seconds=60)


@asynccontextmanager
async def making_right(connections: Connections, names: Iterable[str]) -> AsyncIterator[None]:
    """The right to what goes by these names, waited for; it ends with the block, or with its process.

    One connection is held for the time of the block, however many names there are. In a transaction that has written
    nothing, so that it works behind any pooler and holds back no vacuum.

    Raises:
        TransientError: the right was lost meanwhile, or the server is away (``STORE_UNAVAILABLE``).
    """
    async with _mortal(connections) as connection:
        for name in sorted(names):  # In one order, whoever asks: nobody waits for one who waits for them.
            await _acquired(connection, name)
        async with _living(connection):
            yield


@asynccontextmanager
async def making_right_if_free(connections: Connections, name: str) -> AsyncIterator[bool]:
    """The same right to one thing, and whether it was had: nobody is waited for.

    Raises:
        TransientError: the right was lost meanwhile, or the server is away (``STORE_UNAVAILABLE``).
    """
    async with _mortal(connections) as connection:
        if not await connection.fetchval(_TAKE, name):
            yield False
            return
        async with _living(connection):
            yield True


async def is_being_made(connections: Connections, name: str) -> bool:
    """Whether somebody has the right to it at this moment; any number may look without being in each other's way."""
    async with session(connections) as connection:
        look = "select pg_try_advisory_xact_lock_shared(hashtextextended($1, 0))"
        return not await connection.fetchval(look, name)


@asynccontextmanager
async def _mortal(connections: Connections) -> AsyncIterator[Connection]:
    """A transaction that the server ends when its process falls silent."""
    async with transaction(connections) as connection:
        milliseconds = str(round(LONGEST_SILENCE.total_seconds() * 1000))
        await connection.execute("select set_config('idle_in_transaction_session_timeout', $1, true)", milliseconds)
        yield connection


@asynccontextmanager
async def _living(connection: Connection) -> AsyncIterator[None]:
    """Say for the time of the block that this process lives."""
    over = asyncio.Event()
    living = asyncio.create_task(_give_signs(connection, over))
    try:
        yield
    finally:
        over.set()
        await living


async def _acquired(connection: Connection, name: str) -> None:
    while not await connection.fetchval(_TAKE, name):  # noqa: ASYNC110 (a lock of other processes)
        await asyncio.sleep(LOOK_INTERVAL)


async def _give_signs(connection: Connection, over: asyncio.Event) -> None:
    while not over.is_set():
        try:
            async with asyncio.timeout(SIGN_INTERVAL.total_seconds()):
                await over.wait()
        except TimeoutError:
            try:
                with database_errors():
                    await connection.execute("select")
            except CinemaError:
                return  # It is lost; the end of the transaction says so.

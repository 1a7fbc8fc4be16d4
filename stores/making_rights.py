"""The exclusive right to make something, held by a process for as long as it lives and says so."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta

from schemas.errors import CinemaError
from stores.database import Connection, Connections, database_errors, transaction

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
    async with transaction(connections) as connection:
        milliseconds = str(round(LONGEST_SILENCE.total_seconds() * 1000))
        await connection.execute("select set_config('idle_in_transaction_session_timeout', $1, true)", milliseconds)
        for name in sorted(names):  # In one order, whoever asks: nobody waits for one who waits for them.
            await _acquired(connection, name)
        over = asyncio.Event()
        living = asyncio.create_task(_give_signs(connection, over))
        try:
            yield
        finally:
            over.set()
            await living


async def _acquired(connection: Connection, name: str) -> None:
    lock = "select pg_try_advisory_xact_lock(hashtextextended($1, 0))"
    while not await connection.fetchval(lock, name):  # noqa: ASYNC110 (a lock of other processes)
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

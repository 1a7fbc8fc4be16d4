"""Waking up when the database says that something changed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Final

import asyncpg

from schemas.errors import TransientError
from stores.database import Connection, Connections, session

JOBS_CHANNEL: Final = "cinema_jobs"
OUTBOX_CHANNEL: Final = "cinema_outbox"

#: Notifications kept for a slow reader. One that falls further behind is told so, and reads the rows: they are the
#: truth.
_BACKLOG = 1024


class Notifications:
    """The payloads sent on one channel since listening began, in order."""

    def __init__(self) -> None:
        self._payloads: asyncio.Queue[str | None] = asyncio.Queue(_BACKLOG)

    async def next(self, longest: timedelta) -> str | None:
        """The next payload, or ``None`` if none came for this long.

        Raises:
            TransientError: the connection was lost, or more was sent than is kept (``STORE_UNAVAILABLE``); what was
                sent since the last one is not known.
        """
        try:
            payload = await asyncio.wait_for(self._payloads.get(), longest.total_seconds())
        except TimeoutError:
            return None
        if payload is None:
            raise TransientError.store("Not all that the database had to say was heard.")
        return payload

    def add(self, payload: str | None) -> None:
        """Appends a payload, ``None`` for a lost connection; one too many makes all that wait one that is lost."""
        if self._payloads.full():
            while not self._payloads.empty():
                self._payloads.get_nowait()
            payload = None
        self._payloads.put_nowait(payload)


@asynccontextmanager
async def listen(connections: Connections, channel: str) -> AsyncIterator[Notifications]:
    """Listens on ``channel`` with a connection of its own, which a pooler in transaction mode cannot give."""
    async with session(connections) as connection, listening(connection, channel) as notifications:
        yield notifications


@asynccontextmanager
async def listening(connection: Connection, channel: str) -> AsyncIterator[Notifications]:
    """Listens on ``channel`` with this connection, which can go on asking while it listens."""
    notifications = Notifications()

    def received(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        notifications.add(str(payload))

    def lost(_connection: object) -> None:
        notifications.add(None)

    connection.add_termination_listener(lost)
    await connection.add_listener(channel, received)
    try:
        yield notifications
    finally:
        # A connection that was lost took its listeners with it and says so by an InterfaceError.
        with suppress(asyncpg.InterfaceError):
            connection.remove_termination_listener(lost)
            await connection.remove_listener(channel, received)

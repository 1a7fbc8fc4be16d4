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

#: Notifications kept for a slow reader. One that falls further behind reads the rows anyway: they are the truth.
_BACKLOG = 1024


class Notifications:
    """The payloads sent on one channel since listening began, in order."""

    def __init__(self) -> None:
        self._payloads: asyncio.Queue[str | None] = asyncio.Queue(_BACKLOG)

    async def next(self, longest: timedelta) -> str | None:
        """The next payload, or ``None`` if none came for this long.

        Raises:
            TransientError: the connection was lost (``STORE_UNAVAILABLE``); what was sent since then is not known.
        """
        try:
            payload = await asyncio.wait_for(self._payloads.get(), longest.total_seconds())
        except TimeoutError:
            return None
        if payload is None:
            raise TransientError.store("The connection to the database was lost.")
        return payload

    def add(self, payload: str | None) -> None:
        """Appends a payload, ``None`` for a lost connection; the oldest makes room."""
        if self._payloads.full():
            self._payloads.get_nowait()
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

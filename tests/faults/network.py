"""The way to Postgres, which a test can cut: everything of the stack goes through this socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

SOCKET_NAME = ".s.PGSQL.5432"


class CuttableNetwork:
    """Passes a Unix socket on to another one.

    ``cut`` lets nothing through any more and says nothing, as a firewall does that drops packets; ``refuse`` breaks
    every connection and takes no new one; ``mend`` ends both, and what was on its way arrives.
    """

    def __init__(self, folder: Path, target: Path) -> None:
        self._folder = folder
        self._target = target
        self._open = asyncio.Event()
        self._open.set()
        self._server: asyncio.AbstractServer | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def dsn(self) -> str:
        return f"postgresql://postgres@/postgres?host={self._folder}"

    async def start(self) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._folder / SOCKET_NAME)

    async def stop(self) -> None:
        await self.refuse()

    def cut(self) -> None:
        self._open.clear()

    async def refuse(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        (self._folder / SOCKET_NAME).unlink(missing_ok=True)

    async def mend(self) -> None:
        self._open.set()
        if not (self._folder / SOCKET_NAME).exists():
            await self.start()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            async with _connected(self._target) as (far_reader, far_writer):
                there = asyncio.create_task(self._pass_on(reader, far_writer))
                back = asyncio.create_task(self._pass_on(far_reader, writer))
                try:
                    await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    there.cancel()
                    back.cancel()
                    await asyncio.gather(there, back, return_exceptions=True)
        except OSError:
            pass  # Nobody is there at the moment: the caller sees its connection closed.
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(64 << 10):
            await self._open.wait()
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def _connected(path: Path) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()

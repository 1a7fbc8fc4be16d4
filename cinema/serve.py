"""The API as a process: ``python -m cinema.serve``, on a port or on a listening socket handed in by the supervisor."""

import argparse
import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from api import ApiContext, create_app
from cinema.connections import database, objects, temporal
from cinema.exits import leave
from cinema.logs import configure_logs
from cinema.readiness import say_ready
from cinema.settings import Environment, Settings, load_settings
from cinema.stack.ports import listen
from cinema.stopping import stop_on_signals

#: Seconds that open requests get to finish when the API stops.
DRAIN_SECONDS = 5


class _Server(uvicorn.Server):
    """Tells the supervisor when it listens, and leaves signals to this module."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        say_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(settings: Settings, listener: socket.socket) -> None:
    """Answer requests until a signal asks to stop."""
    stop = stop_on_signals()
    client = await temporal(settings)
    async with database(settings) as pool:
        context = ApiContext(
            database=pool,
            temporal=client,
            objects=objects(settings),
            documented=settings.environment is Environment.DEVELOPMENT,
        )
        config = uvicorn.Config(
            create_app(context), log_config=None, access_log=False, timeout_graceful_shutdown=DRAIN_SECONDS
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        server.should_exit = True
        await serving


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve Cinema AI's API until told to stop.")
    parser.add_argument("--descriptor", type=int, help="a listening socket that this process inherited")
    descriptor: int | None = parser.parse_args().descriptor
    settings = load_settings()
    configure_logs(settings, service="api")
    listener = listen(settings.api_port) if descriptor is None else socket.socket(fileno=descriptor)
    asyncio.run(serve(settings, listener))
    leave(0)


if __name__ == "__main__":
    main()

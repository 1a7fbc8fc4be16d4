"""The port of each process that is for operators alone: ``/livez``, ``/readyz`` and ``/metrics``.

It is served by the event loop that does the work, so that it falls silent when the loop hangs.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cinema.settings import Settings
from cinema.telemetry.descriptor import DESCRIPTOR
from cinema.telemetry.probes import Probes
from cinema.web import GuestServer

#: Brings values up to date that would be costly to keep so all the time; called before each scrape.
Refresh = Callable[[], Awaitable[None]]

log = structlog.get_logger(__name__)


@asynccontextmanager
async def watched(settings: Settings, probes: Probes, refreshes: Sequence[Refresh] = ()) -> AsyncIterator[None]:
    """Answer operators for the time of the block."""
    listener = _listener(settings)
    server = GuestServer(uvicorn.Config(_app(probes, refreshes), log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="telemetry")
    log.info("watched", address="{}:{}".format(*listener.getsockname()))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


def _listener(settings: Settings) -> socket.socket:
    """The socket handed in, else one where the settings say."""
    descriptor = os.environ.pop(DESCRIPTOR, None)
    if descriptor is not None:
        return socket.socket(fileno=int(descriptor))
    return socket.create_server((settings.telemetry_host, settings.telemetry_port or 0))


def _app(probes: Probes, refreshes: Sequence[Refresh]) -> Starlette:
    async def metrics(_request: Request) -> Response:
        for refresh in refreshes:
            await refresh()
        # In a thread: it fetches Temporal's part and looks at disks.
        return Response(await asyncio.to_thread(generate_latest), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[*probes.routes(), Route("/metrics", metrics)])

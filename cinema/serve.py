"""The API as a process: ``python -m cinema.serve``, on a port or on a listening socket handed in by the supervisor."""

import argparse
import asyncio
import gc
import socket
from collections.abc import Sequence

import httpx
import uvicorn
from fastapi import FastAPI
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from temporalio.client import Client

from activities.confinement import tell_confinement
from activities.estimating import Capacity
from api import ApiContext, create_app
from api.finishing import Finisher
from api.health import needs
from api.live import JobChanges
from cinema.api_rules import edge_rules, webhook_rules
from cinema.connections import arrivals, database, objects, temporal
from cinema.exits import leaving
from cinema.forgetting import forget_while_serving
from cinema.looking import Looking
from cinema.readiness import say_ready
from cinema.settings import Environment, Settings, load_settings
from cinema.sign_in import local_sign_in, token_verifier
from cinema.stack.ports import listen
from cinema.stopping import stop_on_signals
from cinema.telemetry.endpoint import watched
from cinema.telemetry.metrics import PoolMetrics, register
from cinema.telemetry.probes import Probes
from cinema.telemetry.process import observe_service
from cinema.telemetry.tracing import tracing
from cinema.web import GuestServer
from schemas.rendering import SegmentLengths
from stores import Pool

#: Seconds that open requests get to finish when the API stops.
DRAIN_SECONDS = 5

#: Seconds that an idle connection stays open: longer than proxies keep theirs (60 is usual), so that none of them sends
#: a request down a connection that is just being closed.
KEEP_ALIVE_SECONDS = 75


class _Server(GuestServer):
    """Tells the supervisor when it listens."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        say_ready()


async def serve(settings: Settings, listener: socket.socket) -> None:
    """Answer requests until a signal asks to stop, or until a part of the work behind them fails."""
    stop = stop_on_signals()
    tell_confinement()
    client = await temporal(settings)
    async with database(settings) as pool, httpx.AsyncClient(follow_redirects=False) as web:
        context = _context(settings, client, pool, web)
        server = _Server(_config(settings, _app(context)))
        _settle_memory()
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        background = _background(settings, context)
        register(PoolMetrics(pool))
        probes = Probes(alive=lambda: not serving.done(), needs=needs(context), stopping=stop)
        async with watched(settings, probes):
            await _first_end(stop, serving, *background)
            context.changes.close()
            server.should_exit = True
            await serving
        ends = await _ended(background)
        await context.finisher.close()
        await context.objects.aclose()
    _raise_failure(ends)


def _context(settings: Settings, client: Client, pool: Pool, web: httpx.AsyncClient) -> ApiContext:
    """What the API answers with."""
    local = local_sign_in(settings)
    store = objects(settings)
    return ApiContext(
        database=pool,
        temporal=client,
        objects=store,
        verifier=token_verifier(settings, web, local),
        changes=JobChanges(pool),
        finisher=Finisher(pool, arrivals(store), Looking(settings)),
        address=settings.api_url,
        edge=edge_rules(settings),
        capacity=Capacity(
            settings.analysis_slots,
            settings.render_slots,
            segments=SegmentLengths(usual_s=settings.segment_seconds),
        ),
        webhooks=webhook_rules(settings),
        sign_in=local,
        documented=settings.environment is Environment.DEVELOPMENT,
    )


def _app(context: ApiContext) -> FastAPI:
    """The API, traced where traces go anywhere."""
    app = create_app(context)
    if tracing():
        # One span a request: those of each piece of an answer are spared. The address of a share link is a secret.
        FastAPIInstrumentor.instrument_app(app, excluded_urls="livez,readyz,/s/", exclude_spans=["receive", "send"])
    return app


def _config(settings: Settings, app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.api_trusted_proxies),
        forwarded_allow_ips=list(settings.api_trusted_proxies),
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


def _background(settings: Settings, context: ApiContext) -> list[asyncio.Task[None]]:
    """What goes on behind the requests."""
    return [
        asyncio.create_task(context.changes.run()),
        asyncio.create_task(context.finisher.tend()),
        asyncio.create_task(forget_while_serving(context.database, settings.audit_days)),
    ]


async def _first_end(stop: asyncio.Event, *tasks: asyncio.Task[None]) -> None:
    """Wait until a signal asks to stop, or one of ``tasks`` ends."""
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> Sequence[BaseException | None]:
    """Call ``tasks`` off, and tell how each has ended."""
    for task in tasks:
        task.cancel()
    return await asyncio.gather(*tasks, return_exceptions=True)


def _settle_memory() -> None:
    """What is loaded by now stays until the end: the collector passes it over, and no request waits for it to look."""
    gc.collect()
    gc.freeze()


def _raise_failure(ends: Sequence[BaseException | None]) -> None:
    """A part that ended by itself has failed: the process ends with its error, and is started anew."""
    for end in ends:
        if end is not None and not isinstance(end, asyncio.CancelledError):
            raise end


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve Cinema AI's API until told to stop.")
    parser.add_argument("--descriptor", type=int, help="a listening socket that this process inherited")
    descriptor: int | None = parser.parse_args().descriptor
    with leaving():
        settings = load_settings()
        observe_service(settings, service="api")
        listener = listen(settings.api_port) if descriptor is None else socket.socket(fileno=descriptor)
        asyncio.run(serve(settings, listener))


if __name__ == "__main__":
    main()

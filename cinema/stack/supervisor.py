"""The one process that runs a stack: starts its parts in order, keeps them running, and stops them in reverse."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cinema.encryption import payload_codec
from cinema.settings import Settings
from cinema.stack.child import Child, ChildSpec
from cinema.stack.errors import StackError
from cinema.stack.layout import Layout
from cinema.stack.ports import LOOPBACK, choose_port, listen, port_of
from cinema.stack.postgres import dsn, postgres_spec
from cinema.stack.services import api_spec, codec_spec, dispatcher_spec, watched_spec, worker_specs
from cinema.stack.state import Endpoints, StackPhase, StackState, write_state
from cinema.stack.targets import write_targets
from cinema.stack.temporal import PORT_TAKEN, temporal_spec
from cinema.stopping import ended_before
from cinema.temporal_setup import register_search_attributes, set_up_temporal
from stores import bootstrap_embedded, migrate

#: How often Temporal is tried on other ports when somebody took the chosen ones in the meantime.
PORT_TRIES = 3

#: Deaths in a row of Postgres or Temporal after which the stack stops with an error: without them nothing works, and
#: whoever runs the stack must hear of it. With the waits in between that is about three minutes.
GIVE_UP_SERVER_AFTER = 12


class Supervisor:
    """Runs the stack of one home folder; the caller holds the folder's lock."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._layout = Layout(settings.home)
        self._listener = listen(settings.api_port)
        self._codec_listener = listen(settings.codec_port) if payload_codec(settings) is not None else None
        self._watching: list[socket.socket] = []
        self._servers: list[Child] = []
        self._services: list[Child] = []
        self._started_at = datetime.now(UTC)
        self._phase = StackPhase.STARTING
        self._endpoints: Endpoints | None = None

    @property
    def state(self) -> StackState:
        return StackState(
            pid=os.getpid(),
            phase=self._phase,
            started_at=self._started_at,
            endpoints=self._endpoints,
            children=tuple(child.status for child in (*self._servers, *self._services)),
        )

    @property
    def _codec_url(self) -> str | None:
        return None if self._codec_listener is None else f"http://{LOOPBACK}:{port_of(self._codec_listener)}"

    async def run(self, stop: asyncio.Event, on_ready: Callable[[StackState], None]) -> None:
        """Start everything, call ``on_ready``, and stop everything once ``stop`` is set.

        Raises:
            StackError: A part could not be started, or a server could not be kept running; everything is stopped again.
        """
        self._enter(StackPhase.STARTING)
        try:
            if await _done_before(stop, self._start()):
                self._enter(StackPhase.READY)
                on_ready(self.state)
                await _done_before(stop, self._keep_servers())
        finally:
            self._enter(StackPhase.STOPPING)
            await self._stop()
            for told in (self._layout.state, self._layout.targets):
                told.unlink(missing_ok=True)

    async def _start(self) -> None:
        async with _together() as group:
            postgres = group.create_task(self._postgres())
            temporal = group.create_task(self._temporal())
        address, ui_url = temporal.result()
        await self._set_up_temporal(address)
        endpoints = Endpoints(
            postgres_dsn=postgres.result(),
            temporal_address=address,
            temporal_namespace=self._settings.temporal_namespace,
            temporal_ui_url=ui_url,
            api_url=self._settings.api_url or f"http://{LOOPBACK}:{port_of(self._listener)}",
            codec_url=self._codec_url,
        )
        self._endpoints = endpoints
        async with _together() as group:
            for spec in self._service_specs(endpoints):
                group.create_task(self._start_child(spec, self._services))
        write_targets(self._layout.targets, self.state.children)

    async def _set_up_temporal(self, address: str) -> None:
        """How long somebody else's Temporal keeps what it holds is not ours to change in passing."""
        settings = self._settings
        if settings.temporal_address is not None:
            await register_search_attributes(address, settings.temporal_namespace)
        else:
            retention = timedelta(days=settings.temporal_retention_days)
            await set_up_temporal(address, settings.temporal_namespace, retention)

    def _service_specs(self, endpoints: Endpoints) -> list[ChildSpec]:
        api = api_spec(endpoints, self._listener.fileno())
        specs = [api, dispatcher_spec(endpoints), *worker_specs(endpoints, self._settings)]
        if self._codec_listener is not None:
            specs.append(codec_spec(endpoints, self._codec_listener.fileno()))
        self._watching = [listen(0) for _ in specs]
        return [watched_spec(spec, listener) for spec, listener in zip(specs, self._watching, strict=True)]

    async def _keep_servers(self) -> None:
        """Wait for as long as every server of ours can be kept running."""
        async with _together() as group:
            for child in self._servers:
                group.create_task(child.kept_running())
            group.create_task(asyncio.Event().wait())

    async def _postgres(self) -> str:
        """Have a Postgres with our schema, and return its address."""
        if self._settings.postgres_dsn is not None:
            address = self._settings.postgres_dsn.get_secret_value()
        else:
            data = self._layout.postgres
            await self._start_server(await asyncio.to_thread(postgres_spec, data))
            address = dsn(data)
            await bootstrap_embedded(address)
        await migrate(address)
        return address

    async def _temporal(self) -> tuple[str, str | None]:
        """Have a Temporal, and return its address and its Web UI's."""
        settings = self._settings
        if settings.temporal_address is not None:
            return settings.temporal_address, settings.temporal_ui_url
        for tries_left in reversed(range(PORT_TRIES)):
            port, ui_port = choose_port(settings.temporal_port), choose_port(settings.temporal_ui_port)
            database, namespace = self._layout.temporal_database, settings.temporal_namespace
            spec = temporal_spec(database, namespace, port, ui_port, codec_url=self._codec_url)
            try:
                await self._start_server(spec)
            except StackError as error:
                # Not whether they are taken: whoever had one may have let go of it again.
                if tries_left == 0 or PORT_TAKEN not in error.message:
                    raise
            else:
                return f"{LOOPBACK}:{port}", f"http://{LOOPBACK}:{ui_port}"
        raise AssertionError("unreachable")

    async def _start_server(self, spec: ChildSpec) -> None:
        await self._start_child(replace(spec, give_up_after=GIVE_UP_SERVER_AFTER), self._servers)

    async def _start_child(self, spec: ChildSpec, group: list[Child]) -> None:
        child = Child(spec, self._layout.log(spec.name), self._note)
        group.append(child)
        try:
            await child.start(self._settings.start_timeout_seconds)
        except StackError:
            group.remove(child)
            raise

    async def _stop(self) -> None:
        await asyncio.gather(*(child.stop() for child in self._services))
        # Temporal first: while Postgres is there, nothing that still ends can fail for want of it.
        for child in sorted(self._servers, key=lambda child: child.spec.name, reverse=True):
            await child.stop()
        for listener in (self._listener, self._codec_listener, *self._watching):
            if listener is not None:
                listener.close()

    def _enter(self, phase: StackPhase) -> None:
        self._phase = phase
        self._note()

    def _note(self) -> None:
        write_state(self._layout.state, self.state)


@asynccontextmanager
async def _together() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group whose first failure is raised as itself once all others have ended."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures


async def _done_before(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do ``work`` unless ``stop`` is set first; whether it was done."""
    working = asyncio.create_task(work)
    if not await ended_before(stop, working):
        return False
    working.result()
    return True

"""Real processes and servers, run the way the stack runs them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from cinema.stack.child import Child, ChildSpec
from cinema.stack.ports import choose_port
from cinema.stack.temporal import temporal_spec
from cinema.temporal_setup import register_search_attributes
from stores import Pool, open_pool
from tests.databases import fresh_database

START_SECONDS = 60.0


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


@pytest.fixture
async def start(logs: Path) -> AsyncIterator[Callable[[ChildSpec], Child]]:
    """Makes children that are stopped when the test ends."""
    children: list[Child] = []

    def make(spec: ChildSpec) -> Child:
        children.append(Child(spec, logs / f"{spec.name}.log", lambda: None))
        return children[-1]

    yield make
    await asyncio.gather(*(child.stop() for child in children))


@pytest.fixture(scope="session")
async def postgres_dsn(server_dsn: str, template: str) -> AsyncIterator[str]:
    """A migrated database that the tests of this folder share."""
    async for address in fresh_database(server_dsn, template):
        yield address


@pytest.fixture
async def pool(postgres_dsn: str) -> AsyncIterator[Pool]:
    async with await open_pool(postgres_dsn) as opened:
        yield opened


class RestartableTemporal:
    """The embedded Temporal with its database file, to be stopped and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = choose_port(0)
        self._ui_port = choose_port(0)
        self._child: Child | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        spec = temporal_spec(self._folder / "temporal.db", "default", self.port, self._ui_port)
        self._child = Child(spec, self._folder / "temporal.log", lambda: None)
        await self._child.start(START_SECONDS)
        await register_search_attributes(self.address, "default")

    async def stop(self) -> None:
        if self._child is not None:
            await self._child.stop()


@pytest.fixture(scope="module")
async def temporal_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RestartableTemporal]:
    """Of each module's own: hundreds of jobs that another one started would be in its workers' way."""
    server = RestartableTemporal(tmp_path_factory.mktemp("temporal"))
    await server.start()
    yield server
    await server.stop()

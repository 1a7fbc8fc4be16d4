"""A stack whose Postgres or Temporal cannot be kept running says so and ends, rather than pretend to be up."""

import asyncio
import sys
from pathlib import Path

import pytest

from cinema.settings import Settings
from cinema.stack.child import ChildSpec
from cinema.stack.errors import StackError
from cinema.stack.layout import Layout
from cinema.stack.ports import choose_port, listen, port_of
from cinema.stack.supervisor import Supervisor
from cinema.stack.temporal import PORT_TAKEN
from tests.cinema.conftest import RestartableTemporal

pytestmark = pytest.mark.unit

READY = "from cinema.readiness import say_ready; say_ready()\n"


class OneServer(Supervisor):
    """A stack of nothing but one server that runs ``script``."""

    def __init__(self, home: Path, script: str) -> None:
        super().__init__(Settings(home=home))
        self._script = script

    async def _start(self) -> None:
        await self._start_server(ChildSpec(name="postgres", command=(sys.executable, "-c", READY + self._script)))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("cinema.stack.child.FIRST_WAIT", 0.01)
    monkeypatch.setattr("cinema.stack.supervisor.GIVE_UP_SERVER_AFTER", 3)
    Layout(tmp_path).prepare()
    return tmp_path


async def test_a_server_that_cannot_be_kept_running_ends_the_stack_with_its_last_words(home: Path) -> None:
    supervisor = OneServer(home, "raise SystemExit('the data folder is damaged')")
    with pytest.raises(StackError, match=r"(?s)postgres died 3 times in a row.*the data folder is damaged"):
        await asyncio.wait_for(supervisor.run(asyncio.Event(), lambda _: None), 60)
    assert not (home / "stack.json").exists()


async def test_a_stack_whose_servers_run_ends_when_it_is_told_to(home: Path) -> None:
    stop = asyncio.Event()
    await asyncio.wait_for(OneServer(home, "import time; time.sleep(600)").run(stop, lambda _: stop.set()), 60)
    assert not (home / "stack.json").exists()


class OneTemporal(Supervisor):
    """A stack of nothing but Temporal, at ``address`` once it runs."""

    address = ""

    async def _start(self) -> None:
        self.address, _ = await self._temporal()


async def test_a_temporal_whose_port_another_one_takes_first_gets_another_port(
    home: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    quicker = RestartableTemporal(tmp_path_factory.mktemp("quicker"))
    await quicker.start()
    ports = iter([quicker.port])
    monkeypatch.setattr("cinema.stack.supervisor.choose_port", lambda _: next(ports, None) or choose_port(0))
    stop = asyncio.Event()
    supervisor = OneTemporal(Settings(home=home))
    try:
        await asyncio.wait_for(supervisor.run(stop, lambda _: stop.set()), 120)
    finally:
        await quicker.stop()
    assert supervisor.address not in {"", quicker.address}


async def test_a_port_that_is_free_again_by_then_is_no_reason_to_give_up(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = listen(0)
    ports = iter([port_of(taken)])
    monkeypatch.setattr("cinema.stack.supervisor.choose_port", lambda _: next(ports, None) or choose_port(0))
    stop = asyncio.Event()
    supervisor = OneTemporal(Settings(home=home))

    async def let_go() -> None:
        log = Layout(home).log("temporal")
        while not (log.exists() and PORT_TAKEN in log.read_text()):
            await asyncio.sleep(0.01)
        taken.close()

    letting_go = asyncio.create_task(let_go())
    await asyncio.wait_for(supervisor.run(stop, lambda _: stop.set()), 120)
    await letting_go
    assert supervisor.address

"""A stack whose Postgres or Temporal cannot be kept running says so and ends, rather than pretend to be up."""

import asyncio
import sys
from pathlib import Path

import pytest

from cinema.settings import Settings
from cinema.stack.child import ChildSpec
from cinema.stack.errors import StackError
from cinema.stack.layout import Layout
from cinema.stack.supervisor import Supervisor

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

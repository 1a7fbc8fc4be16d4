"""One stack for all tests of this folder, which run one after another and leave it whole."""

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from cinema.settings import Settings
from cinema.stack.launch import running_stack
from cinema.stack.postgres import SOCKET_NAME
from cinema.stack.state import StackPhase, StackState
from demo.small import make_small_talk
from schemas.edl import Variant
from stores import open_pool
from tests.faults.network import CuttableNetwork
from tests.faults.stack_under_fault import StackUnderFault, start_process, until
from tests.faults.verdict import judge
from workflows.plugin import cinema_plugin


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    # Not below pytest's own folder: it closes that to other users, and as root Postgres runs as one.
    home = Path(tempfile.mkdtemp(prefix="cinema-faults-"))
    yield home
    shutil.rmtree(home)


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory, home: Path) -> AsyncIterator[StackUnderFault]:
    """A stack that is ready and has analysed the small talk already."""
    talk = tmp_path_factory.mktemp("footage") / "talk.mp4"
    await asyncio.to_thread(make_small_talk, talk)
    network = CuttableNetwork(home / "way", home / "run" / SOCKET_NAME)
    await network.start()
    process = start_process(home, network)
    try:
        state = await _ready(home, process)
        assert state.endpoints is not None
        temporal = await Client.connect(state.endpoints.temporal_address, plugins=[cinema_plugin()])
        async with await open_pool(state.endpoints.postgres_dsn) as pool:
            stack = StackUnderFault(home, process, pool, temporal, network, talk)
            await judge(stack, await stack.order(Variant.HOOK_CUT))
            yield stack
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 60)
        await network.stop()


@pytest.fixture(autouse=True)
async def whole(stack: StackUnderFault) -> None:
    """Each test starts with every part ready and no fault armed."""
    shutil.rmtree(stack.home / "faults", ignore_errors=True)
    await stack.all_ready()


async def _ready(home: Path, process: subprocess.Popen[bytes]) -> StackState:
    settings = Settings(home=home)

    def there() -> bool:
        assert process.poll() is None, (home / "stack.log").read_text()
        state = running_stack(settings)
        return state is not None and state.phase is StackPhase.READY

    await until(there, "the stack is ready")
    state = running_stack(settings)
    assert state is not None
    return state

"""Supervised children: ready when they say so, started again when they die, gone when they are stopped."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cinema.stack.child import Child, ChildSpec
from cinema.stack.errors import StackError
from cinema.stack.logfile import BoundedLog
from cinema.stack.state import ChildState
from tests.cinema.cinema_processes import running

pytestmark = pytest.mark.unit

Start = Callable[[ChildSpec], Child]

READY = "from cinema.readiness import say_ready; say_ready()\n"
FOREVER = "import time\ntime.sleep(600)\n"

#: Seconds; far longer than anything here takes on a machine with much else to do.
PATIENCE = 60.0


def python(script: str, **options: object) -> ChildSpec:
    return ChildSpec(name="script", command=(sys.executable, "-c", script), stop_seconds=1.0, **options)  # type: ignore[arg-type]


def pid_of(child: Child) -> int:
    pid = child.status.pid
    assert pid is not None
    return pid


async def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_it_is_ready_when_it_says_so(start: Start, tmp_path: Path) -> None:
    may_be_ready, runs = tmp_path / "may-be-ready", tmp_path / "runs"
    waits = f"pathlib.Path({str(runs)!r}).touch()\nwhile not pathlib.Path({str(may_be_ready)!r}).exists(): pass\n"
    child = start(python(f"import pathlib\n{waits}{READY}{FOREVER}"))
    starting = asyncio.create_task(child.start(PATIENCE))
    await until(runs.exists)
    assert child.status.state is ChildState.STARTING
    may_be_ready.touch()
    await starting
    assert child.status.state is ChildState.READY


async def test_its_output_is_in_its_log(start: Start, logs: Path) -> None:
    script = "import sys\nprint('out', flush=True)\nprint('err', file=sys.stderr, flush=True)\n"
    child = start(python(f"{script}{READY}{FOREVER}"))
    await child.start(PATIENCE)
    await until(lambda: (logs / "script.log").read_text().split() == ["out", "err"])


async def test_one_that_ends_at_once_is_an_error_with_its_last_words(start: Start) -> None:
    child = start(python("raise SystemExit('no such disk')"))
    with pytest.raises(StackError, match=r"(?s)ended at once \(exit status 1\).*no such disk"):
        await child.start(PATIENCE)


async def test_one_that_is_never_ready_is_an_error_and_gone(start: Start) -> None:
    child = start(python(FOREVER))
    with pytest.raises(StackError, match=r"not ready within 0\.5 seconds"):
        await child.start(0.5)
    assert child.status.pid is None


async def test_one_that_dies_is_started_again(start: Start) -> None:
    child = start(python(READY + FOREVER))
    await child.start(PATIENCE)
    first = pid_of(child)
    os.kill(first, signal.SIGKILL)
    await until(lambda: child.status.restarts == 1 and child.status.state is ChildState.READY)
    assert pid_of(child) != first
    assert child.status.last_exit == "killed by SIGKILL"


async def test_one_that_keeps_dying_is_reported(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cinema.stack.child.FIRST_WAIT", 0.01)
    child = start(python(f"{READY}raise SystemExit(7)"))
    await child.start(PATIENCE)
    await until(lambda: child.status.state is ChildState.FAILING)
    assert child.status.last_exit == "exit status 7"


async def test_one_that_cannot_run_is_given_up_with_its_last_words(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cinema.stack.child.FIRST_WAIT", 0.01)
    child = start(python(f"{READY}raise SystemExit('no such disk')", give_up_after=3))
    await child.start(PATIENCE)
    with pytest.raises(StackError, match=r"(?s)script died 3 times in a row \(exit status 1\).*no such disk"):
        await child.kept_running()
    assert child.status.state is ChildState.RESTARTING
    assert child.status.pid is None


async def test_one_that_hangs_when_started_again_gets_another_try(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cinema.stack.child.FIRST_WAIT", 0.01)
    second = f"import pathlib\nruns = pathlib.Path({str(tmp_path / 'runs')!r})\nruns.open('a').write('x')\n"
    child = start(python(f"{second}if len(runs.read_text()) != 2:\n    {READY}{FOREVER}"))
    # Long enough to become ready in, where one is ready at all.
    await child.start(5.0)
    os.kill(pid_of(child), signal.SIGKILL)
    await until(lambda: child.status.restarts == 2 and child.status.state is ChildState.READY)


async def test_what_it_started_goes_with_it(start: Start, logs: Path) -> None:
    script = (
        f"import subprocess, sys\np = subprocess.Popen(['sleep', '600']); print(p.pid, flush=True)\n{READY}{FOREVER}"
    )
    child = start(python(script))
    await child.start(PATIENCE)
    await until(lambda: (logs / "script.log").read_text().strip())
    grandchild = int((logs / "script.log").read_text())
    await child.stop()
    await until(lambda: not running(grandchild))


async def test_one_that_will_not_end_is_killed(start: Start) -> None:
    script = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{READY}{FOREVER}"
    child = start(python(script))
    await child.start(PATIENCE)
    pid = pid_of(child)
    await child.stop()
    assert not running(pid)
    assert child.status.last_exit == "killed by SIGKILL"


async def test_stopping_one_that_waits_to_be_started_again(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cinema.stack.child.FIRST_WAIT", PATIENCE)
    child = start(python(READY + FOREVER))
    await child.start(PATIENCE)
    os.kill(pid_of(child), signal.SIGKILL)
    await until(lambda: child.status.state is ChildState.RESTARTING)
    await asyncio.wait_for(child.stop(), PATIENCE / 2)
    assert child.status.state is ChildState.STOPPED


def test_a_log_never_outgrows_its_bound(tmp_path: Path) -> None:
    log = BoundedLog(tmp_path / "a.log", limit_bytes=1000)
    for number in range(100):
        log.write(f"{number:099}\n".encode())
    log.close()
    assert (tmp_path / "a.log").stat().st_size <= 1000
    assert (tmp_path / "a.log.1").stat().st_size <= 1000
    assert (tmp_path / "a.log").read_text().splitlines()[-1] == f"{99:099}"
    assert len(list(tmp_path.iterdir())) == 2

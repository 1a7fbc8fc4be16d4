"""A tethered program cannot outlive its parent, whether the kernel sees to it or we do."""

import os
import signal
import subprocess
import sys

import pytest

from tests.cinema.cinema_processes import command_line, descendants, running, wait_for

pytestmark = pytest.mark.unit

#: Starts a tethered `sleep` below itself, tells its number, and waits. {tether} is what runs it.
PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {tether!r}, str(os.getpid()), "15", "-", "sleep", "600"])
print(child.pid, flush=True)
time.sleep(600)
"""

BY_KERNEL = "from cinema.tethered import main; main()"
BY_WATCHING = "import cinema.tethered as t; t.exec_tethered = t.watch_tethered; t.main()"


def is_sleeping(pid: int) -> bool:
    return b"sleep\x00600" in command_line(pid)


@pytest.mark.parametrize("tether", [BY_KERNEL, BY_WATCHING])
def test_it_ends_when_its_parent_is_killed(tether: str) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT.format(tether=tether)], stdout=subprocess.PIPE)
    wait_for(lambda: any(is_sleeping(pid) for pid in descendants(parent.pid) if running(pid)), 60, "the program runs")
    below = descendants(parent.pid)
    parent.kill()
    parent.communicate()
    wait_for(lambda: not any(running(pid) for pid in below), 60, "everything below the parent is gone")


def test_it_does_not_start_for_a_parent_that_is_gone() -> None:
    command = [sys.executable, "-m", "cinema.tethered", "1", "9", "-", "sleep", "600"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == 1
    assert b"parent is gone" in done.stderr


def test_watching_passes_signals_on_and_ends_as_the_program_did() -> None:
    script = (
        "import time, signal, sys\nsignal.signal(15, lambda *_: sys.exit(5))\nprint('up', flush=True)\ntime.sleep(600)"
    )
    command = [sys.executable, "-c", BY_WATCHING, str(os.getpid()), "9", "-", sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as watcher:
        assert watcher.stdout is not None
        assert watcher.stdout.readline() == b"up\n"
        watcher.send_signal(signal.SIGTERM)
        assert watcher.wait(60) == 5

"""The whole stack from outside: started, found, killed in part and in whole, stopped. The tests run in order."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from cinema.stack.ports import listen, port_of
from stores import Projects, open_pool
from tests.cinema.cinema_processes import descendants, running, wait_for

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

PARTS = {"postgres", "temporal", "api", "dispatcher", "worker-jobs", "worker-analysis", "worker-render"}


class Stack:
    """One home folder and the command that works on it."""

    def __init__(self, home: Path, taken: dict[str, socket.socket]) -> None:
        self.home = home
        self.taken_ports = {port_of(bound) for bound in taken.values()}
        ports = {name: str(port_of(bound)) for name, bound in taken.items()}
        self._environment = {**os.environ, "CINEMA_HOME": str(home), "CINEMA_WORKER_DRAIN_SECONDS": "1", **ports}

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-P", "-m", "cinema", *arguments]
        pipe = subprocess.PIPE
        folder = self.home.parent
        return subprocess.Popen(command, cwd=folder, env=self._environment, stdout=pipe, stderr=pipe, text=True)

    def run(self, *arguments: str) -> str:
        with self.begin(*arguments) as process:
            output, errors = process.communicate(timeout=400)
        assert process.returncode == 0, errors
        return output

    @property
    def status(self) -> dict[str, Any]:
        with self.begin("status", "--json") as process:
            output, _ = process.communicate(timeout=120)
        answer: dict[str, Any] | None = json.loads(output)
        return answer or {}

    def part(self, name: str) -> dict[str, Any]:
        """What the state file says of one part; quicker than asking the command again and again."""
        state = json.loads((self.home / "stack.json").read_text(encoding="utf-8"))
        part: dict[str, Any] = next(part for part in state["children"] if part["name"] == name)
        return part

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.status['endpoints']['api_url']}/readyz", timeout=60).status_code == 200
        except httpx.HTTPError:
            return False


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A stack started twice at once, on preferred ports that are all taken, from a folder with traps in it."""
    home = Path(tempfile.mkdtemp(prefix="cinema-stack-"))
    for name in ("asyncpg", "render", "temporalio", "workflows"):
        (home / f"{name}.py").write_text("raise SystemExit('imported from the current folder')")
    taken = {name: listen(0) for name in ("CINEMA_TEMPORAL_PORT", "CINEMA_TEMPORAL_UI_PORT", "CINEMA_API_PORT")}
    stack = Stack(home / "home", taken)
    try:
        starting = [stack.begin("up", "--detach") for _ in range(2)]
        for process in starting:
            _, errors = process.communicate(timeout=400)
            assert process.returncode == 0, errors
        yield stack
    finally:
        stack.run("down")
        for bound in taken.values():
            bound.close()
        shutil.rmtree(home)


def test_every_part_is_ready(stack: Stack) -> None:
    status = stack.status
    assert status["phase"] == "ready"
    assert {child["name"]: child["state"] for child in status["children"]} == dict.fromkeys(PARTS, "ready")
    assert stack.is_ready()


def test_free_ports_are_chosen_where_the_preferred_ones_are_taken(stack: Stack) -> None:
    ends = stack.status["endpoints"]
    addresses = (ends["temporal_address"], ends["temporal_ui_url"], ends["api_url"])
    ports = {int(address.rpartition(":")[2]) for address in addresses}
    assert len(ports) == 3
    assert not ports & stack.taken_ports


def test_the_web_ui_answers(stack: Stack) -> None:
    assert httpx.get(stack.status["endpoints"]["temporal_ui_url"], timeout=60, follow_redirects=True).status_code == 200


def test_starting_again_finds_the_running_stack(stack: Stack) -> None:
    before = stack.status["pid"]
    assert "already running" in stack.run("up")
    assert stack.status["pid"] == before


def test_only_its_owner_can_look_into_it(stack: Stack) -> None:
    assert not stack.home.stat().st_mode & 0o066
    for name in ("objects", "logs", "temporal", "scratch", "postgres", "run"):
        assert not (stack.home / name).stat().st_mode & 0o077, name
    assert (stack.home / "stack.json").stat().st_mode & 0o777 == 0o600


def test_parts_that_are_killed_are_started_again(stack: Stack) -> None:
    names = ("dispatcher", "api", "temporal", "postgres")
    before = {name: stack.part(name) for name in names}
    for name in names:
        os.kill(before[name]["pid"], signal.SIGKILL)
    for name in names:
        wait_for(lambda name=name: stack.part(name)["restarts"] > before[name]["restarts"], 120, f"{name} is missed")
        wait_for(lambda name=name: stack.part(name)["state"] == "ready", 240, f"{name} is back")
        assert stack.part(name)["pid"] != before[name]["pid"]
    wait_for(stack.is_ready, 120, "the API reaches everything again")


def test_a_killed_supervisor_leaves_nothing_and_loses_nothing(stack: Stack) -> None:
    status = stack.status
    project_id = asyncio.run(_make_project(status["endpoints"]["postgres_dsn"]))
    processes = [status["pid"], *descendants(status["pid"])]
    assert len(processes) > len(PARTS)
    os.kill(status["pid"], signal.SIGKILL)
    wait_for(lambda: not any(running(pid) for pid in processes), 120, "every process is gone")
    assert stack.status == {}
    stack.run("up", "--detach")
    assert asyncio.run(_project_name(stack.status["endpoints"]["postgres_dsn"], project_id)) == "Kept"


def test_sigterm_stops_everything(stack: Stack) -> None:
    pid = stack.status["pid"]
    processes = [pid, *descendants(pid)]
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not any(running(pid) for pid in processes), 120, "every process is gone")
    assert not (stack.home / "stack.json").exists()
    assert not (stack.home / "postgres" / "postmaster.pid").exists()
    assert stack.run("down") == "No stack is running.\n"


async def _make_project(dsn: str) -> str:
    async with await open_pool(dsn) as pool:
        owner = uuid4()
        await Projects(pool).ensure_profile(owner)
        return str((await Projects(pool).create(owner, "Kept")).id)


async def _project_name(dsn: str, project_id: str) -> str:
    async with await open_pool(dsn) as pool:
        return (await Projects(pool).get(UUID(project_id))).name

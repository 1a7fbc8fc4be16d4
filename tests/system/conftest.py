"""A whole stack of its own, and footage long enough for every variant."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo import SCRIPT, Footage, make_footage
from demo.footage import Recipe
from tests.conftest import REPOSITORY
from tests.system.otlp_receiver import Receiver

#: Sentences of the demo's talk that make almost a minute, the repeated take among them, in 540 lines: as the sources
#: are, so are the videos, and there is enough to be done with them.
ALMOST_A_MINUTE = Recipe(script=SCRIPT[4:15], cutaway_s=8.0, talk_lines=540)


@dataclass(frozen=True)
class Stack:
    """The ``cinema`` command against one state folder, with everything traced."""

    home: Path
    traces: Receiver

    @contextmanager
    def started(self, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
        """The command as it runs; whatever goes wrong in the block, it does not outlive it."""
        with subprocess.Popen(
            [sys.executable, "-m", "cinema", *map(str, arguments)],
            cwd=REPOSITORY,
            env={
                **os.environ,
                "CINEMA_HOME": str(self.home),
                # A third of a render less to do; what is measured of the files is the same with any preset.
                "CINEMA_ENCODER_PRESET": "ultrafast",
                "OTEL_EXPORTER_OTLP_ENDPOINT": self.traces.url,
                "OTEL_BSP_SCHEDULE_DELAY": "200",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def run(self, *arguments: str | Path, seconds: float = 1500) -> subprocess.CompletedProcess[str]:
        with self.started(*arguments) as process:
            out, err = process.communicate(timeout=seconds)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def direct(self, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
        """``cinema direct --json``: its exit status and its report."""
        done = self.run("direct", *arguments, "--json")
        assert done.stdout, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return done.returncode, report

    def part(self, name: str) -> dict[str, Any]:
        """What ``cinema status`` says of one part."""
        status = json.loads(self.run("status", "--json").stdout)
        part: dict[str, Any] = next(part for part in status["children"] if part["name"] == name)
        return part

    def pid_of(self, child: str) -> int:
        pid: int = self.part(child)["pid"]
        return pid

    def signed_in(self) -> httpx.Client:
        """A client of the API as the creator of this machine."""
        url = json.loads(self.run("status", "--json").stdout)["endpoints"]["api_url"]
        token = httpx.post(f"{url}/auth/local", timeout=60).raise_for_status().json()["access_token"]
        return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60)

    @property
    def scratch(self) -> Path:
        return self.home / "scratch"

    def objects(self, bucket: str) -> list[Path]:
        return sorted(path for path in (self.home / "objects" / bucket).rglob("*") if path.is_file())


@pytest.fixture(scope="session")
def traces() -> Iterator[Receiver]:
    receiver = Receiver()
    with receiver.receiving():
        yield receiver


@pytest.fixture(scope="session")
def stack(traces: Receiver) -> Iterator[Stack]:
    # Not below pytest's own folder: it closes that to other users, and as root Postgres runs as one.
    stack = Stack(Path(tempfile.mkdtemp(prefix="cinema-system-")), traces)
    try:
        up = stack.run("up", "--detach")
        assert up.returncode == 0, up.stderr
        yield stack
    finally:
        stack.run("down")
        shutil.rmtree(stack.home)


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Footage:
    return make_footage(tmp_path_factory.mktemp("footage"), ALMOST_A_MINUTE)

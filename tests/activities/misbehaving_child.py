"""A sandboxed child that does, in earnest, what hostile media makes a decoder do."""

import mmap
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import BaseModel

from activities.child import serve
from activities.file_needs import FileNeeds
from schemas.errors import ErrorCode, MediaRefused
from schemas.model import Model
from schemas.progress import ProgressCallback


class Behaviour(Model):
    do: str
    folder: Path


class Answer(Model):
    """``refused`` names what could not be reached."""

    pid: int
    environment: dict[str, str]
    refused: tuple[str, ...] = ()


#: Memory of three kinds, taken again and again.
HOARDS: dict[str, Callable[[], object]] = {
    "allocate": lambda: bytearray(64 << 20),
    "reserve": lambda: mmap.mmap(-1, 1 << 30, prot=mmap.PROT_READ),
    "share": lambda: mmap.mmap(-1, 1 << 30),
}


def misbehave(behaviour: Behaviour, progress: ProgressCallback) -> BaseModel:
    match behaviour.do:
        case "answer":
            for step in range(11):
                progress(step / 10)
                time.sleep(0.05)
            print("a library prints to standard output")
        case "refuse":
            raise MediaRefused(ErrorCode.MEDIA_EMPTY, "The file is empty.")
        case "crash":
            print("about to crash", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGSEGV)
        case "allocate" | "reserve" | "share":
            hoard = [HOARDS[behaviour.do]() for _ in range(1000)]
            assert hoard
        case "write":
            _write_without_end(behaviour.folder / "large")
        case "spin" | "hang":
            _never_end(behaviour)
    return Answer(pid=os.getpid(), environment=dict(os.environ), refused=tuple(reached_in_vain()))


def _write_without_end(path: Path) -> None:
    with path.open("wb") as file:
        while True:
            file.write(bytes(1 << 20))


def _never_end(behaviour: Behaviour) -> None:
    (behaviour.folder / "pid").write_text(str(os.getpid()))
    while behaviour.do == "spin":
        pass
    time.sleep(600)


def reached_in_vain() -> Iterator[str]:
    """What this process tried to reach and could not."""
    attempts: dict[str, Callable[[], object]] = {
        "internet": lambda: socket.create_connection(("127.0.0.1", 9), timeout=5),
        "internet 6": lambda: socket.socket(socket.AF_INET6),
        "datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "local socket": lambda: socket.socket(socket.AF_UNIX),
        "kernel socket": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "name": lambda: socket.getaddrinfo("localhost.example", 80),
        "program": lambda: subprocess.run(["/bin/true"], check=True),
        "parent": lambda: os.kill(os.getppid(), 0),
        "everyone": lambda: os.kill(-1, 0),
    }
    for name, attempt in attempts.items():
        try:
            attempt()
        except OSError:
            yield name


if __name__ == "__main__":
    serve(misbehave, Behaviour, lambda asked: FileNeeds(works_in=asked.folder))

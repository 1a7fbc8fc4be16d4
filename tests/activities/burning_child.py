"""A sandboxed child that uses a known amount of processor time: in itself, below itself, and in what it leaves."""

import os
import signal
import time
from pathlib import Path

from pydantic import BaseModel

from activities.child import serve
from activities.file_needs import FileNeeds
from schemas.model import Model
from schemas.progress import ProgressCallback

#: Seconds of processor time that each of three processes uses at least, and bytes written and read again.
BURNT_SECONDS = 0.5
BURNT_BYTES = 3_000_000
#: How long the process that is left behind stays.
LEFT_SECONDS = 300


class Burn(Model):
    """Then ``answer``, ``crash`` or ``hang``."""

    then: str
    folder: Path


def burn(asked: Burn, _: ProgressCallback) -> BaseModel:
    (asked.folder / "burnt").write_bytes(bytes(BURNT_BYTES))
    (asked.folder / "burnt").read_bytes()
    _spin()
    _in_a_child_waited_for()
    _in_a_child_left_behind(asked.folder)
    if asked.then == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if asked.then == "hang":
        (asked.folder / "pid").write_text(str(os.getpid()))
        time.sleep(600)
    return asked


def _in_a_child_waited_for() -> None:
    if os.fork() == 0:
        _spin()
        os._exit(0)
    os.wait()


def _in_a_child_left_behind(folder: Path) -> None:
    if os.fork() == 0:
        _spin()
        (folder / "below").write_text(str(os.getpid()))
        # Long enough to be found by who should end it; where nobody does, as after a kill, it goes by itself.
        time.sleep(LEFT_SECONDS)
        os._exit(0)
    while not (folder / "below").exists():
        time.sleep(0.01)


def _spin() -> None:
    until = time.process_time() + BURNT_SECONDS
    while time.process_time() < until:
        pass


if __name__ == "__main__":
    serve(burn, Burn, lambda asked: FileNeeds(works_in=asked.folder))

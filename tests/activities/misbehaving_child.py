"""A sandboxed child that does, in earnest, what hostile media makes a decoder do."""

import os
import signal
import sys
import time
from pathlib import Path

from pydantic import BaseModel

from activities.child import serve
from schemas.errors import ErrorCode, MediaRefused
from schemas.model import Model
from schemas.progress import ProgressCallback


class Behaviour(Model):
    do: str
    folder: Path


class Answer(Model):
    pid: int
    environment: dict[str, str]


def misbehave(request: str, progress: ProgressCallback) -> BaseModel:
    behaviour = Behaviour.model_validate_json(request)
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
        case "allocate":
            hoard = [bytearray(64 << 20) for _ in range(1000)]
            assert hoard
        case "write":
            with (behaviour.folder / "large").open("wb") as file:
                while True:
                    file.write(bytes(1 << 20))
        case "hang":
            (behaviour.folder / "pid").write_text(str(os.getpid()))
            time.sleep(600)
    return Answer(pid=os.getpid(), environment=dict(os.environ))


if __name__ == "__main__":
    serve(misbehave)

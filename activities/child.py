"""The child's side of the sandbox: one task, then the end. Its modules are started by ``activities.sandbox`` only.

Usage: ``python -m MODULE MEMORY_BYTES FILE_BYTES PARENT_PID``, the request on standard input.
"""

import ctypes
import errno
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from typing import IO, NoReturn

from pydantic import BaseModel

from schemas.errors import CinemaError, ErrorCode, ErrorInfo, MediaRefused, TransientError
from schemas.progress import ProgressCallback
from schemas.sandbox import ChildFailed, ChildFinished, ChildMessage, ChildProgressed

PR_SET_PDEATHSIG = 1

#: Seconds between two progress lines: as often as anyone looks.
PROGRESS_INTERVAL = 0.25


def serve(task: Callable[[str, ProgressCallback], BaseModel]) -> NoReturn:
    """Do one ``task`` on the request's JSON, send its answer or its error, and leave."""
    _, memory_bytes, file_bytes, parent = sys.argv
    _die_with_parent(int(parent))
    _limit(resource.RLIMIT_DATA, int(memory_bytes))
    _limit(resource.RLIMIT_FSIZE, int(file_bytes))
    _limit(resource.RLIMIT_CORE, 0)
    channel = _private_channel()
    _say(channel, _answer(task, _Reporter(channel)))
    # Leave without finalizers: codec and inference libraries keep threads that can abort an orderly exit.
    sys.stderr.flush()
    os._exit(0)


def _answer(task: Callable[[str, ProgressCallback], BaseModel], progress: ProgressCallback) -> ChildMessage:
    try:
        return ChildFinished(result=task(sys.stdin.read(), progress).model_dump_json())
    except CinemaError as error:
        return ChildFailed(error=error.info)
    except MemoryError:
        return ChildFailed(error=_out_of_memory())
    except OSError as error:
        return ChildFailed(error=_storage_error(error).info)


def _storage_error(error: OSError) -> CinemaError:
    """Trouble with the worker's disk as our error; anything else is a defect and is raised again."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return TransientError(ErrorCode.DISK_FULL, "The worker's disk is full.")
        case errno.EFBIG:
            return MediaRefused(ErrorCode.MEDIA_TOO_LARGE, "Working on this file would write more than our limit.")
        case _:
            raise error


def _die_with_parent(parent: int) -> None:
    """Ask Linux to kill this process when the parent dies, and notice if it already has."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent is gone")


def _limit(what: int, value: int) -> None:
    _, hard = resource.getrlimit(what)
    ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(what, (ceiling, ceiling))


def _private_channel() -> IO[str]:
    """Keep the parent's pipe for messages alone: whatever a library prints goes to standard error."""
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return channel


class _Reporter:
    """Passes progress on, thinned out to what anyone looks at, and never falling."""

    def __init__(self, channel: IO[str]) -> None:
        self._channel = channel
        self._last_done = 0.0
        self._next_at = 0.0

    def __call__(self, done: float, /) -> None:
        now = time.monotonic()
        self._last_done = max(self._last_done, min(done, 1.0))
        if now >= self._next_at:
            self._next_at = now + PROGRESS_INTERVAL
            _say(self._channel, ChildProgressed(progress=self._last_done))


def _say(channel: IO[str], message: ChildMessage) -> None:
    channel.write(message.model_dump_json() + "\n")
    channel.flush()


def _out_of_memory() -> ErrorInfo:
    return MediaRefused(
        ErrorCode.OUT_OF_MEMORY, "This file needs more memory than we allow; it may be damaged or far too large."
    ).info

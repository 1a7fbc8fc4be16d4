"""The child's side of the sandbox: one task, then the end. Its modules are started by ``activities.sandbox`` only.

Usage: ``python -m MODULE MEMORY_BYTES ADDRESS_SPACE_BYTES FILE_BYTES CPU_SECONDS PARENT_PID``, 0 for no limit, the
request on standard input.
"""

import ctypes
import errno
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from typing import IO, NoReturn, Protocol, TypeVar

from pydantic import BaseModel

from activities.file_access import keep_to
from activities.file_needs import FileNeeds
from activities.system_calls import can_refuse, refuse_dangerous_calls
from schemas.errors import CinemaError, ErrorCode, MediaRefused, TransientError
from schemas.model import Model
from schemas.progress import ProgressCallback
from schemas.sandbox import ChildFailed, ChildFinished, ChildKept, ChildMessage, ChildProgressed

Request = TypeVar("Request", bound=Model)

PR_SET_PDEATHSIG = 1

#: Seconds between two progress lines: as often as anyone looks.
PROGRESS_INTERVAL = 0.25

#: Open files: a render holds a dozen; a demuxer that opens one after another is stopped.
MOST_FILES = 512

#: Seconds between the signal that says that processor time is used up and the one that cannot be caught.
CPU_GRACE = 5


class Reporter(ProgressCallback, Protocol):
    """What a task can say before it is done: how far it is, and what of it should not be done again."""

    def keep(self, analyzer: str, number: int, content: str, /) -> None: ...


def serve(
    task: Callable[[Request, Reporter], BaseModel], request: type[Request], needs: Callable[[Request], FileNeeds]
) -> NoReturn:
    """Do one ``task`` on a ``request`` with the files that this needs, send its answer or its error, and leave."""
    _, memory, address_space, file_size, cpu_seconds, parent = sys.argv
    _die_with_parent(int(parent))
    _limit(resource.RLIMIT_DATA, int(memory))
    if sys.platform == "linux":
        # Elsewhere a process begins with more addresses than any limit that would mean something.
        _limit(resource.RLIMIT_AS, int(address_space))
    _limit(resource.RLIMIT_FSIZE, int(file_size))
    _limit(resource.RLIMIT_CPU, int(cpu_seconds), grace=CPU_GRACE)
    _limit(resource.RLIMIT_NOFILE, MOST_FILES)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if can_refuse():
        refuse_dangerous_calls()
    channel = _private_channel()
    _say(channel, _answer(lambda: _done(task, request, needs, _Channel(channel))))
    # Leave without finalizers: codec and inference libraries keep threads that can abort an orderly exit.
    sys.stderr.flush()
    os._exit(0)


def _done(
    task: Callable[[Request, Reporter], BaseModel],
    request: type[Request],
    needs: Callable[[Request], FileNeeds],
    reporter: Reporter,
) -> BaseModel:
    asked = request.model_validate_json(sys.stdin.read())
    keep_to(needs(asked).rights())
    return task(asked, reporter)


def _answer(work: Callable[[], BaseModel]) -> ChildMessage:
    try:
        return ChildFinished(result=work().model_dump_json())
    except CinemaError as error:
        return ChildFailed(error=error.info)
    except MemoryError:
        return ChildFailed(error=_out_of_memory().info)
    except OSError as error:
        return ChildFailed(error=_exhausted(error).info)


def _exhausted(error: OSError) -> CinemaError:
    """What there is no more of, as our error; anything else is a defect and is raised again."""
    match error.errno:
        case errno.ENOMEM:
            return _out_of_memory()
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


def _limit(what: int, value: int, *, grace: int = 0) -> None:
    """Hold this process and what it starts to ``value``; 0 stands for no limit."""
    if value == 0:
        return
    _, hard = resource.getrlimit(what)
    ceiling = value + grace if hard == resource.RLIM_INFINITY else min(value + grace, hard)
    resource.setrlimit(what, (min(value, ceiling), ceiling))


def _private_channel() -> IO[str]:
    """Keep the parent's pipe for messages alone: whatever a library prints goes to standard error."""
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return channel


class _Channel:
    """Passes on what is kept, and progress, thinned out to what anyone looks at and never falling."""

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

    def keep(self, analyzer: str, number: int, content: str, /) -> None:
        _say(self._channel, ChildKept(analyzer=analyzer, number=number, content=content))


def _say(channel: IO[str], message: ChildMessage) -> None:
    channel.write(message.model_dump_json() + "\n")
    channel.flush()


def _out_of_memory() -> CinemaError:
    return MediaRefused(
        ErrorCode.OUT_OF_MEMORY, "This file needs more memory than we allow; it may be damaged or far too large."
    )

"""Untrusted media is decoded in a child process with limits; this is the parent's side of it.

The child (``activities.child``) reads one request from its standard input and answers in JSON lines. It dies with its
parent, cannot outgrow its limits, reaches no network and starts no program (``activities.system_calls``), opens no file
but those that its request needs (``activities.file_access``), and knows none of our settings or secrets. A crash in
there is an error here.
"""

import asyncio
import math
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from socket import socket
from typing import Annotated, Generic, TypeVar

from annotated_types import Gt
from opentelemetry import trace
from pydantic import TypeAdapter

from activities.accounting import Account
from activities.child_environment import child_environment
from activities.child_process import ChildProcess, ProcessUsage
from activities.metrics import CHILD_CPU
from schemas.errors import CinemaError, ErrorCode, TransientError
from schemas.model import Model
from schemas.sandbox import ChildFailed, ChildKept, ChildMessage, ChildProgressed

Request = TypeVar("Request", bound=Model)
Result = TypeVar("Result", bound=Model)

GIBIBYTE = 1 << 30

#: The longest answer a child may give: the facts of a ten-hour source are a tenth of it.
LONGEST_LINE = 256 << 20

#: How much of what a child wrote to its standard error is kept to explain a crash.
ERROR_TAIL = 4_000

_tracer = trace.get_tracer(__name__)

_MESSAGE: TypeAdapter[ChildMessage] = TypeAdapter(ChildMessage)


class SandboxLimits(Model):
    """What a child may use, in bytes: memory it writes to, addresses in all, and the size of any one file it writes.

    Addresses are cheap, and threads and libraries reserve many that they never touch; a GPU's driver reserves more than
    any limit that would mean something, so ``None`` is for workers with one. ``environment`` are the names of what it
    may see of its worker's environment besides what ``child_environment`` lets through.
    """

    memory_bytes: Annotated[int, Gt(0)] = 8 * GIBIBYTE
    address_space_bytes: Annotated[int, Gt(0)] | None = 64 * GIBIBYTE
    file_bytes: Annotated[int, Gt(0)] = 64 * GIBIBYTE
    environment: tuple[str, ...] = ()


@dataclass(frozen=True)
class ChildTask(Generic[Request]):
    """Work a child can be asked for: the module that does it and what it is asked with.

    ``environment`` is what its libraries are told besides what all children's are.
    """

    module: str
    request: type[Request]
    environment: Mapping[str, str] = field(default_factory=dict, hash=False)


OnProgress = Callable[[float], Awaitable[None]]
OnKept = Callable[[ChildKept], Awaitable[None]]


async def run_in_child(
    task: ChildTask[Request],
    request: Request,
    result: type[Result],
    *,
    limits: SandboxLimits,
    time_limit: timedelta,
    on_progress: OnProgress,
    on_kept: OnKept | None = None,
    account: Account | None = None,
    hands: Sequence[socket] = (),
) -> Result:
    """Do ``task`` in a child process and return its validated answer; what it uses goes to ``account``.

    What is finished of it is told to ``on_kept``, and the child goes on meanwhile.

    The child gets ``hands`` under their own numbers; they are closed here as soon as it has them.

    Cancelling this call, or letting it time out, kills the child and everything it started before it returns.

    Raises:
        CinemaError: What the child raised, or ``TransientError`` where it crashed or ran out of memory or time.
    """
    with _tracer.start_as_current_span(f"child {task.module}") as span:
        process = await start_child(task, limits, time_limit, hands)
        if account is not None:
            account.watch(process)
        try:
            return await _ask(process, request, result, time_limit=time_limit, on_progress=on_progress, on_kept=on_kept)
        finally:
            _tell_usage(span, task.module, process.usage)


async def _ask(
    process: ChildProcess,
    request: Request,
    result: type[Result],
    *,
    time_limit: timedelta,
    on_progress: OnProgress,
    on_kept: OnKept | None,
) -> Result:
    """The child's whole life: its request, its progress, its answer, its end."""
    errors = asyncio.create_task(tail_of(process.stderr))
    try:
        async with asyncio.timeout(time_limit.total_seconds()):
            await process.send(request.model_dump_json().encode())
            answer = await _listen(process, result, on_progress, on_kept)
            status = await process.wait()
    except TimeoutError as error:
        sentence = f"Working on this file took longer than {time_limit} and was stopped."
        raise TransientError(ErrorCode.PROCESS_TIMED_OUT, sentence) from error
    finally:
        await process.kill()
        tail = await errors
        process.close()
    if answer is None:
        raise _crash(status, tail)
    return answer


def _tell_usage(span: trace.Span, module: str, usage: ProcessUsage) -> None:
    span.set_attributes(
        {
            "cinema.child.cpu_seconds": usage.cpu_s,
            "cinema.child.read_bytes": usage.bytes_read,
            "cinema.child.written_bytes": usage.bytes_written,
        }
    )
    CHILD_CPU.labels(module).inc(usage.cpu_s)


async def start_child(
    task: ChildTask[Request], limits: SandboxLimits, time_limit: timedelta | None, hands: Sequence[socket]
) -> ChildProcess:
    """Start ``task``'s process, which waits for its request; without a time limit it may compute for ever.

    It gets ``hands`` under their own numbers; they are closed here.
    """
    environment = child_environment(os.environ, task.environment, limits.environment)
    command = (
        sys.executable,
        # Import nothing from the current folder: it may be the creator's.
        "-P",
        "-m",
        task.module,
        str(limits.memory_bytes),
        str(limits.address_space_bytes or 0),
        str(limits.file_bytes),
        str(0 if time_limit is None else _cpu_seconds(time_limit)),
        str(os.getpid()),
    )
    try:
        return await ChildProcess.start(command, environment, LONGEST_LINE, [hand.fileno() for hand in hands])
    finally:
        for hand in hands:
            hand.close()


def _cpu_seconds(time_limit: timedelta) -> int:
    """What all processors together can do in that time: the kernel ends a child even where its parent cannot."""
    return max(1, math.ceil(time_limit.total_seconds())) * (os.cpu_count() or 1)


async def _listen(
    process: ChildProcess, result: type[Result], on_progress: OnProgress, on_kept: OnKept | None
) -> Result | None:
    answer: Result | None = None
    async for line in process.stdout:
        match _MESSAGE.validate_json(line):
            case ChildProgressed(progress=done):
                await on_progress(done)
            case ChildKept() as kept:
                if on_kept is not None:
                    await on_kept(kept)
            case ChildFailed(error=info):
                raise CinemaError.from_info(info)
            case finished:
                answer = result.model_validate_json(finished.result)
    return answer


async def tail_of(stream: asyncio.StreamReader) -> str:
    """What a child writes to its standard error last, once it has ended."""
    tail = b""
    while chunk := await stream.read(64 << 10):
        tail = (tail + chunk)[-ERROR_TAIL:]
    return tail.decode(errors="replace").strip()


def _crash(status: int, tail: str) -> CinemaError:
    if status == -signal.SIGXCPU:
        return TransientError(ErrorCode.PROCESS_TIMED_OUT, "Working on this file took too much processor time.")
    last_line = tail.rpartition("\n")[2]
    cause = signal.Signals(-status).name if status < 0 else f"exit status {status}"
    return TransientError(
        ErrorCode.PROCESS_CRASHED, f"The process working on this file ended unexpectedly ({cause}). {last_line}".strip()
    )

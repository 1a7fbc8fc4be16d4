"""One supervised process: started, watched, started again when it dies, and stopped."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from cinema.readiness import READY_DESCRIPTOR
from cinema.stack.errors import StackError
from cinema.stack.logfile import BoundedLog
from cinema.stack.state import ChildState, ChildStatus
from cinema.tethered import NO_USER

#: Seconds before a dead child is started again; doubled each time up to the longest wait.
FIRST_WAIT = 0.25
LONGEST_WAIT = 30.0

#: A child that has run this long, in seconds, is taken to be well again: one that cannot run dies sooner.
WELL_AFTER = 10.0

#: Deaths in a row after which a child is reported as failing.
FAILING_AFTER = 5

#: Seconds that the last of a dead child's output may take to arrive.
OUTPUT_SECONDS = 2.0

#: Seconds between two checks whether a child is ready, where it does not say so itself.
READY_INTERVAL = 0.05

log = structlog.get_logger(__name__)

ReadyCheck = Callable[[], Awaitable[bool]]


@dataclass(frozen=True)
class ChildSpec:
    """How to run one child.

    ``ready`` is asked again and again whether the child does its work; ``None`` where the child says so itself
    (``cinema.readiness``). ``death_signal`` is what it gets when the supervisor is killed. ``descriptors`` are open
    files it inherits under their own numbers. ``give_up_after`` is how many deaths in a row mean that it cannot run;
    ``None`` where it is tried for ever, because the rest is of use without it. ``telemetry_url`` is where it answers
    operators, if it does.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: ReadyCheck | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0
    death_signal: signal.Signals = signal.SIGKILL
    user: str = NO_USER
    descriptors: tuple[int, ...] = ()
    telemetry_url: str | None = None
    give_up_after: int | None = None


class Child:
    """A running ``ChildSpec``. Its output goes to ``log_path``; ``on_change`` is called whenever its status changes."""

    def __init__(self, spec: ChildSpec, log_path: Path, on_change: Callable[[], None]) -> None:
        self.spec = spec
        self._log_path = log_path
        self._on_change = on_change
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._output: asyncio.Task[None] | None = None
        self._said_ready: asyncio.Future[None] | None = None
        self._state = ChildState.STOPPED
        self._restarts = 0
        self._last_exit: str | None = None

    @property
    def status(self) -> ChildStatus:
        process = self._process
        return ChildStatus(
            name=self.spec.name,
            state=self._state,
            pid=process.pid if process is not None and process.returncode is None else None,
            restarts=self._restarts,
            last_exit=self._last_exit,
            log=self._log_path,
            telemetry_url=self.spec.telemetry_url,
        )

    async def start(self, patience: float) -> None:
        """Start the child and return once it is ready; from then on it is kept running.

        Raises:
            StackError: It ended, or was not ready within ``patience`` seconds.
        """
        process = await self._spawn()
        try:
            async with asyncio.timeout(patience):
                became_ready = await self._until_ready(process)
        except TimeoutError:
            await self._end(process)
            raise StackError.with_log(
                f"{self.spec.name} was not ready within {patience:g} seconds.", self._log_path
            ) from None
        if not became_ready:
            await self._settle(process)
            raise StackError.with_log(f"{self.spec.name} ended at once ({self._last_exit}).", self._log_path)
        self._watch = asyncio.create_task(self._keep_running(process, patience), name=f"watch-{self.spec.name}")

    async def kept_running(self) -> None:
        """Wait for as long as the child is kept running; for a child that was never started, not at all.

        Raises:
            StackError: It died as often in a row as its ``give_up_after`` says.
        """
        if self._watch is not None:
            await asyncio.shield(self._watch)

    async def stop(self) -> None:
        """Ask the child to end, wait as long as it may take, then kill it and everything it started."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        if self._process is not None:
            await self._end(self._process)
        self._enter(ChildState.STOPPED)

    async def _keep_running(self, process: asyncio.subprocess.Process, patience: float) -> None:
        deaths = 0
        while True:
            started = time.monotonic()
            await process.wait()
            await self._settle(process)
            deaths = 1 if time.monotonic() - started > WELL_AFTER else deaths + 1
            self._restarts += 1
            self._enter(ChildState.FAILING if deaths >= FAILING_AFTER else ChildState.RESTARTING)
            log.warning("child died", child=self.spec.name, exit=self._last_exit, deaths_in_a_row=deaths)
            if deaths == self.spec.give_up_after:
                message = f"{self.spec.name} died {deaths} times in a row ({self._last_exit}) and is given up."
                raise StackError.with_log(message, self._log_path)
            await asyncio.sleep(min(FIRST_WAIT * 2 ** (deaths - 1), LONGEST_WAIT))
            process = await self._spawn(failing=deaths >= FAILING_AFTER)
            await self._ready_or_ended(process, patience)

    async def _ready_or_ended(self, process: asyncio.subprocess.Process, patience: float) -> None:
        """Wait until the child is ready or has ended; one that is neither for too long is ended: it may do better."""
        try:
            async with asyncio.timeout(patience):
                await self._until_ready(process)
        except TimeoutError:
            log.warning("child was not ready in time; ending it", child=self.spec.name, seconds=patience)
            await self._end(process)

    async def _spawn(self, *, failing: bool = False) -> asyncio.subprocess.Process:
        reading, writing = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *_tethered(self.spec),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env={**os.environ, **self.spec.environment, READY_DESCRIPTOR: str(writing)},
                pass_fds=(writing, *self.spec.descriptors),
                start_new_session=True,
            )
        finally:
            os.close(writing)
        self._process = process
        self._listen(reading)
        self._output = asyncio.create_task(_copy(process.stdout, self._log_path))
        self._enter(ChildState.FAILING if failing else ChildState.STARTING)
        return process

    def _listen(self, reading: int) -> None:
        """Resolve ``_said_ready`` when the child writes to its end of the pipe."""
        loop = asyncio.get_running_loop()
        said: asyncio.Future[None] = loop.create_future()

        def hear() -> None:
            loop.remove_reader(reading)
            with os.fdopen(reading, "rb") as pipe:
                if pipe.read(1) and not said.done():
                    said.set_result(None)

        loop.add_reader(reading, hear)
        self._said_ready = said

    async def _until_ready(self, process: asyncio.subprocess.Process) -> bool:
        """Wait until the child is ready; ``False`` if it ended first."""
        ready = asyncio.create_task(self._ready())
        ended = asyncio.create_task(process.wait())
        try:
            await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                return False
            await ready
            self._enter(ChildState.READY)
            return True
        finally:
            for task in (ready, ended):
                task.cancel()
            await asyncio.gather(ready, ended, return_exceptions=True)

    async def _ready(self) -> None:
        if self.spec.ready is None:
            if self._said_ready is not None:
                await self._said_ready
            return
        while True:
            if await self.spec.ready():
                return
            await asyncio.sleep(READY_INTERVAL)

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(self.spec.stop_signal)
            try:
                await asyncio.wait_for(process.wait(), self.spec.stop_seconds)
            except TimeoutError:
                log.warning("child did not end when asked; killing it", child=self.spec.name)
        await self._settle(process)

    async def _settle(self, process: asyncio.subprocess.Process) -> None:
        """Leave nothing of the child behind: what it started in its session goes with it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        status = await process.wait()
        if self._output is not None:
            # Something that left the child's session may hold its output open for as long as it likes.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._output, OUTPUT_SECONDS)
        self._last_exit = _describe_exit(status)

    def _enter(self, state: ChildState) -> None:
        self._state = state
        self._on_change()


def _tethered(spec: ChildSpec) -> tuple[str, ...]:
    return (
        sys.executable,
        "-m",
        "cinema.tethered",
        str(os.getpid()),
        str(int(spec.death_signal)),
        spec.user,
        *spec.command,
    )


async def _copy(stream: asyncio.StreamReader | None, path: Path) -> None:
    if stream is None:
        raise RuntimeError("the child was started without a pipe")
    bounded = BoundedLog(path)
    try:
        while chunk := await stream.read(64 << 10):
            bounded.write(chunk)
    finally:
        bounded.close()


def _describe_exit(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"

"""A child process that is reaped here, so that what it used is known however it ended.

Whoever waits for a child is told by the kernel what it and its reaped children used (wait4, getrusage); asyncio's own
subprocesses are waited for by asyncio, which throws that away. What is not in there, the processes that a child leaves
behind and the bytes it moved, is read from Linux's /proc while the child is a zombie; elsewhere it counts as nothing.
"""

import asyncio
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

PROC = Path("/proc")

#: Clock ticks a second, the unit of times in /proc/PID/stat.
TICKS = os.sysconf("SC_CLK_TCK")

#: Seconds between two looks at a child where there is no waitid (macOS with this Python).
LOOK_INTERVAL = 0.05


@dataclass(frozen=True)
class ProcessUsage:
    """Seconds of user and system time, and bytes through read and write calls, of a process and what it started."""

    cpu_s: float = 0.0
    bytes_read: int = 0
    bytes_written: int = 0

    def plus(self, other: "ProcessUsage") -> "ProcessUsage":
        return ProcessUsage(
            self.cpu_s + other.cpu_s,
            self.bytes_read + other.bytes_read,
            self.bytes_written + other.bytes_written,
        )


class ChildProcess:
    """A running child, leader of a session of its own; ``stdout`` and ``stderr`` are read like any stream."""

    def __init__(self, popen: "subprocess.Popen[bytes]") -> None:
        self._popen = popen
        self._pipes: list[_Pipe] = []
        self._left_behind: dict[int, ProcessUsage] = {}
        self._ended: asyncio.Future[ProcessUsage] = asyncio.get_running_loop().create_future()
        self._reaping = threading.Lock()
        threading.Thread(target=self._reap, args=(asyncio.get_running_loop(),), daemon=True).start()

    @classmethod
    async def start(
        cls, command: Sequence[str], environment: Mapping[str, str], longest_line: int, hands: Sequence[int] = ()
    ) -> Self:
        """Start ``command``; lines of its output may be ``longest_line`` bytes long.

        It gets the descriptors in ``hands`` under their own numbers, and no others.
        """
        child = cls(
            subprocess.Popen(  # noqa: ASYNC220 (a fork and an exec, as asyncio does it)
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                pass_fds=hands,
                start_new_session=True,
            )
        )
        try:
            await child._open(longest_line)
        except BaseException:
            # Called off before anyone else knows of it.
            await child.kill()
            child.close()
            raise
        return child

    @property
    def stdout(self) -> asyncio.StreamReader:
        return self._pipes[0].reader

    @property
    def stderr(self) -> asyncio.StreamReader:
        return self._pipes[1].reader

    @property
    def usage(self) -> ProcessUsage:
        """So far, or all of it once the child has ended."""
        return self._ended.result() if self._ended.done() else _total(map(_used_by, _session(self._popen.pid)))

    async def send(self, content: bytes) -> None:
        """Write all of its standard input and close it. A child that reads nothing holds this up until it ends."""
        await asyncio.to_thread(self._send, content)

    async def wait(self) -> int:
        """Its exit status once it has ended, negative for the signal that ended it."""
        await asyncio.shield(self._ended)
        return self._popen.returncode

    async def kill(self) -> None:
        """End it and everything it started, if it still runs."""
        with self._reaping:
            if self._popen.returncode is None:
                self._end_session()
        await self.wait()

    def close(self) -> None:
        """Let go of its pipes; what has not been read is lost."""
        for pipe in self._pipes:
            pipe.transport.close()
        for end in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            with suppress(BrokenPipeError):
                _present(end).close()

    async def _open(self, longest_line: int) -> None:
        for end in (self._popen.stdout, self._popen.stderr):
            self._pipes.append(await _Pipe.opened(end, longest_line))

    def _send(self, content: bytes) -> None:
        # Where it died before it had read everything, its exit status and its last words say more than this pipe.
        with suppress(BrokenPipeError), _present(self._popen.stdin) as stdin:
            stdin.write(content)

    def _reap(self, loop: asyncio.AbstractEventLoop) -> None:
        """In a thread of its own: wait for the end, and hand over what was used in all."""
        used = None
        while used is None:
            _await_end(self._popen.pid)
            used = self._collect()
        # The loop is closed where its program ended without waiting for the child.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(self._ended.set_result, used)

    def _collect(self) -> ProcessUsage | None:
        """Add up, and have the kernel forget the child, if it has ended."""
        pid = self._popen.pid
        with self._reaping:
            moved = _used_by(pid)
            ended, status, used = os.wait4(pid, os.WNOHANG)
            if not ended:
                return None
            self._popen.returncode = os.waitstatus_to_exitcode(status)
            self._end_session()
        leader = ProcessUsage(used.ru_utime + used.ru_stime, moved.bytes_read, moved.bytes_written)
        return _total([leader, *self._left_behind.values()])

    def _end_session(self) -> None:
        """Kill all that is left of the session. Who outlives the leader is not in its account: counted before."""
        leader = self._popen.pid
        self._left_behind.update({pid: _used_by(pid) for pid in _session(leader) if pid != leader})
        with suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGKILL)


@dataclass(frozen=True)
class _Pipe:
    """The reading end of a pipe, as a stream."""

    reader: asyncio.StreamReader
    transport: asyncio.ReadTransport

    @classmethod
    async def opened(cls, pipe: IO[bytes] | None, longest_line: int) -> Self:
        reader = asyncio.StreamReader(limit=longest_line)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), _present(pipe)
        )
        return cls(reader, transport)


def _await_end(pid: int) -> None:
    """Return once the child is a zombie; where the system cannot wait for that without reaping it, after a moment."""
    if hasattr(os, "waitid"):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    else:
        time.sleep(LOOK_INTERVAL)


def _present(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError("the child was started without a pipe")
    return pipe


def _session(leader: int) -> Iterator[int]:
    """The processes of the session that are there now."""
    for folder in PROC.glob("[0-9]*"):
        fields = _stat(int(folder.name))
        if fields and int(fields[3]) == leader:
            yield int(folder.name)


def _used_by(pid: int) -> ProcessUsage:
    """So far, with the children it has waited for; nothing once it is gone, or where there is no /proc."""
    fields = _stat(pid)
    ticks = sum(int(field) for field in fields[11:15])
    moved = _moved(pid)
    return ProcessUsage(ticks / TICKS, moved.get("rchar", 0), moved.get("wchar", 0))


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on (proc_pid_stat(5), field 3), empty once the process is gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return []


def _moved(pid: int) -> dict[str, int]:
    """/proc/PID/io (proc_pid_io(5)), empty once the process is gone or is another user's."""
    with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        lines = (PROC / str(pid) / "io").read_text(encoding="utf-8").splitlines()
        return {name: int(value) for name, value in (line.split(": ") for line in lines)}
    return {}


def _total(usages: Iterable[ProcessUsage]) -> ProcessUsage:
    total = ProcessUsage()
    for usage in usages:
        total = total.plus(usage)
    return total

"""Run a program that cannot outlive its parent.

Usage: ``python -m cinema.tethered PARENT_PID DEATH_SIGNAL USER PROGRAM ARGUMENT…``, where ``USER`` is ``-`` for whoever
runs this. On Linux the kernel sends the signal when the parent dies, and this process becomes the program. Elsewhere
this process stays, passes signals on, and looks after its parent itself.

Imports stay few: this runs before every child of the stack.
"""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from types import FrameType
from typing import NoReturn

PR_SET_PDEATHSIG = 1

#: Seconds between two looks at the parent, where the kernel does not tell.
WATCH_INTERVAL = 0.25

#: Seconds a program gets to heed the death signal before it is killed, where the kernel does not send it.
LAST_SECONDS = 10.0

NO_USER = "-"


def main() -> None:
    parent, death_signal, user, *command = sys.argv[1:]
    if user != NO_USER:
        become(user)
    tether = exec_tethered if sys.platform == "linux" else watch_tethered
    tether(command, parent=int(parent), death_signal=signal.Signals(int(death_signal)))


def become(user: str) -> None:
    """Give up root for good. Must come before the death signal is asked for: changing user forgets it."""
    entry = pwd.getpwnam(user)
    os.initgroups(entry.pw_name, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.chdir("/")
    os.environ.update(HOME=entry.pw_dir, USER=entry.pw_name, LOGNAME=entry.pw_name)


def exec_tethered(command: list[str], *, parent: int, death_signal: signal.Signals) -> NoReturn:
    """Become the program, with the kernel told to signal it when the parent dies."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal) != 0:
        raise OSError(ctypes.get_errno(), "cannot ask for a parent-death signal")
    if os.getppid() != parent:
        sys.exit("the parent is gone already")
    os.execvp(command[0], command)  # noqa: S606 (there is nothing in it for a shell)


def watch_tethered(command: list[str], *, parent: int, death_signal: signal.Signals) -> NoReturn:
    """Run the program below this process until it or the parent ends; exit as it did."""
    program = subprocess.Popen(command, close_fds=False)

    def pass_on(number: int, _frame: FrameType | None) -> None:
        program.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, pass_on)
    while os.getppid() == parent:
        try:
            status = program.wait(WATCH_INTERVAL)
        except subprocess.TimeoutExpired:
            continue
        sys.exit(status if status >= 0 else 128 - status)
    _end(program, death_signal)
    sys.exit("the parent is gone")


def _end(program: subprocess.Popen[bytes], death_signal: signal.Signals) -> None:
    program.send_signal(death_signal)
    try:
        program.wait(LAST_SECONDS)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()


if __name__ == "__main__":
    main()

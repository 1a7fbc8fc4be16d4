"""Taking from this process, for good, the system calls that decoding never needs: sockets, programs, other processes.

A filter of Linux's seccomp (seccomp(2)) is laid on the process and on whatever it starts; it needs no privilege, only
the promise never to gain any (PR_SET_NO_NEW_PRIVS). A call that is refused fails with ``EACCES`` as if by permissions,
so that a library which only tries its luck goes on without. Descriptors handed down by the parent stay usable. Which
files it may open is for ``activities.file_access``; what that does not cover, a file's mode and owner, is refused here.
"""

import ctypes
import errno
import os
import platform
import sys
from collections.abc import Iterable
from dataclasses import dataclass

#: linux/prctl.h and linux/seccomp.h.
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_SET_MODE_FILTER = 1
_SECCOMP_FILTER_FLAG_TSYNC = 1
_REFUSE = 0x0005_0000 | errno.EACCES
_KILL_PROCESS = 0x8000_0000
_ALLOW = 0x7FFF_0000

#: linux/bpf_common.h: load a word of the call's description, compare it with a constant, give a verdict.
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _VERDICT = 0x20, 0x15, 0x35, 0x06
#: Where ``struct seccomp_data`` keeps the call's number, its calling convention, and its first argument (low word).
_NUMBER, _CONVENTION, _FIRST = 0, 4, 16
#: Numbers from here on are the x32 convention's, another way to every call (x86-64 alone).
_X32 = 0x4000_0000


@dataclass(frozen=True)
class _Machine:
    """A machine's calling convention (linux/audit.h), the number of seccomp(2), and those of the calls refused.

    ``on_itself`` are those that a process may do to itself alone, which it names first.
    """

    convention: int
    seccomp: int
    refused: tuple[int, ...]
    on_itself: tuple[int, ...]


#: socket, connect and io_uring_setup (a second way to both); ptrace, process_vm_readv, process_vm_writev, pidfd_getfd
#: (into other processes); execve, execveat (other programs); bpf, userfaultfd, perf_event_open, keyctl, add_key,
#: unshare, setns, mount (a wide way into the kernel); tkill, rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_send_signal
#: (signals to other processes). kill and tgkill are how a process ends itself. Then what changes a file that is not
#: open for writing: truncate, chmod, chown, setxattr, removexattr, utime in all their forms; and open_by_handle_at.
_MACHINES = {
    "x86_64": _Machine(
        0xC000_003E,
        317,
        (
            *(41, 42, 425, 101, 310, 311, 438, 59, 322, 321, 323, 298, 250, 248, 272, 308, 165, 200, 129, 297, 424),
            *(76, 90, 91, 268, 452, 92, 93, 94, 260, 188, 189, 190, 463, 197, 198, 199, 466, 132, 235, 261, 280, 304),
        ),
        (62, 234),
    ),
    "aarch64": _Machine(
        0xC000_00B7,
        277,
        (
            *(198, 203, 425, 117, 270, 271, 438, 221, 281, 280, 282, 241, 219, 217, 97, 268, 40, 130, 138, 240, 424),
            *(45, 52, 53, 452, 54, 55, 5, 6, 7, 463, 14, 15, 16, 466, 88, 265),
        ),
        (129, 131),
    ),
}


class _Instruction(ctypes.Structure):
    """``struct sock_filter``."""

    _fields_ = (("code", ctypes.c_ushort), ("yes", ctypes.c_ubyte), ("no", ctypes.c_ubyte), ("value", ctypes.c_uint))


class _Program(ctypes.Structure):
    """``struct sock_fprog``."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction)))


def can_refuse() -> bool:
    """Whether this system has the means: Linux on a machine whose calls are known here."""
    return sys.platform == "linux" and platform.machine() in _MACHINES


def refuse_dangerous_calls() -> None:
    """From here on this process reaches no network, runs no program, looks into no other one, and leaves modes alone.

    Raises:
        OSError: The kernel does not let us (built without seccomp).
    """
    machine = _MACHINES[platform.machine()]
    instructions = tuple(_instructions(machine, os.getpid()))
    program = _Program(len(instructions), (_Instruction * len(instructions))(*instructions))
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    # Threads that libraries have started by now are held to it too.
    _checked(libc.syscall(machine.seccomp, _SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC, ctypes.byref(program)))


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"the kernel does not confine this process: {os.strerror(number)}")


def _instructions(machine: _Machine, itself: int) -> Iterable[_Instruction]:
    """Another calling convention is the end of the process; of its own, the calls on the list are refused."""
    yield _Instruction(_LOAD, 0, 0, _CONVENTION)
    yield _Instruction(_IF_EQUAL, 1, 0, machine.convention)
    yield _Instruction(_VERDICT, 0, 0, _KILL_PROCESS)
    yield _Instruction(_LOAD, 0, 0, _NUMBER)
    yield _Instruction(_IF_AT_LEAST, 0, 1, _X32)
    yield _Instruction(_VERDICT, 0, 0, _REFUSE)
    for number in machine.refused:
        yield _Instruction(_IF_EQUAL, 0, 1, number)
        yield _Instruction(_VERDICT, 0, 0, _REFUSE)
    for number in machine.on_itself:
        yield _Instruction(_IF_EQUAL, 0, 4, number)
        yield _Instruction(_LOAD, 0, 0, _FIRST)
        yield _Instruction(_IF_EQUAL, 1, 0, itself)
        yield _Instruction(_VERDICT, 0, 0, _REFUSE)
        yield _Instruction(_VERDICT, 0, 0, _ALLOW)
    yield _Instruction(_VERDICT, 0, 0, _ALLOW)

"""Taking from this process, for good, the files that its work does not need, by Linux's Landlock (landlock(7)).

Whether a file may be opened is decided when it is opened, whatever the user may do: descriptors that were handed down
stay usable, and whether there is a file of some name, how large and how old, is no secret. No privilege is needed, as
root or not. How much of it a kernel knows has a number, its ABI: from 3 on it covers truncating a file, from 4 on TCP,
from 5 on what devices can be told, from 6 on signals and abstract sockets; an older one holds to the rest. 0 is none.
"""

import ctypes
import os
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from enum import IntFlag
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Final

#: The same on every machine (asm-generic/unistd.h).
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
#: linux/landlock.h: what landlock_create_ruleset is asked for its version with, and the kind of rule about a path.
_ASK_VERSION = 1
_PATH_BENEATH = 1


class Right(IntFlag):
    """What can be done with a file or a folder and what is in it (linux/landlock.h)."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_FOLDER = 1 << 3
    REMOVE_FOLDER = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHARACTER_DEVICE = 1 << 6
    MAKE_FOLDER = 1 << 7
    MAKE_FILE = 1 << 8
    MAKE_SOCKET = 1 << 9
    MAKE_PIPE = 1 << 10
    MAKE_BLOCK_DEVICE = 1 << 11
    MAKE_LINK = 1 << 12
    MOVE_BETWEEN_FOLDERS = 1 << 13
    TRUNCATE = 1 << 14
    TELL_DEVICE = 1 << 15


READING: Final = Right.READ_FILE | Right.READ_FOLDER
#: Links are left out: whoever looks into the folder afterwards would be led out of it.
WORKING: Final = (
    READING
    | Right.WRITE_FILE
    | Right.TRUNCATE
    | Right.MAKE_FILE
    | Right.MAKE_FOLDER
    | Right.REMOVE_FILE
    | Right.REMOVE_FOLDER
    | Right.MOVE_BETWEEN_FOLDERS
)
USING_DEVICE: Final = READING | Right.WRITE_FILE | Right.TELL_DEVICE

_OF_FILES: Final = Right.EXECUTE | Right.WRITE_FILE | Right.READ_FILE | Right.TRUNCATE | Right.TELL_DEVICE
#: The first ABI that knows a right; all others are as old as Landlock.
_KNOWN_FROM: Final = {Right.MOVE_BETWEEN_FOLDERS: 2, Right.TRUNCATE: 3, Right.TELL_DEVICE: 5}
#: To take a TCP port, and to connect to one; to reach an abstract socket, and to signal, outside.
_NETWORK, _NETWORK_FROM = 0b11, 4
_SCOPES, _SCOPES_FROM = 0b11, 6

_PROC: Final = Path("/proc")


class _Ruleset(ctypes.Structure):
    """``struct landlock_ruleset_attr``."""

    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    """``struct landlock_path_beneath_attr``."""

    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("descriptor", ctypes.c_int32))


def landlock_abi() -> int:
    """What this kernel lets a process take from itself."""
    if sys.platform != "linux":
        return 0
    # Not built in, not switched on, or refused to this container: whichever it is, there is nothing.
    return max(0, int(_libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION)))


def keep_to(allowed: Mapping[Path, Right]) -> None:
    """From here on this process, and what it starts, gets at nothing but what is allowed below each path.

    Links are followed now; what is not there now cannot be had later. Where there is no Landlock, nothing changes.

    Raises:
        RuntimeError: Another thread runs already, which would be held to nothing.
        OSError: The kernel does not let us.
    """
    abi = landlock_abi()
    if not abi:
        return
    threads = sum(1 for _ in Path("/proc/self/task").iterdir())
    if threads > 1:
        raise RuntimeError(f"this process cannot be confined any more: {threads} threads run in it")
    ruleset = _Confinement(abi)
    try:
        for path, rights in allowed.items():
            ruleset.allow(path, rights)
        ruleset.lay_on()
    finally:
        ruleset.close()


class _Confinement:
    """A ruleset in the making: everything that the kernel knows is refused, but for what is allowed."""

    def __init__(self, abi: int) -> None:
        self._libc = _libc()
        self._handled = _known(abi)
        attributes = _Ruleset(
            self._handled, _NETWORK if abi >= _NETWORK_FROM else 0, _SCOPES if abi >= _SCOPES_FROM else 0
        )
        size = ctypes.c_size_t(ctypes.sizeof(attributes))
        self._ruleset = _checked(self._libc.syscall(_CREATE_RULESET, ctypes.byref(attributes), size, 0))

    def allow(self, path: Path, rights: Right) -> None:
        """Take a path, or a folder and all below it, from what is refused. What cannot be reached stays so."""
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                self._allow(place, rights)
            finally:
                # A rule is about a file, not a name. Those in /proc may be made anew once nobody holds them.
                if not path.is_relative_to(_PROC):
                    os.close(place)

    def lay_on(self) -> None:
        _checked(self._libc.syscall(_RESTRICT_SELF, self._ruleset, 0))

    def close(self) -> None:
        os.close(self._ruleset)

    def _allow(self, place: int, rights: Right) -> None:
        possible = self._handled if stat.S_ISDIR(os.fstat(place).st_mode) else self._handled & _OF_FILES
        rule = _PathBeneath(rights & possible, place)
        _checked(self._libc.syscall(_ADD_RULE, self._ruleset, _PATH_BENEATH, ctypes.byref(rule), 0))


def _known(abi: int) -> Right:
    return reduce(or_, (right for right in Right if _KNOWN_FROM.get(right, 1) <= abi))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"the kernel does not keep this process from files: {os.strerror(number)}")
    return result

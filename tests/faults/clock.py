"""A wall clock that a test sets, for processes of the stack that start from then on. Needs Debian's libfaketime.

Only the wall clock: the monotonic one goes on, as it does on a machine whose clock is set.
"""

import os
import sys
from pathlib import Path

CLOCK = "clock"

_LIBRARIES = (
    Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"),
    Path("/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"),
    Path("/usr/lib64/faketime/libfaketimeMT.so.1"),
)


def faketime_library() -> Path | None:
    return next((path for path in _LIBRARIES if path.exists()), None)


class Clock:
    """The wall clock of the workers and the dispatcher of one home folder, ``offset_s`` from the real one."""

    def __init__(self, home: Path) -> None:
        self._path = home / CLOCK

    def set(self, offset_s: int) -> None:
        """Processes that run with this clock see it within a second; others from their next start on."""
        draft = self._path.with_name(f".{CLOCK}")
        draft.write_text(f"{offset_s:+d}\n")
        draft.replace(self._path)

    def restore(self) -> None:
        self._path.unlink(missing_ok=True)


def take_over_clock(home: Path, module: str) -> None:
    """Start ``module`` again under the clock that a test has set, if one has."""
    library = faketime_library()
    if library is None or not (home / CLOCK).exists() or "FAKETIME_TIMESTAMP_FILE" in os.environ:
        return
    settings = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(home / CLOCK),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], {**os.environ, **settings})

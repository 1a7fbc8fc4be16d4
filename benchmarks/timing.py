"""What a command costs, and how two commands compare on a machine that does other things too."""

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryFile
from time import perf_counter

from benchmarks.frame import BenchmarkError

#: Of what a failed command said, in characters.
_COMPLAINT = 2000


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and of processor time in the process and all that it waited for."""

    wall_s: float
    cpu_s: float


def cost_of(command: Sequence[str | Path]) -> Cost:
    """Run a command to its end.

    Raises:
        BenchmarkError: It failed; the message ends with what it said.
    """
    with TemporaryFile() as said:
        began = perf_counter()
        process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            complaint = said.read().decode(errors="replace")[-_COMPLAINT:]
            raise BenchmarkError(f"{Path(command[0]).name} ended with status {process.returncode}: {complaint}")
    return Cost(wall_s=wall_s, cpu_s=usage.ru_utime + usage.ru_stime)


def interleaved(first: Callable[[], Cost], second: Callable[[], Cost], rounds: int) -> list[tuple[Cost, Cost]]:
    """Costs of both by turns, A B A B, so that what else the machine does falls on both alike."""
    return [(first(), second()) for _ in range(rounds)]


def median_ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """The median of first over second."""
    return median(first / second for first, second in pairs)

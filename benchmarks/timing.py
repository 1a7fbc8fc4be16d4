"""What a command costs, and how two commands compare on a machine that does other things too."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from types import MappingProxyType

from benchmarks import launcher
from benchmarks.frame import BenchmarkError

#: Of what a failed command said, in characters.
_COMPLAINT = 2000


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock and of processor time, of a process and all that it waited for, and its peak of memory.

    The peak is that of the largest single process, in MiB; 0 where it was not measured.
    """

    wall_s: float
    cpu_s: float
    peak_mib: float = 0.0


def cost_of(command: Sequence[str | Path], environment: Mapping[str, str] = MappingProxyType({})) -> Cost:
    """Run a command to its end, with ``environment`` added to what it inherits.

    Raises:
        BenchmarkError: It failed; the message ends with what it said.
    """
    with TemporaryDirectory(prefix="cinema-cost-") as name:
        costs = Path(name) / "cost.json"
        launched = [sys.executable, "-IS", launcher.__file__, costs, *command]
        ended = subprocess.run(
            launched,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if ended.returncode != 0:
            complaint = ended.stdout.decode(errors="replace")[-_COMPLAINT:]
            raise BenchmarkError(f"{Path(command[0]).name} ended with status {ended.returncode}: {complaint}")
        return Cost(**json.loads(costs.read_text()))


def costing(work: Callable[[], object]) -> Callable[[], Cost]:
    """Work in this process, as what tells its cost."""

    def cost() -> Cost:
        wall, cpu = perf_counter(), process_time()
        work()
        return Cost(wall_s=perf_counter() - wall, cpu_s=process_time() - cpu)

    return cost


def interleaved(first: Callable[[], Cost], second: Callable[[], Cost], rounds: int) -> list[tuple[Cost, Cost]]:
    """Costs of both by turns, A B A B, so that what else the machine does falls on both alike."""
    return [(first(), second()) for _ in range(rounds)]


def median_ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """The median of first over second."""
    return median(first / second for first, second in pairs)

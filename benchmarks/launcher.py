"""Runs one command and says what it cost: ``python -IS launcher.py COSTS COMMAND...``.

Linux counts the memory of the process that starts a command towards the command's peak. This one loads next to nothing,
so that the peak it reports is the command's own.
"""

import json
import os
import sys
from time import perf_counter


def main(costs: str, command: list[str]) -> int:
    """Run ``command`` to its end, write its costs to the file ``costs``, and return its status."""
    began = perf_counter()
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    wall_s = perf_counter() - began
    cost = {"wall_s": wall_s, "cpu_s": usage.ru_utime + usage.ru_stime, "peak_mib": usage.ru_maxrss / 1024}
    with open(costs, "w", encoding="utf-8") as file:  # noqa: PTH123 -- pathlib alone would double what this process weighs
        json.dump(cost, file)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))

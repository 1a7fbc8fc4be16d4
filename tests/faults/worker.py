"""The real worker with an object store that fails as the fault plan says, a shorter patience, and a clock a test sets.

Run as ``python -m tests.faults.worker --queue cinema-render``.
"""
# ruff: noqa: PLC0415 (the worker is imported after what it must find changed)

from unittest.mock import patch

from cinema.connections import objects
from cinema.settings import Settings
from tests.faults import impatience
from tests.faults.clock import take_over_clock
from tests.faults.fault_plan import FaultPlan
from tests.faults.faulty_objects import FaultyObjects


def faulty_objects(settings: Settings) -> FaultyObjects:
    return FaultyObjects(objects(settings), FaultPlan(settings.home))


def main() -> None:
    take_over_clock(Settings().home, "tests.faults.worker")
    impatience.apply()
    import cinema.worker

    with patch("cinema.worker.objects", faulty_objects):
        cinema.worker.main()


if __name__ == "__main__":
    main()

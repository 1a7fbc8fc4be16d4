"""The real dispatcher, dying where the fault plan says so: before it starts a workflow, or before it notes the start.

Run as ``python -m tests.faults.dispatcher``.
"""

from unittest.mock import patch
from uuid import UUID

import cinema.dispatcher
from cinema.settings import Settings
from tests.faults.clock import take_over_clock
from tests.faults.fault_plan import FaultPlan, Point, die


class MortalDispatcher(cinema.dispatcher.Dispatcher):
    async def _start(self, job_id: UUID) -> None:
        plan = FaultPlan(Settings().home)
        if plan.take(Point.DISPATCHER_BEFORE_START):
            die()
        await super()._start(job_id)
        if plan.take(Point.DISPATCHER_AFTER_START):
            die()


def main() -> None:
    take_over_clock(Settings().home, "tests.faults.dispatcher")
    with patch("cinema.dispatcher.Dispatcher", MortalDispatcher):
        cinema.dispatcher.main()


if __name__ == "__main__":
    main()

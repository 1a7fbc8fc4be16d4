"""How work is served: one creator's beside everybody else's, and that for a GPU."""

from enum import StrEnum
from typing import Annotated

from annotated_types import Ge, Gt, Le

from schemas.model import Model


class Service(Model):
    """What a plan promises.

    ``priority`` 1 is served before 2, and so on to 5. Creators of the same priority take turns; one of ``weight`` 2
    gets two turns where one of weight 1 gets one.
    """

    priority: Annotated[int, Ge(1), Le(5)] = 3
    weight: Annotated[float, Gt(0), Le(1000)] = 1


class GpuWork(StrEnum):
    """Who is offered work that a GPU makes faster.

    ``AUTO``: GPU workers, while any polls. ``ALWAYS``: GPU workers, seen or not, for instance because waiting work is
    what makes them start. ``NEVER``: CPU workers alone.
    """

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"

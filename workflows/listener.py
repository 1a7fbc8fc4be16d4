"""Who wants to know how an output comes along."""

from collections.abc import Callable
from dataclasses import dataclass

from workflows.job_book import PartsCount


@dataclass(frozen=True)
class Listener:
    """Says whether the output is still wanted, and is told of it.

    ``begins`` and ``waits`` are told when its work is scheduled and when all of it is held, ``awaits`` when somebody
    else makes the same video, and ``parts`` how many parts there are.
    """

    given_up: Callable[[], bool]
    begins: Callable[[], None]
    waits: Callable[[], None]
    awaits: Callable[[], None]
    parts: Callable[[PartsCount], None]

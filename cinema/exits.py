"""Leaving a process that has loaded Temporal's runtime."""

import logging
import os
import sys
from collections.abc import Callable
from typing import NoReturn

_last_actions: list[Callable[[], None]] = []


def before_leaving(action: Callable[[], None]) -> None:
    """Have ``action`` done at the very end: something is still to be sent then."""
    _last_actions.append(action)


def leave(status: int) -> NoReturn:
    """End the process with ``status`` once everything written is out, without running finalizers.

    Temporal's runtime threads can abort an interpreter that is being taken down; by now all is closed in order.
    """
    for action in _last_actions:
        action()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)

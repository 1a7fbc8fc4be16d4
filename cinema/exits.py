"""Leaving a process that has loaded Temporal's runtime."""

import logging
import os
import sys
from typing import NoReturn


def leave(status: int) -> NoReturn:
    """End the process with ``status`` once everything written is out, without running finalizers.

    Temporal's runtime threads can abort an interpreter that is being taken down; by now all is closed in order.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)

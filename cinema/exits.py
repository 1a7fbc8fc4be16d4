"""Leaving a process that has loaded Temporal's runtime."""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import structlog

from cinema.settings import SettingsError
from schemas.errors import CinemaError, ErrorCode

_last_actions: list[Callable[[], None]] = []

log = structlog.get_logger(__name__)


def before_leaving(action: Callable[[], None]) -> None:
    """Have ``action`` done at the very end: something is still to be sent then."""
    _last_actions.append(action)


@contextmanager
def leaving() -> Iterator[None]:
    """Leave with the end of the block, which is the whole work of a process that stays.

    Exit status 0, or 2 where a setting makes no sense, or 1 where something else ended the work. Both are said in a
    sentence; of what nobody has foreseen the log has the traceback.
    """
    status = 1
    try:
        yield
        status = 0
    except SettingsError as error:
        sys.stderr.write(f"cinema: {error}\n")
        status = 2
    except CinemaError as error:
        defect = error.code is ErrorCode.INTERNAL
        log.error("this process cannot go on", code=error.code, error=error.message, exc_info=defect)  # noqa: TRY400
    except Exception:
        log.exception("this process ends with a defect")
    leave(status)


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

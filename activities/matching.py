"""Matching pictures to what is said, by a model that an operator may have installed.

Without one nothing is missing, so that a damaged one is the operator's affair and no reason to refuse footage: it is
told, and work goes on as if there were none.
"""

from pathlib import Path

import structlog

from analysis import find_image_text
from schemas.errors import CinemaError, ErrorCode

log = structlog.get_logger(__name__)


def can_match(models: Path) -> bool:
    """Whether a model is installed, as far as its files say; one that is damaged is told of."""
    try:
        return find_image_text(models) is not None
    except CinemaError as error:
        tell_unusable(error)
        return False


def is_unusable(error: CinemaError) -> bool:
    """Whether it says that an installed model cannot be used, now or later."""
    return error.code is ErrorCode.MODEL_UNAVAILABLE and not error.retryable


def tell_unusable(error: CinemaError) -> None:
    log.error("pictures are not matched to what is said", error=error.message)

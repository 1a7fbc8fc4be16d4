"""What a failed start of a workflow says: of the entry that was to be started, or of the Temporal it was sent to."""

import random

import structlog
from temporalio.service import RPCError, RPCStatusCode

from schemas.errors import CinemaError

#: Seconds between two tries while Temporal is away: doubles from the first to the longest, less up to half of it by
#: chance, so that many dispatchers do not knock at once.
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 2.0

#: Answers that mean this request and not the server's state, the namespace or our credentials (gRPC's status codes).
_OF_THE_REQUEST = frozenset(
    {
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.FAILED_PRECONDITION,
        RPCStatusCode.OUT_OF_RANGE,
        RPCStatusCode.ALREADY_EXISTS,
    }
)

log = structlog.get_logger("cinema.dispatcher")


def refuses_entry(error: Exception) -> bool:
    """Whether another try of the same entry, with everything around it in order, would fail again.

    Only what is known to lie in the entry is held against it: its row cannot be read, it cannot be encoded, or the
    server read it and refused it. Everything else (no connection, no answer in time, a server that is overloaded,
    broken, without our namespace or without our permissions) would have hit any entry.
    """
    match error:
        case RPCError(status=status):
            return status in _OF_THE_REQUEST
        case CinemaError(retryable=retryable):
            return not retryable
        case _:
            return isinstance(error, ValueError | TypeError)


class Outage:
    """Whether Temporal is away, as far as this dispatcher knows, and how long to wait before it is tried again."""

    def __init__(self) -> None:
        self._failed_in_a_row = 0

    @property
    def lasts(self) -> bool:
        return self._failed_in_a_row > 0

    @property
    def pause(self) -> float:
        """Seconds to wait now, drawn anew each time."""
        longest = min(FIRST_PAUSE * 2 ** min(self._failed_in_a_row - 1, 10), LONGEST_PAUSE)
        return random.uniform(longest / 2, longest)  # noqa: S311 (no secret)

    def noticed(self, error: Exception) -> None:
        """Temporal could not start anything just now."""
        if not self.lasts:
            log.warning("Temporal cannot start workflows; jobs wait until it can", error=str(error))
        self._failed_in_a_row += 1

    def over(self) -> None:
        """Temporal answers."""
        if self.lasts:
            log.info("Temporal starts workflows again", tries=self._failed_in_a_row)
        self._failed_in_a_row = 0

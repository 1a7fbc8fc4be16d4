"""Sending a request again when that can do no harm and may help."""

import random
from collections.abc import Iterator
from typing import Final

import httpx

from cinema.client.answers import PASSING
from cinema.client.steps import Flow, Pause, Send
from schemas.errors import ErrorCode, TransientError

#: What does the same however often it is sent (RFC 9110, section 9.2.2), and our orders that carry a key.
IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE", "PATCH"})
KEY: Final = "Idempotency-Key"

ATTEMPTS: Final = 5
FIRST_PAUSE_S: Final = 0.25
LONGEST_PAUSE_S: Final = 30.0


def attempted(send: Send, *, repeatable: bool | None = None) -> Flow[httpx.Response]:
    """The request's answer, the last one if it keeps failing.

    Args:
        send: the request.
        repeatable: whether it may be sent again after it may have been heard; found from the request where not given.

    Raises:
        TransientError: the API cannot be reached (``STACK_UNAVAILABLE``).
    """
    harmless = send.method in IDEMPOTENT or KEY in send.headers if repeatable is None else repeatable
    pauses = waits()
    for left in reversed(range(ATTEMPTS)):
        try:
            response: httpx.Response = yield send
        except httpx.TransportError as error:
            unheard = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
            if not left or not (harmless or unheard):
                raise unreachable() from error
            yield Pause(next(pauses))
            continue
        if not left or not harmless or response.status_code not in PASSING:
            return response
        yield Pause(asked_for(response, next(pauses)))
    raise AssertionError("the last attempt returns or raises")


def waits() -> Iterator[float]:
    """Seconds to wait after each failure: twice as long every time, scattered so that clients do not come in step."""
    longest = FIRST_PAUSE_S
    while True:
        yield random.uniform(longest / 2, longest)  # noqa: S311 (scatters, hides nothing)
        longest = min(2 * longest, LONGEST_PAUSE_S)


def asked_for(response: httpx.Response, otherwise: float) -> float:
    """How long the API asks to wait, in seconds, as far as it is reasonable."""
    told = response.headers.get("Retry-After", "")
    return min(float(told), LONGEST_PAUSE_S) if told.isascii() and told.isdigit() else otherwise


def unreachable() -> TransientError:
    return TransientError(ErrorCode.STACK_UNAVAILABLE, "Cinema AI cannot be reached at the moment.")

"""Which failed starts are held against the entry, and how long a dispatcher waits out an outage."""

import pytest
from temporalio.service import RPCError, RPCStatusCode

from cinema.start_failures import FIRST_PAUSE, LONGEST_PAUSE, Outage, refuses_entry
from schemas.errors import CinemaError, ErrorCode, TransientError

pytestmark = pytest.mark.unit

REFUSALS = {
    RPCStatusCode.INVALID_ARGUMENT,
    RPCStatusCode.FAILED_PRECONDITION,
    RPCStatusCode.OUT_OF_RANGE,
    RPCStatusCode.ALREADY_EXISTS,
}


@pytest.mark.parametrize("status", RPCStatusCode)
def test_only_what_the_server_says_of_the_request_is_held_against_it(status: RPCStatusCode) -> None:
    assert refuses_entry(RPCError("no", status, b"")) == (status in REFUSALS)


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (RuntimeError("Failed client connect"), False),
        (TransientError.store("The database cannot be reached."), False),
        (CinemaError(ErrorCode.NOT_FOUND, "This job does not exist."), True),
        (ValueError("4 validation errors for JobRequest"), True),
        (TypeError("cannot be encoded"), True),
    ],
)
def test_a_row_that_cannot_be_read_is_held_against_it_and_a_lost_connection_is_not(
    error: Exception, refused: bool
) -> None:
    assert refuses_entry(error) == refused


def test_pauses_grow_to_a_few_seconds_and_start_anew_after_an_outage() -> None:
    outage = Outage()
    assert not outage.lasts
    pauses = []
    for _ in range(2000):
        outage.noticed(RuntimeError("away"))
        assert outage.lasts
        pauses.append(outage.pause)
    assert FIRST_PAUSE / 2 <= pauses[0] <= FIRST_PAUSE
    assert all(LONGEST_PAUSE / 2 <= pause <= LONGEST_PAUSE for pause in pauses[10:])
    assert len(set(pauses[10:])) > 100, "dispatchers that knock together keep knocking together"
    outage.over()
    assert not outage.lasts
    outage.noticed(RuntimeError("away"))
    assert outage.pause <= FIRST_PAUSE

"""An outage of a store is waited out, whatever else goes wrong is not."""

import pytest

from activities.patience import patiently
from schemas.errors import CinemaError, ErrorCode, TransientError

pytestmark = pytest.mark.unit


class Step:
    """Fails with ``errors`` first, one a call, and answers then."""

    def __init__(self, *errors: CinemaError) -> None:
        self._errors = list(errors)
        self.calls = 0

    async def __call__(self) -> str:
        self.calls += 1
        if self._errors:
            raise self._errors.pop(0)
        return "done"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activities.patience.FIRST_WAIT", 0.001)


async def test_an_outage_of_either_store_is_waited_out() -> None:
    away = TransientError.store("Away.")
    full = TransientError(ErrorCode.DISK_FULL, "Full.")
    step = Step(away, full, away)
    assert await patiently(step) == "done"
    assert step.calls == 4


@pytest.mark.parametrize(
    "error",
    [TransientError(ErrorCode.PROCESS_CRASHED, "Crashed."), CinemaError(ErrorCode.OBJECT_MISSING, "Gone.")],
    ids=["transient", "lasting"],
)
async def test_what_is_no_outage_is_raised_at_once(error: CinemaError) -> None:
    step = Step(error)
    with pytest.raises(CinemaError) as raised:
        await patiently(step)
    assert raised.value is error
    assert step.calls == 1


async def test_an_outage_that_is_too_long_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activities.patience.LONGEST_OUTAGE", 1.0)
    away = TransientError.store("Away.")
    step = Step(*[away] * 100)
    with pytest.raises(TransientError):
        await patiently(step)
    assert 1 < step.calls < 100

"""What is made ahead comes out as it went in, and nothing goes on behind the caller's back."""

import threading
from collections.abc import Iterator

import pytest

from analysis.ahead import BATCHES, made_ahead
from schemas.errors import ErrorCode, MediaRefused

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 50])
def test_everything_comes_out_in_order(count: int) -> None:
    assert list(made_ahead(iter(range(count)), 4)) == list(range(count))


def test_no_more_is_made_ahead_than_a_few_batches() -> None:
    made: list[int] = []

    def making() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    items = made_ahead(making(), 4)
    assert [next(items) for _ in range(6)] == list(range(6))
    items.close()
    assert 8 <= len(made) <= 8 + 4 * BATCHES


def test_closing_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    items = made_ahead(iter(range(100)), 4)
    next(items)
    assert threading.active_count() == before + 1
    items.close()
    assert threading.active_count() == before


def test_what_is_refused_in_the_making_is_refused_here() -> None:
    def making() -> Iterator[int]:
        yield 1
        raise MediaRefused(ErrorCode.MEDIA_DAMAGED, "Too much of it.")

    with pytest.raises(MediaRefused):
        list(made_ahead(making(), 4))

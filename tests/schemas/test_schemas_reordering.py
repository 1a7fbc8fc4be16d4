"""Pictures are shown in order, at the times there are, whatever order they are decoded in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.reordering import ShownTimes, keeps_decoding_times

pytestmark = pytest.mark.unit


@st.composite
def groups(draw: st.DrawFn) -> list[list[int]]:
    """Groups of pictures: for each, in the order of decoding, which of the group's pictures is decoded."""
    lengths = draw(st.lists(st.integers(1, 12), min_size=1, max_size=6))
    return [[0, *draw(st.permutations(range(1, length)))] for length in lengths]


def times_of(decoding: list[list[int]], lost: frozenset[int] = frozenset()) -> list[tuple[int, int]]:
    """Number and time of every picture as it is shown, when each comes out as soon as all before it have."""
    times, shown = ShownTimes(), []
    first = 0
    for group in decoding:
        dts_of = {first + number: first + position for position, number in enumerate(group)}
        for dts in sorted(dts_of.values()):
            times.decoding(dts)
        shown += [
            (number, times.shown(dts, is_keyframe=number == first))
            for number, dts in sorted(dts_of.items())
            if dts not in lost
        ]
        first += len(group)
    return shown


@given(groups())
def test_each_picture_has_the_time_of_its_place_in_the_order_shown(decoding: list[list[int]]) -> None:
    assert all(number == time for number, time in times_of(decoding))


@given(groups(), st.sets(st.integers(0, 72), max_size=4))
def test_pictures_that_are_lost_shift_none_behind_the_next_keyframe(
    decoding: list[list[int]], chosen: set[int]
) -> None:
    starts = {sum(map(len, decoding[:number])) for number in range(len(decoding))}
    shown = times_of(decoding, frozenset(chosen - starts))
    assert [time for _, time in shown] == sorted({time for _, time in shown})
    assert all(time == number for number, time in shown if number in starts)


@pytest.mark.parametrize(
    ("container", "codec", "expected"),
    [("avi", "h264", True), ("avi", "mpeg4", False), ("mov,mp4,m4a,3gp,3g2,mj2", "h264", False)],
)
def test_only_streams_without_times_to_be_shown_at_are_given_new_ones(
    container: str, codec: str, *, expected: bool
) -> None:
    assert keeps_decoding_times(container, codec) is expected

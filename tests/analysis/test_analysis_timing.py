"""Frame rates out of frame times."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.timing import delivery_rate, measure_timing
from schemas.timebase import RATE_FAMILY

pytestmark = pytest.mark.unit

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("source", "delivered"),
    [
        (Fraction(25, 2), Fraction(25)),
        (Fraction(1), Fraction(24)),
        (Fraction(15), Fraction(30)),
        (Fraction(15000, 1001), NTSC),
        (Fraction(10), Fraction(30)),
        (Fraction(48), Fraction(24)),
        (Fraction(120), Fraction(60)),
        (Fraction(100), Fraction(50)),
        (Fraction(23040000, 767849), Fraction(30)),
        (Fraction(29), NTSC),
    ],
)
def test_delivers_at_the_rate_that_shows_frames_evenly(source: Fraction, delivered: Fraction) -> None:
    assert delivery_rate(source) == delivered


@given(st.sampled_from(RATE_FAMILY), st.integers(2, 500), st.integers(-(10**6), 10**6))
def test_an_exact_stream_keeps_its_exact_rate(rate: Fraction, count: int, start: int) -> None:
    time_base = Fraction(1, rate.numerator)
    step = rate.denominator
    timing = measure_timing(start + step * np.arange(count, dtype=np.int64), step, time_base, None)
    assert timing.frame_rate == rate
    assert timing.measured_rate == rate
    assert (timing.start_pts, timing.end_pts) == (start, start + step * count)
    assert not timing.variable


@given(st.sampled_from(RATE_FAMILY), st.integers(120, 600))
def test_milliseconds_do_not_make_a_rate_variable_or_another(rate: Fraction, count: int) -> None:
    times = np.array([round(number / rate * 1000) for number in range(count)], np.int64)
    timing = measure_timing(times, 0, Fraction(1, 1000), rate)
    assert timing.frame_rate == rate
    assert not timing.variable


def test_dropped_frames_leave_the_nominal_rate() -> None:
    times = np.array([512 * number for number in range(200) if number % 7 and not 60 < number < 80], np.int64)
    timing = measure_timing(times, 512, Fraction(1, 15360), None)
    assert timing.variable
    assert timing.frame_rate == 30
    assert timing.measured_rate < 26


def test_slow_then_fast_is_delivered_at_the_commoner_rate() -> None:
    slow = [round(number * 1000 / 15) for number in range(30)]
    fast = [2000 + round(number * 1000 / 60) for number in range(180)]
    timing = measure_timing(np.array(slow + fast, np.int64), 0, Fraction(1, 1000), None)
    assert timing.variable
    assert timing.frame_rate == 60


def test_a_damaged_time_stamp_does_not_stretch_the_stream() -> None:
    times = np.append(np.arange(100, dtype=np.int64), 30 * 10**7)
    timing = measure_timing(times, 1, Fraction(1, 30), None)
    assert timing.end_pts == 100
    assert timing.frames == 100


@pytest.mark.parametrize(
    ("heard_until", "end"), [(None, 30_720), (20_000, 30_720), (90_000, 90_000), (999_999, 184_320)]
)
def test_a_last_frame_is_held_while_there_is_sound_for_as_long_as_its_container_says(
    heard_until: int | None, end: int
) -> None:
    times = 512 * np.arange(60, dtype=np.int64)
    timing = measure_timing(times, 154_112, Fraction(1, 15360), None, heard_until)
    assert (timing.end_pts, timing.held) == (end, end - 30_720)
    assert (timing.frame_rate, timing.measured_rate, timing.variable) == (30, 30, False)


@pytest.mark.parametrize(("heard_until", "end"), [(None, 8040), (5000, 8040), (30_000, 30_000)])
def test_where_pictures_stood_still_before_the_last_one_is_held_until_the_sound_ends(
    heard_until: int | None, end: int
) -> None:
    times = np.concatenate([np.arange(0, 2000, 40), np.arange(6000, 8040, 40)]).astype(np.int64)
    timing = measure_timing(times, 0, Fraction(1, 1000), None, heard_until)
    assert (timing.end_pts, timing.frame_rate, timing.variable) == (end, 25, True)


def test_a_picture_that_ends_before_the_sound_of_a_camera_ends_there() -> None:
    times = 512 * np.arange(60, dtype=np.int64)
    assert measure_timing(times, 512, Fraction(1, 15360), None, 99_999).end_pts == 30_720


def test_one_frame_lasts_as_long_as_its_container_says() -> None:
    timing = measure_timing(np.array([7], np.int64), 512, Fraction(1, 15360), Fraction(30))
    assert (timing.start_pts, timing.end_pts, timing.frame_rate) == (7, 519, 30)

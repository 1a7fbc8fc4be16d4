from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.timebase import (
    RATE_FAMILY,
    frame_to_sample,
    frame_to_us,
    nearest_family_rate,
    pts_to_us,
    round_half_up,
    us_to_frame,
    us_to_pts,
)

pytestmark = pytest.mark.unit

TEN_HOURS_OF_FRAMES = 10 * 3600 * 60
rates = st.sampled_from(RATE_FAMILY)
frames = st.integers(0, TEN_HOURS_OF_FRAMES)
time_bases = st.sampled_from([Fraction(1, 90_000), Fraction(1, 15_360), Fraction(1, 1000), Fraction(1001, 30_000)])
origins = st.fractions(min_value=-10, max_value=100_000, max_denominator=90_000)


@given(frames, rates)
def test_a_frame_survives_the_trip_through_microseconds(frame: int, rate: Fraction) -> None:
    assert us_to_frame(frame_to_us(frame, rate), rate) == frame


@given(frames, frames, rates)
def test_samples_of_adjoining_stretches_add_up(start: int, length: int, rate: Fraction) -> None:
    end = start + length
    pieces = [
        frame_to_sample(at + 1, rate, 48_000) - frame_to_sample(at, rate, 48_000) for at in range(start, start + 5)
    ]
    assert frame_to_sample(end, rate, 48_000) >= frame_to_sample(start, rate, 48_000)
    assert sum(pieces) == frame_to_sample(start + 5, rate, 48_000) - frame_to_sample(start, rate, 48_000)


@given(frames, rates)
def test_a_sample_is_never_more_than_half_a_sample_off(frame: int, rate: Fraction) -> None:
    assert abs(frame_to_sample(frame, rate, 48_000) - frame * 48_000 / rate) <= Fraction(1, 2)


@given(st.integers(0, 10**11), time_bases, origins)
def test_ticks_are_within_half_a_tick_of_the_time_they_stand_for(us: int, base: Fraction, origin: Fraction) -> None:
    pts = us_to_pts(us, base, origin)
    assert abs(pts * base - origin - Fraction(us, 1_000_000)) <= base / 2
    assert abs(pts_to_us(pts, base, origin) - us) <= base * 1_000_000 / 2 + 1


@given(st.fractions(), st.integers())
def test_rounding_moves_with_its_argument(value: Fraction, shift: int) -> None:
    assert round_half_up(value + shift) == round_half_up(value) + shift


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        pytest.param(Fraction(2997, 100), Fraction(30000, 1001), id="rounded NTSC"),
        pytest.param(Fraction(23976, 1000), Fraction(24000, 1001), id="rounded film"),
        pytest.param(Fraction(30), Fraction(30), id="exact"),
        pytest.param(Fraction(120), Fraction(60), id="above the family"),
        pytest.param(Fraction(1), Fraction(24000, 1001), id="below the family"),
    ],
)
def test_the_nearest_delivery_rate(measured: Fraction, expected: Fraction) -> None:
    assert nearest_family_rate(measured) == expected

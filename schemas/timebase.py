"""Time as integers: frames, samples, microseconds and stream ticks, and the exact conversions between them.

Units, by name:

* ``frame``: index on an EDL's timeline, at the EDL's rational rate.
* ``sample``: index at the EDL's sample rate.
* ``us``: microseconds on the *media clock*, whose zero is ``MediaProbe.origin`` (the earliest start of any stream).
* ``pts``: ticks of one stream's time base, as stored in the file; media time = ``pts * time_base - origin``.

Conversions round half up on exact fractions, so that no float ever decides on which side of a frame a time falls.
"""

import re
from fractions import Fraction
from typing import Annotated

from annotated_types import Ge, Gt
from pydantic import BeforeValidator

Frames = Annotated[int, Ge(0)]
Samples = Annotated[int, Ge(0)]
Microseconds = Annotated[int, Ge(0)]
Pts = int

#: ``30000/1001``, ``25``, ``-0.5``. An exponent could make a few characters into a number that fills the memory.
_RATIONAL = re.compile(r"[-+]?\d{1,40}(?:[/.]\d{1,40})?")


def _written_out(value: object) -> object:
    if isinstance(value, str) and not _RATIONAL.fullmatch(value):
        raise ValueError("should be a rational number such as 30000/1001")
    return value


Rational = Annotated[Fraction, BeforeValidator(_written_out)]
Rate = Annotated[Fraction, Gt(0), BeforeValidator(_written_out)]
TimeBase = Annotated[Fraction, Gt(0), BeforeValidator(_written_out)]

MICROSECOND = Fraction(1, 1_000_000)

#: The frame rates that delivery keeps, as exact fractions (EDITING: "the source's frame rate family is kept").
RATE_FAMILY: tuple[Fraction, ...] = (
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
    Fraction(50),
    Fraction(60000, 1001),
    Fraction(60),
)


def round_half_up(value: Fraction) -> int:
    """The nearest integer; halves go towards positive infinity, so rounding is monotonic and shift-invariant."""
    return nearest(value.numerator, value.denominator)


def nearest(dividend: int, divisor: int) -> int:
    """The integer nearest to a quotient, rounded likewise; ``divisor`` is positive.

    What is asked for every word or frame of a day is worked out by it: as fractions it takes ten times as long.
    """
    return (2 * dividend + divisor) // (2 * divisor)


def frame_to_sample(frame: int, rate: Fraction, sample_rate: int) -> int:
    """The first sample that belongs to ``frame``."""
    return nearest(frame * sample_rate * rate.denominator, rate.numerator)


def frame_to_us(frame: int, rate: Fraction) -> int:
    """The start of ``frame`` in microseconds from frame 0."""
    return nearest(frame * 1_000_000 * rate.denominator, rate.numerator)


def us_to_frame(us: int, rate: Fraction) -> int:
    """The frame boundary nearest to ``us``."""
    return nearest(us * rate.numerator, 1_000_000 * rate.denominator)


def us_to_sample(us: int, sample_rate: int) -> int:
    """The sample nearest to ``us``."""
    return nearest(us * sample_rate, 1_000_000)


def sample_to_us(sample: int, sample_rate: int) -> int:
    """The start of ``sample`` in microseconds from sample 0."""
    return nearest(sample * 1_000_000, sample_rate)


def us_to_pts(us: int, time_base: Fraction, origin: Fraction) -> int:
    """The tick of a stream nearest to ``us`` on the media clock whose zero lies at ``origin`` seconds."""
    return round_half_up((us * MICROSECOND + origin) / time_base)


def pts_to_us(pts: int, time_base: Fraction, origin: Fraction) -> int:
    """The media-clock time of a stream's tick; negative where the tick lies before the origin."""
    ticks = pts * time_base.numerator * origin.denominator - origin.numerator * time_base.denominator
    seconds = time_base.denominator * origin.denominator
    return nearest(ticks * 1_000_000, seconds)


def nearest_family_rate(rate: Fraction) -> Fraction:
    """The delivery rate nearest to a measured one, by ratio; a lower one only when it is strictly nearer."""
    return min(reversed(RATE_FAMILY), key=lambda known: max(known / rate, rate / known))

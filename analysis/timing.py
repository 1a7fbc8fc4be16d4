"""Frame rates from frame times: what was measured, whether it holds throughout, and at which rate to deliver it."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from schemas.timebase import RATE_FAMILY, nearest_family_rate

#: A stretch without a frame longer than this is a damaged time stamp, not a pause: the smaller side is left out.
MAX_GAP_S = 3600
#: How far a rate may be from a member of the family, or from a multiple of one, to be taken for it. 1/1001 tells the
#: NTSC rates from the whole ones; phone clocks are off by far less.
RATE_TOLERANCE = Fraction(1, 2000)
#: Frames that stray from an even spacing by more of a frame than this make a rate variable: an even resampling would
#: show some of them twice or never.
MAX_STRAY_FRAMES = 0.5
#: Width of the bins in which the most common interval is looked for; containers often keep times in milliseconds.
INTERVAL_BIN_S = 0.001
#: A picture shown for so many seconds stands still.
MIN_STILL_S = 1
MAX_DELIVERY_RATE = max(RATE_FAMILY)


@dataclass(frozen=True)
class FrameTiming:
    """Times of a picture stream in ticks of its time base; ``[start_pts, end_pts)`` covers every frame.

    ``held`` is for how long at the end the last frame is shown beyond the time of an ordinary one.
    """

    start_pts: int
    end_pts: int
    frames: int
    frame_rate: Fraction
    measured_rate: Fraction
    variable: bool
    held: int = 0


def measure_timing(
    times: NDArray[np.int64],
    last_duration: int,
    time_base: Fraction,
    hint: Fraction | None,
    heard_until: int | None = None,
) -> FrameTiming:
    """Measure a stream from the times of all its frames.

    Args:
        times: presentation times in ticks, any order, at least one.
        last_duration: what the container says of the last frame's duration, in ticks; 0 where it says nothing.
        time_base: seconds a tick.
        hint: the rate that the container claims; believed only where the times cannot tell it from what was measured.
        heard_until: the tick at which the file's sound ends; until then a last frame may be held, as in the recording
            of a screen on which nothing moves any more while somebody talks on.
    """
    ordered = _largest_run(np.unique(times), int(MAX_GAP_S / time_base))
    first, last, count = int(ordered[0]), int(ordered[-1]), len(ordered)
    if count == 1:
        tick_rate = 1 / time_base
        rate = hint or (tick_rate / last_duration if last_duration > 0 else Fraction(30))
        end = first + max(1, last_duration or round(tick_rate / rate))
        return FrameTiming(first, end, 1, delivery_rate(rate), 1 / ((end - first) * time_base), variable=False)
    mean_interval = Fraction(last - first, count - 1)
    variable = _strays(ordered) > MAX_STRAY_FRAMES * mean_interval
    interval = _common_interval(ordered, time_base) if variable else mean_interval
    plausible = 0 < last_duration <= 2 * max(interval, mean_interval)
    end = last + max(1, last_duration if plausible and abs(last_duration - interval) <= 1 else round(interval))
    nominal = 1 / (interval * time_base)
    uncertainty = RATE_TOLERANCE if variable else Fraction(2, last - first)
    if hint is not None and hint in RATE_FAMILY and abs(hint - nominal) <= uncertainty * nominal:
        nominal = hint
    measured = Fraction(count, end - first) / time_base
    said = end if plausible else last + last_duration
    held = 0 if heard_until is None else _held(ordered, end, said, heard_until, MIN_STILL_S / time_base)
    return FrameTiming(first, end + held, count, delivery_rate(nominal), measured, variable=variable, held=held)


def _held(ordered: NDArray[np.int64], end: int, said: int, heard_until: int, still: Fraction) -> int:
    """For how long the last frame is shown beyond its ordinary ``end``: until its container said, while there is sound.

    Where an earlier frame was shown for long, the last one may have been, and only the sound tells for how long: what
    browsers record has pictures where something moved, and does not say how long they are shown.
    """
    until = heard_until if np.diff(ordered).max() >= still else min(said, heard_until)
    return max(0, until - end)


def delivery_rate(rate: Fraction) -> Fraction:
    """The family's rate at which to deliver a source of this rate.

    A member of the family stays what it is. Slower and faster sources go to the member that shows each frame equally
    often (12.5 to 25, 15 to 30, 120 to 60), else to the nearest.
    """
    nearest = nearest_family_rate(rate)
    if abs(nearest - rate) <= 20 * RATE_TOLERANCE * rate:
        return nearest
    even = [member for member in RATE_FAMILY if _unevenness(member, rate) <= RATE_TOLERANCE]
    if not even:
        return nearest
    if rate > MAX_DELIVERY_RATE:
        return max(even)
    return min(even, key=lambda member: (_unevenness(member, rate) > 0, member))


def _unevenness(member: Fraction, rate: Fraction) -> Fraction:
    ratio = max(member / rate, rate / member)
    return abs(ratio - round(ratio)) / ratio


def _largest_run(ordered: NDArray[np.int64], max_gap: int) -> NDArray[np.int64]:
    breaks = np.flatnonzero(np.diff(ordered) > max_gap) + 1
    return max(np.split(ordered, breaks), key=len)


def _strays(ordered: NDArray[np.int64]) -> float:
    even = np.linspace(ordered[0], ordered[-1], len(ordered))
    return float(np.abs(ordered - even).max())


def _common_interval(ordered: NDArray[np.int64], time_base: Fraction) -> Fraction:
    """The mean of the intervals that lie in and next to the fullest bin of their histogram, in ticks."""
    intervals = np.diff(ordered)
    bins = np.rint(intervals * (float(time_base) / INTERVAL_BIN_S)).astype(np.int64)
    values, counts = np.unique(bins, return_counts=True)
    chosen = intervals[np.abs(bins - values[counts.argmax()]) <= 1]
    return Fraction(int(chosen.sum()), len(chosen))

"""Lengths of time as people say them."""

from schemas.estimate import Spread

MINUTE, HOUR = 60, 3600


def plain_time(seconds: float) -> str:
    """``0.4 s``, ``42 s``, ``3 min 5 s``, ``25 min``, ``2 h 10 min``: no more exact than anyone needs."""
    if seconds < 10:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < 5 * MINUTE:
        return _two(whole, MINUTE, "min", 1, "s")
    if whole < HOUR:
        return f"{round(whole / MINUTE)} min"
    return _two(whole, HOUR, "h", MINUTE, "min")


def about(spread: Spread) -> str:
    """``3 min (2 min to 7 min 30 s)``."""
    return f"{plain_time(spread.typical)} ({plain_time(spread.low)} to {plain_time(spread.high)})"


def _two(whole: int, large: int, large_unit: str, small: int, small_unit: str) -> str:
    rest = whole % large // small
    return f"{whole // large} {large_unit}" + (f" {rest} {small_unit}" if rest else "")

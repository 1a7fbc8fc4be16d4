"""Cuts at which somebody else begins to speak, by the faces that are seen to."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from director.material import Footage
from director.placing import Placed, jump_cuts
from director.style import SCENE_OPENING_US
from schemas.facts import FaceSample


def turns_of_speech(placed: Sequence[Placed]) -> Iterator[int]:
    """Timeline frames of the cuts within a shot after which another face speaks than before."""
    for before, after in jump_cuts(placed):
        one, other = before.stretch, after.stretch
        reach = one.footage.clock.length(SCENE_OPENING_US)
        spoke = list(_speaking(one.footage, max(one.start, one.end - reach), one.end))[-1:]
        speaks = list(_speaking(other.footage, other.start, min(other.end, other.start + reach)))[:1]
        if any(_apart(first, second) for first in spoke for second in speaks):
            yield after.start


def _speaking(footage: Footage, first: int, end: int) -> Iterator[FaceSample]:
    """The faces that speak in these frames, in order."""
    start = bisect_left(footage.faces, first, key=lambda seen: seen.frame)
    stop = bisect_left(footage.faces, end, key=lambda seen: seen.frame)
    return (seen.face for seen in footage.faces[start:stop] if seen.silent_us == 0)


def _apart(one: FaceSample, other: FaceSample) -> bool:
    """Whether two faces of one shot are those of two people: neither lies over the other."""
    return one.left + one.width <= other.left or other.left + other.width <= one.left

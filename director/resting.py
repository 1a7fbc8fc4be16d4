"""Where nobody speaks in an edit, so that a cover can begin or end there and captions can change with it.

A caption ends two frames before a cut and begins on it [Netflix timed text guide, timing to shot changes]; that takes
a cut at which the words before are over.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Self

from director.placing import PlacedWord
from director.style import (
    CAPTION_GAP_FRAMES,
    COVER_END_REACH_US,
    COVER_START_REACH_US,
    SPLIT_EDIT_FRAMES,
    USABLE_PAUSE_US,
)
from schemas.timebase import us_to_frame

#: A picture is seen this many frames before what it belongs to is heard (EDITING: 4-15 frames of lead).
LEAD_FRAMES = SPLIT_EDIT_FRAMES[len(SPLIT_EDIT_FRAMES) // 2]


@dataclass(frozen=True, slots=True)
class Resting:
    """Where a phrase is over and the next has not begun: frames from each of ``starts`` to that of ``ends``.

    ``starts`` are a caption's gap after the last word where there is room for
    that before the next one.
    """

    rate: Fraction
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @classmethod
    def between(cls, words: Sequence[PlacedWord], rate: Fraction) -> Self:
        """Of an edit's words, in order: after phrases, and in pauses that are heard as such."""
        rests = list(_rests(words, us_to_frame(USABLE_PAUSE_US, rate)))
        return cls(rate, tuple(start for start, _ in rests), tuple(end for _, end in rests))

    def before(self, at: int) -> int:
        """Where the picture changes for what begins at a frame: a little before it, once the words before are over.

        Where nobody rests for a second before, in the midst of the words.
        """
        number = bisect_right(self.starts, at) - 1
        earliest = at - us_to_frame(COVER_START_REACH_US, self.rate)
        if number >= 0 and min(at, self.ends[number]) > earliest:
            heard = min(at, self.ends[number])
            return min(at - 1, max(self.starts[number], heard - LEAD_FRAMES))
        return at - LEAD_FRAMES

    def heard_from(self, at: int) -> int:
        """Where the picture changes after a frame in a rest: with the first word, or a little later if none is near."""
        number = bisect_right(self.starts, at) - 1
        return self.ends[number] if number >= 0 and at <= self.ends[number] <= at + LEAD_FRAMES else at + LEAD_FRAMES

    def after(self, said_by: int) -> int:
        """Where a picture may change once words are said by a frame."""
        number = bisect_left(self.starts, said_by)
        near = number < len(self.starts) and self.starts[number] <= said_by + CAPTION_GAP_FRAMES
        return self.starts[number] if near else said_by

    def until(self, end: int, shortest: int) -> int:
        """Where a picture goes that can stay up to ``end``: in the last rest by then, if near and not too soon."""
        number = bisect_right(self.starts, end) - 1
        if number < 0 or end <= self.ends[number]:
            return end
        start = self.starts[number]
        return start if start >= max(shortest, end - us_to_frame(COVER_END_REACH_US, self.rate)) else end


def _rests(words: Sequence[PlacedWord], pause: int) -> Iterator[tuple[int, int]]:
    said_by = accumulate((word.end for word in words), max)
    for (before, after), over in zip(pairwise(words), said_by, strict=False):
        gap = after.start - over
        if gap >= (0 if before.ends_phrase else max(1, pause)):
            start = over + min(CAPTION_GAP_FRAMES, max(0, gap - SPLIT_EDIT_FRAMES.start))
            yield start, after.start

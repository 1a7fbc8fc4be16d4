"""Word times made true: a recogniser's guesses moved to where the sound really begins and ends."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analysis.sound import LEVEL_FRAME, Hearing
from analysis.voice import VOICE_OFF

#: All times here are frames of 10 ms.
#: How far a boundary between two words that run into each other is moved to the quietest place.
BOUNDARY_REACH = 4
#: How far a word's start may be moved back, and its end forward, over sound that belongs to no other word.
START_REACH = 12
END_REACH = 25
#: A silence inside a word at least this long splits it from what is not it (a stop consonant is shorter).
INNER_SILENCE = 18
MIN_WORD = 4


@dataclass(frozen=True)
class TimedWord:
    """A word in frames of 10 ms, half-open."""

    start: int
    end: int
    text: str
    probability: float


def active_frames(hearing: Hearing) -> NDArray[np.bool_]:
    """Frames that are not silent: above the silence level, or voiced while not far below it."""
    loud = hearing.levels >= hearing.silence_below
    voiced = (hearing.voice >= VOICE_OFF) & (hearing.levels >= hearing.silence_below - 3)
    return np.asarray(loud | voiced, np.bool_)


def refine(words: list[TimedWord], hearing: Hearing) -> list[TimedWord]:
    """Words in order, none in silence, none overlapping; words with no sound at all near them are dropped."""
    active = active_frames(hearing)
    placed = [word for word in (_onto_sound(word, active) for word in _in_order(words, len(active))) if word]
    placed = _apart(placed, hearing.levels, active)
    return [_to_edges(word, before, after, active) for before, word, after in _with_neighbours(placed, len(active))]


def _in_order(words: list[TimedWord], limit: int) -> list[TimedWord]:
    ordered = []
    position = 0
    for word in sorted(words, key=lambda one: (one.start, one.end)):
        start = min(max(word.start, position), limit)
        end = min(max(word.end, start), limit)
        if end > start:
            ordered.append(replace(word, start=start, end=end))
            position = end
    return ordered


def _onto_sound(word: TimedWord, active: NDArray[np.bool_]) -> TimedWord | None:
    """A word cut to the sound in it: leading and trailing silence off, and the louder side of a long silence inside."""
    sounding = np.flatnonzero(active[word.start : word.end]) + word.start
    if not len(sounding):
        return None
    breaks = np.flatnonzero(np.diff(sounding) > INNER_SILENCE) + 1
    longest = max(np.split(sounding, breaks), key=len)
    return replace(word, start=int(longest[0]), end=int(longest[-1]) + 1)


def _apart(words: list[TimedWord], levels: NDArray[np.float32], active: NDArray[np.bool_]) -> list[TimedWord]:
    """Boundaries of words that touch, moved to the quietest frame nearby."""
    apart = list(words)
    for left in range(len(apart) - 1):
        before, after = apart[left], apart[left + 1]
        if after.start > before.end or not active[before.end - 1 : after.start + 1].all():
            continue
        low = max(before.start + MIN_WORD, before.end - BOUNDARY_REACH)
        high = min(after.end - MIN_WORD, after.start + BOUNDARY_REACH)
        if low < high:
            quietest = low + int(levels[low:high].argmin())
            apart[left], apart[left + 1] = replace(before, end=quietest), replace(after, start=quietest)
    return apart


def _with_neighbours(words: list[TimedWord], limit: int) -> list[tuple[int, TimedWord, int]]:
    """Each word with the end of the one before and the start of the one after."""
    ends = [0, *(word.end for word in words)]
    starts = [*(word.start for word in words[1:]), limit]
    return list(zip(ends, words, starts, strict=False))


def _to_edges(word: TimedWord, before: int, after: int, active: NDArray[np.bool_]) -> TimedWord:
    """A word grown over the sound around it, up to the nearest silence or word."""
    start, end = word.start, word.end
    earliest, latest = max(before, start - START_REACH), min(after, end + END_REACH)
    if not active[earliest:start].all():
        earliest = start - _run_length(active[earliest:start][::-1])
    if not active[end:latest].all():
        latest = end + _run_length(active[end:latest])
    return replace(word, start=earliest, end=latest)


def _run_length(mask: NDArray[np.bool_]) -> int:
    return int(np.argmin(mask)) if len(mask) and not mask.all() else len(mask)


def overlaps(words: list[TimedWord]) -> bool:
    return any(after.start < before.end for before, after in pairwise(words))


def frame_to_sample(frame: int) -> int:
    return frame * LEVEL_FRAME

"""Word times made true: a recogniser's guesses moved to where the sound really begins and ends.

All times here are frames of 10 ms.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analysis.boundaries import MIN_WORD, part
from analysis.hearing import Hearing
from analysis.timed_words import TimedWord
from analysis.voice import VOICE_OFF, Levels

#: Whisper places all boundaries of a recording too late or too early by about the same time, which depends on the
#: model: measured on nine recordings and on synthesised speech, where the level dips between words. Starting from the
#: model's usual lateness (none known: none), each recording's own is where the dip at its boundaries is deepest; with
#: too few boundaries to tell, the usual one is taken.
USUAL_LATENESS = {"tiny.en": 9, "base": -6}
LATENESS_REACH = 6
MIN_BOUNDARIES = 12
#: Words this near to each other run into each other.
TOUCHING = 2
#: How far a word's start may be moved back, and its end forward, over sound that belongs to no other word.
START_REACH = 12
#: How far from a word that was placed in silence its sound is looked for.
SOUND_REACH = 30
END_REACH = 25
#: A silence inside a word at least this long splits it from what is not it (a stop consonant is shorter).
INNER_SILENCE = 18
#: Voiced frames may lie this far below the silence level: the more, the less speech stands out of the noise, since
#: there the level alone says little.
CLEAN_RANGE_DB = 33.0
VOICED_SLACK_DB = (3.0, 12.0)
#: Levels below this are alike to the ear and must not pull a boundary.
QUIETEST_DBFS = -80.0


def refine(words: list[TimedWord], hearing: Hearing, model: str) -> list[TimedWord]:
    """Words in order, none in silence, none overlapping; words with no sound near them are dropped.

    Args:
        words: as recognised.
        hearing: of the whole recording.
        model: the recogniser's name.
    """
    levels, active = _smoothed(hearing.levels), active_frames(hearing)
    ordered = _in_order(words, len(active))
    moved = _moved(ordered, lateness(ordered, levels, USUAL_LATENESS.get(model, 0)), len(active))
    parted = part(moved, levels, active, hearing.silence_below)
    return _grown(_onto_sound(parted, active), active)


def active_frames(hearing: Hearing) -> NDArray[np.bool_]:
    """Frames that are not silent: above the silence level, or voiced while not far below it."""
    loud = hearing.levels >= hearing.silence_below
    slack = float(np.clip(CLEAN_RANGE_DB - hearing.range_db, *VOICED_SLACK_DB))
    voiced = (hearing.voice >= VOICE_OFF) & (hearing.levels >= hearing.silence_below - slack)
    return np.asarray(loud | voiced, np.bool_)


def lateness(words: list[TimedWord], levels: Levels, usual: int) -> int:
    """By how many frames boundaries between touching words come after the dip in level that they should lie in."""
    boundaries = np.array([words[right].start for right in _touching(words)], np.int64)
    if len(boundaries) < MIN_BOUNDARIES:
        return usual
    shifts = usual + np.arange(-LATENESS_REACH, LATENESS_REACH + 1)
    places = np.clip(boundaries[:, None] - shifts, 0, len(levels) - 1)
    return int(shifts[_smoothed(levels[places].mean(axis=0)).argmin()])


def _moved(words: list[TimedWord], late: int, limit: int) -> list[TimedWord]:
    """Words moved to be in time; next to a pause they keep their edge as well, for the sound there to decide."""
    touching = set(_touching(words))
    moved: list[TimedWord] = []
    for position, word in enumerate(words):
        start, end = word.start - late, word.end - late
        if position not in touching:
            start = max(min(start, word.start), moved[-1].end if moved else 0)
        if position + 1 not in touching:
            end = max(end, word.end)
        start = min(max(0, start), limit - 1)
        moved.append(replace(word, start=start, end=min(max(start + 1, end), limit)))
    return moved


def _smoothed(levels: Levels) -> Levels:
    padded = np.pad(np.maximum(levels, QUIETEST_DBFS), 1, mode="edge")
    return np.asarray(np.convolve(padded, np.ones(3) / 3, "valid"), np.float32)


def _touching(words: list[TimedWord]) -> Iterator[int]:
    """Positions of words that begin where the one before ends."""
    return (right for right in range(1, len(words)) if words[right].start - words[right - 1].end <= TOUCHING)


def _in_order(words: list[TimedWord], limit: int) -> list[TimedWord]:
    ordered = []
    position = 0
    for word in sorted(words, key=lambda one: (one.start, one.end)):
        start = min(max(word.start, position), limit)
        end = min(max(word.end, start + 1), limit)
        if end > start:
            ordered.append(replace(word, start=start, end=end))
            position = end
    return ordered


def _onto_sound(words: list[TimedWord], active: NDArray[np.bool_]) -> list[TimedWord]:
    """Words cut to the sound in them, or near them where they lie in silence."""
    placed: list[TimedWord] = []
    for position, word in enumerate(words):
        earliest = placed[-1].end if placed else 0
        latest = words[position + 1].start if position + 1 < len(words) else len(active)
        span = _sound_in(active, max(word.start, earliest), word.end) or _sound_in(
            active, max(word.start - SOUND_REACH, earliest), min(word.end + SOUND_REACH, max(latest, word.end))
        )
        if span is not None:
            placed.append(replace(word, start=span[0], end=span[1]))
        elif placed and word.start <= placed[-1].end + TOUCHING and _length(placed[-1]) >= 2 * MIN_WORD:
            placed[-1:] = _shared(placed[-1], word)
    return placed


def _length(word: TimedWord) -> int:
    return word.end - word.start


def _shared(before: TimedWord, word: TimedWord) -> tuple[TimedWord, TimedWord]:
    """Two words in the sound of the first, which a recogniser ran together; each gets its share of the letters."""
    letters = len(before.text) + len(word.text)
    border = before.start + round(_length(before) * len(before.text) / letters)
    border = min(max(border, before.start + MIN_WORD), before.end - MIN_WORD)
    return replace(before, end=border), replace(word, start=border, end=before.end)


def _sound_in(active: NDArray[np.bool_], start: int, end: int) -> tuple[int, int] | None:
    """Where there is sound in ``[start, end)``: silence at its ends off, and the longer side of a long one inside."""
    sounding = np.flatnonzero(active[start:end]) + start
    if not len(sounding):
        return None
    breaks = np.flatnonzero(np.diff(sounding) > INNER_SILENCE) + 1
    longest = max(np.split(sounding, breaks), key=len)
    return int(longest[0]), int(longest[-1]) + 1


def _grown(words: list[TimedWord], active: NDArray[np.bool_]) -> list[TimedWord]:
    """Words grown over the sound around them, ends first, up to the nearest silence or word."""
    grown: list[TimedWord] = []
    for position, word in enumerate(words):
        start, end = word.start, word.end
        following = words[position + 1].start if position + 1 < len(words) else len(active)
        preceding = grown[-1].end if grown else 0
        end += _run_length(active[end : min(following, end + END_REACH)])
        start -= _run_length(active[max(preceding, start - START_REACH) : start][::-1])
        grown.append(replace(word, start=start, end=end))
    return grown


def _run_length(mask: NDArray[np.bool_]) -> int:
    return len(mask) if mask.all() else int(np.argmin(mask))

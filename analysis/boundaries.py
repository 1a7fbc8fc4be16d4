"""Where words that run into each other part: all boundaries of a stretch of speech found together.

A recogniser's boundary may be a third of a second off, and the nearest dip in level may lie within a word. So three
costs are weighed over the whole stretch, by dynamic programming: how far a boundary is moved, how loud it is there, and
how long each word then sounds against how long it is written. Weights are of synthesised speech of three voices, on
which they halve what remains of the error; between them and half or twice as much the result hardly changes.

All times here are frames of 10 ms.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analysis.timed_words import TimedWord
from analysis.voice import Levels

#: How far a boundary may be moved, what a frame of it costs, and the most it costs.
REACH = 40
MOVE_COST = 0.6
MAX_MOVE_COST = 14.0
#: What a boundary costs where it is as loud as speech usually is; nothing in silence.
LEVEL_COST = 10.0
#: How many times as much it costs where a phrase ends: a pause is likely there.
PAUSE_WEIGHT = 2.0
_SPEECH_PERCENTILE = 60
#: What a word costs by the square of the logarithm of how many times longer or shorter it sounds than it should; from
#: the second number on only by the logarithm, for a speaker may well dwell on a short word.
LENGTH_COST = 30.0
LENGTH_BEND = 0.5
#: A word sounds as long as its letters, long words a little longer, the last of a phrase too (Klatt 1976, "Linguistic
#: uses of segmental duration in English"); a figure is about five letters spoken.
LETTERS_EXPONENT = 1.2
PHRASE_END = 1.3
FIGURE_LETTERS = 5
#: Longest silence across which two words still share a boundary.
LONGEST_GAP = 200
#: No word is shorter.
MIN_WORD = 3
_IMPOSSIBLE = 1e6

Costs = NDArray[np.float64]
Frames = NDArray[np.int64]


@dataclass(frozen=True)
class _Ground:
    """What boundaries lie on: loudness in each frame, 0 (silent) to about 1, and sounding frames before each."""

    loudness: Costs
    sounding: Costs
    rate: float

    def length_cost(self, starts: Frames, ends: Frames, text: str) -> Costs:
        sounding = np.maximum(self.sounding[ends] - self.sounding[starts], 0.5)
        off = np.abs(np.log(sounding / (self.rate * written_length(text))))
        costs = LENGTH_COST * np.where(off < LENGTH_BEND, off**2, LENGTH_BEND * (2 * off - LENGTH_BEND))
        return np.where(ends - starts < MIN_WORD, _IMPOSSIBLE, costs)


def part(
    words: Sequence[TimedWord], levels: Levels, active: NDArray[np.bool_], silence_below: float
) -> list[TimedWord]:
    """Words in order, their common boundaries moved to where they most likely are.

    Args:
        words: in order, none overlapping.
        levels: smoothed, in dBFS.
        active: frames that are not silent.
        silence_below: the level under which this recording counts as silent.
    """
    if not words:
        return []
    ground = _ground(words, levels, active, silence_below)
    return [word for stretch in _stretches(words) for word in _parted(stretch, ground)]


def written_length(text: str) -> float:
    """How long a word is to say, in letters."""
    letters = sum(FIGURE_LETTERS if sign.isdigit() else sign.isalpha() for sign in text)
    return float(max(1, letters) ** LETTERS_EXPONENT) * (PHRASE_END if ends_phrase(text) else 1.0)


def ends_phrase(text: str) -> bool:
    return text[-1:] in tuple(".,;:?!")


def _ground(words: Sequence[TimedWord], levels: Levels, active: NDArray[np.bool_], silence_below: float) -> _Ground:
    loud = float(np.percentile(levels[active], _SPEECH_PERCENTILE)) if active.any() else silence_below
    loudness = np.clip((levels - silence_below) / max(loud - silence_below, 1.0), 0, 1.2).astype(np.float64)
    sounding = np.concatenate(([0.0], np.cumsum(active)))
    spoken = sum(sounding[word.end] - sounding[word.start] for word in words)
    return _Ground(loudness, sounding, max(float(spoken), 1.0) / sum(written_length(word.text) for word in words))


def _stretches(words: Sequence[TimedWord]) -> Iterator[list[TimedWord]]:
    stretch: list[TimedWord] = []
    for word in words:
        if stretch and word.start - stretch[-1].end > LONGEST_GAP:
            yield stretch
            stretch = []
        stretch.append(word)
    yield stretch


def _parted(words: list[TimedWord], ground: _Ground) -> list[TimedWord]:
    """The cheapest boundaries of one stretch (Viterbi 1967); its own ends stay."""
    first, last = words[0].start, words[-1].end
    places = [_places(before, after, first, last) for before, after in pairwise(words)]
    if not places:
        return words
    costs = np.zeros(1)
    came_from: list[Frames] = []
    before = np.array([first])
    for position, (word, here) in enumerate(zip(words, [*places, np.array([last])], strict=True)):
        ways = costs[:, None] + ground.length_cost(before[:, None], here[None, :], word.text)
        came_from.append(ways.argmin(axis=0))
        costs = ways.min(axis=0)
        if position < len(places):
            costs = costs + _place_costs(here, word, words[position + 1], ground)
        before = here
    chosen = [0]
    for backwards in reversed(came_from[1:]):
        chosen.append(int(backwards[chosen[-1]]))
    ends = [int(here[index]) for here, index in zip(places, reversed(chosen[1:]), strict=True)]
    return [
        replace(word, start=start, end=end)
        for word, start, end in zip(words, [first, *ends], [*ends, last], strict=True)
    ]


def _places(before: TimedWord, after: TimedWord, first: int, last: int) -> Frames:
    """Where a boundary may lie: at least one frame inside the stretch."""
    low, high = max(first + 1, before.end - REACH), min(last - 1, after.start + REACH)
    return np.arange(low, max(low, high) + 1)


def _place_costs(places: Frames, before: TimedWord, after: TimedWord, ground: _Ground) -> Costs:
    moved = np.maximum(np.maximum(before.end - places, places - after.start), 0)
    loudness = ground.loudness[np.minimum(places, len(ground.loudness) - 1)]
    level_cost = LEVEL_COST * (PAUSE_WEIGHT if ends_phrase(before.text) else 1.0)
    return np.asarray(level_cost * loudness + np.minimum(MOVE_COST * moved, MAX_MOVE_COST), np.float64)

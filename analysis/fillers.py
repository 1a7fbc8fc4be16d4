"""Sounds of hesitation, which recognisers leave out of the text: voice that belongs to no word and holds its pitch.

A filled pause is a vowel held with nearly level pitch and hardly changing formants (Goto, Itou, Hayamizu 1999, "A
real-time filled pause detection system for spontaneous speech recognition"), whatever the language.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from analysis.hearing import LEVEL_FRAME, Hearing, span_of
from analysis.listening import SPEECH_RATE, Waveform
from analysis.timed_words import TimedWord
from analysis.voice import VOICE_ON, runs_of
from schemas.facts import Span

#: Frames of 10 ms: the shortest and longest hesitation, and how near to a word it may come.
SHORTEST, LONGEST = 15, 150
APART = 3
#: Between two words that much other voice, in frames, is speech that was not recognised, of another language perhaps,
#: and any speech has vowels that hold their pitch for a moment.
UNRECOGNISED = 50
#: The pitch of voices, in Hz, and the window it is measured in, in samples (40 ms).
PITCHES = (70, 400)
WINDOW = 640
#: How periodic a voiced window is at least (normalised autocorrelation), how far its pitch may stray from the stretch's
#: median, and the share of the stretch's windows that must hold it so.
MIN_PERIODIC = 0.6
MAX_STRAY = 0.12
MIN_HELD = 0.7


def find_fillers(wave: Waveform, hearing: Hearing, words: Sequence[TimedWord]) -> tuple[Span, ...]:
    """The hesitations between the words of a recording at ``SPEECH_RATE``, in order."""
    free = (hearing.levels >= hearing.silence_below) & (hearing.voice >= VOICE_ON)
    for word in words:
        free[max(0, word.start - APART) : word.end + APART] = False
    words_before = np.searchsorted([word.start for word in words], [start for start, _ in runs_of(free)])
    between = groupby(zip(words_before, runs_of(free), strict=True), key=itemgetter(0))
    found = [run for _, runs in between for run in _held([run for _, run in runs], wave)]
    return tuple(span_of(start * LEVEL_FRAME, end * LEVEL_FRAME, len(wave)) for start, end in found)


def _held(runs: Sequence[tuple[int, int]], wave: Waveform) -> list[tuple[int, int]]:
    """The hesitations among the runs of voice between two words, in frames."""
    held = [run for run in runs if SHORTEST <= run[1] - run[0] <= LONGEST and is_held(_sound(wave, *run))]
    others = sum(end - start for start, end in runs) - sum(end - start for start, end in held)
    return held if others < UNRECOGNISED else []


def is_held(sound: Waveform) -> bool:
    """Whether a stretch of sound is a voice that holds its pitch."""
    pitches = np.array(list(_pitches(sound)))
    voiced = pitches[pitches > 0]
    if len(voiced) < MIN_HELD * len(pitches) or not len(voiced):
        return False
    held = np.abs(voiced / np.median(voiced) - 1) <= MAX_STRAY
    return bool(held.sum() >= MIN_HELD * len(pitches))


def _sound(wave: Waveform, start: int, end: int) -> Waveform:
    return wave[start * LEVEL_FRAME : end * LEVEL_FRAME]


def _pitches(sound: Waveform) -> Iterator[float]:
    """The pitch of each window in Hz; 0 where there is none."""
    for start in range(0, len(sound) - WINDOW + 1, WINDOW // 2):
        yield _pitch(sound[start : start + WINDOW].astype(np.float64))


def _pitch(window: NDArray[np.float64]) -> float:
    window = window - window.mean()
    spectrum = np.fft.rfft(window, 2 * WINDOW)
    correlation = np.fft.irfft(spectrum * spectrum.conj())[:WINDOW]
    shortest, longest = SPEECH_RATE // PITCHES[1], SPEECH_RATE // PITCHES[0]
    overlap = 1 - np.arange(shortest, longest) / WINDOW
    periodic = correlation[shortest:longest] / np.maximum(correlation[0] * overlap, 1e-9)
    best = int(periodic.argmax())
    return SPEECH_RATE / (shortest + best) if periodic[best] >= MIN_PERIODIC else 0.0

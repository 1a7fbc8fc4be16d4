"""Where music plays: held notes make lines along time in the spectrum, speech makes none.

Continuous frequency activation (Seyerlehner, Pohle, Schedl, Widmer 2007, "Automatic music detection in television
productions"): in each frame the frequencies that stand out of those around them are marked, and over a block the
frequencies that stay marked are counted. It hears music under speech as well.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.hearing import span_of
from analysis.kept_sound import KeptSound, Music
from analysis.listening import FULL_SCALE, Waveform
from analysis.voice import runs_of
from schemas.facts import Span

#: Samples of a spectrum and between two: 64 and 32 ms.
WINDOW = 1024
HOP = 512
#: Frequencies around a frequency, in bins of 16 Hz, and by how much it must stand out of their mean, in dB.
AROUND = 21
STANDS_OUT_DB = 6.0
#: Spectra of a block, and between two: 3.2 and 0.8 s.
BLOCK = 100
STEP = 25
#: Blocks of a stretch that is found for itself: ten minutes.
MUSIC_STRETCH = 750
#: How many lines are counted, and how much of the block they must last, summed. Measured: speech up to 2.3, in an
#: echoing hall 2.5, orchestral music mostly above 3.
LINES = 5
MIN_LASTING = 2.6
#: Quieter than this, in dBFS, nothing plays.
AUDIBLE_DBFS = -65.0

Grid = NDArray[np.float32]


def find_music(wave: Waveform, kept: KeptSound) -> tuple[Span, ...]:
    """The stretches of a recording at ``SPEECH_RATE`` in which music plays, to a block's precision."""
    plays = kept.completed(Music, _count(wave), MUSIC_STRETCH, partial(_plays, wave))
    runs = (((first * STEP * HOP), ((last - 1) * STEP + BLOCK) * HOP) for first, last in runs_of(plays > 0))
    return tuple(span_of(start, end, len(wave)) for start, end in _joined(runs))


def _plays(wave: Waveform, first: int, last: int) -> Grid:
    """For some blocks whether music plays in them, 0 or 1."""
    marked = (_marked(wave, number * STEP * HOP) for number in range(first, last))
    return np.array([one is not None and lasting(one) >= MIN_LASTING for one in marked], np.float32)


def _joined(runs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Blocks reach over the next ones, so that runs of them may meet."""
    joined: list[tuple[int, int]] = []
    for start, end in runs:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def lasting(marked: Grid) -> float:
    """How much of a block, (spectra, frequencies), its most lasting lines last, summed."""
    activity = marked.mean(axis=0)
    inner = activity[2:-2]
    peaks = inner[(inner > activity[1:-3]) & (inner >= activity[3:-1])]
    valleys = np.minimum(activity[:-4], activity[4:])[(inner > activity[1:-3]) & (inner >= activity[3:-1])]
    return float(np.sort(peaks - valleys)[-LINES:].sum())


def _count(wave: Waveform) -> int:
    """How many blocks there are, each with the whole of its last window."""
    return max(0, (len(wave) - (BLOCK - 1) * HOP - WINDOW) // (STEP * HOP) + 1)


def _marked(wave: Waveform, start: int) -> Grid | None:
    """The marks of the block that begins with a sample; ``None`` where it is too quiet."""
    samples = wave[start : start + (BLOCK - 1) * HOP + WINDOW].astype(np.float32) / np.float32(FULL_SCALE)
    level = 10 * np.log10(max(float(np.mean(samples**2)), 1e-20))
    return _marks(samples) if level > AUDIBLE_DBFS else None


def _marks(samples: NDArray[np.floating[Any]]) -> Grid:
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    spectra = np.abs(np.fft.rfft(frames * np.hanning(WINDOW).astype(np.float32), axis=1))
    levels = 20 * np.log10(np.maximum(spectra, 1e-6))
    sums = np.cumsum(np.pad(levels, ((0, 0), (AROUND // 2 + 1, AROUND // 2)), mode="edge"), axis=1)
    around = (sums[:, AROUND:] - sums[:, :-AROUND]) / AROUND
    return np.asarray(levels[:, : around.shape[1]] - around > STANDS_OUT_DB, np.float32)

"""Where music plays: held notes make lines along time in the spectrum, speech makes none.

Continuous frequency activation (Seyerlehner, Pohle, Schedl, Widmer 2007, "Automatic music detection in television
productions"): in each frame the frequencies that stand out of those around them are marked, and over a block the
frequencies that stay marked are counted. It hears music under speech as well.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.hearing import span_of
from analysis.listening import FULL_SCALE, Waveform
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
#: How many lines are counted, and how much of the block they must last, summed. Measured: speech up to 2.3, in an
#: echoing hall 2.5, orchestral music mostly above 3.
LINES = 5
MIN_LASTING = 2.6
#: Quieter than this, in dBFS, nothing plays.
AUDIBLE_DBFS = -65.0

Grid = NDArray[np.float32]


def find_music(wave: Waveform) -> tuple[Span, ...]:
    """The stretches of a recording at ``SPEECH_RATE`` in which music plays, to a block's precision."""
    runs: list[tuple[int, int]] = []
    for start, marked in _blocks(wave):
        if marked is not None and lasting(marked) >= MIN_LASTING:
            end = start + BLOCK * HOP
            if runs and start <= runs[-1][1]:
                runs[-1] = (runs[-1][0], end)
            else:
                runs.append((start, end))
    return tuple(span_of(start, end, len(wave)) for start, end in runs if start < len(wave))


def lasting(marked: Grid) -> float:
    """How much of a block, (spectra, frequencies), its most lasting lines last, summed."""
    activity = marked.mean(axis=0)
    inner = activity[2:-2]
    peaks = inner[(inner > activity[1:-3]) & (inner >= activity[3:-1])]
    valleys = np.minimum(activity[:-4], activity[4:])[(inner > activity[1:-3]) & (inner >= activity[3:-1])]
    return float(np.sort(peaks - valleys)[-LINES:].sum())


def _blocks(wave: Waveform) -> Iterator[tuple[int, Grid | None]]:
    """The first sample of each block, and its marks; ``None`` where it is too quiet."""
    for start in range(0, max(0, len(wave) - BLOCK * HOP - WINDOW) + 1, STEP * HOP):
        part = wave[start : start + BLOCK * HOP + WINDOW - HOP]
        if len(part) < WINDOW + (BLOCK - 1) * HOP:
            return
        samples = part.astype(np.float32) / np.float32(FULL_SCALE)
        level = 10 * np.log10(max(float(np.mean(samples**2)), 1e-20))
        yield start, (_marks(samples) if level > AUDIBLE_DBFS else None)


def _marks(samples: NDArray[np.floating[Any]]) -> Grid:
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    spectra = np.abs(np.fft.rfft(frames * np.hanning(WINDOW).astype(np.float32), axis=1))
    levels = 20 * np.log10(np.maximum(spectra, 1e-6))
    sums = np.cumsum(np.pad(levels, ((0, 0), (AROUND // 2 + 1, AROUND // 2)), mode="edge"), axis=1)
    around = (sums[:, AROUND:] - sums[:, :-AROUND]) / AROUND
    return np.asarray(levels[:, : around.shape[1]] - around > STANDS_OUT_DB, np.float32)

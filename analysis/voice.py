"""Voice activity: where somebody speaks, by the Silero model that ships with faster-whisper."""

from collections.abc import Iterable
from functools import cached_property

import numpy as np
from faster_whisper.vad import SileroVADModel, get_vad_model
from numpy.typing import NDArray

from analysis.listening import FULL_SCALE, SPEECH_RATE, Samples, Waveform
from schemas.progress import ProgressCallback, ignore_progress

#: Samples the model judges at a time: 32 ms at 16 kHz (Silero VAD v6).
VOICE_FRAME = 512
#: Silero's own thresholds: speech begins at the first and holds until below the second.
VOICE_ON = 0.5
VOICE_OFF = 0.35
#: A break in the voice shorter than this is part of speaking (a stop consonant lasts 50 to 150 ms).
MIN_BREAK_S = 0.2
MIN_SPEECH_S = 0.1
#: The model answers a little late and stops a little early.
PADDING_S = 0.032

#: Speech is brought to this level first: the model misses what is far below it. Gain is bounded, so that the hiss of an
#: empty room does not become loud enough to be taken for a whisper.
TARGET_DBFS = -20.0
MAX_GAIN_DB = 45.0
_LOUD_PERCENTILE = 95
#: Somebody may speak for a few seconds of an hour: only what stands this far out of the room tells how loud that is, if
#: there are so many frames of it.
_ROOM_PERCENTILE = 10
STANDS_OUT_DB = 6.0
_FEWEST_STANDING_OUT = 10

_BLOCK_FRAMES = 60 * SPEECH_RATE // VOICE_FRAME
#: Frames of a stretch that is found for itself: about ten minutes.
VOICE_STRETCH = 10 * _BLOCK_FRAMES
_WARM_UP_FRAMES = SPEECH_RATE // VOICE_FRAME

Levels = NDArray[np.float32]


def levels_dbfs(wave: Waveform, frame: int) -> Levels:
    """RMS level of consecutive frames of ``frame`` samples, in dBFS; -200 for digital silence."""
    count = -(-len(wave) // frame)
    levels = np.empty(count, np.float32)
    step = max(1, 2**20 // frame)
    for start in range(0, count, step):
        part = wave[start * frame : (start + step) * frame].astype(np.float32) / FULL_SCALE
        part = np.pad(part, (0, -len(part) % frame)).reshape(-1, frame)
        power = np.mean(part**2, axis=1)
        levels[start : start + len(power)] = 10 * np.log10(np.maximum(power, 1e-20))
    return levels


def speaking_gain(levels: Levels) -> float:
    """The factor that brings the louder part of a recording to the level the model expects."""
    audible = levels[levels > -100]
    if not len(audible):
        return 1.0
    standing_out = audible[audible > np.percentile(audible, _ROOM_PERCENTILE) + STANDS_OUT_DB]
    heard = standing_out if len(standing_out) >= _FEWEST_STANDING_OUT else audible
    wanted = TARGET_DBFS - float(np.percentile(heard, _LOUD_PERCENTILE))
    return float(10 ** (min(wanted, MAX_GAIN_DB) / 20))


class VoiceFinder:
    """The probability of speech in the frames of a recording, which ``gain`` brings to speaking level."""

    def __init__(self, wave: Waveform, gain: float, progress: ProgressCallback = ignore_progress) -> None:
        self._wave = wave
        self._gain = gain
        self._progress = progress
        self._frames = -(-len(wave) // VOICE_FRAME)

    @cached_property
    def _model(self) -> SileroVADModel:
        return get_vad_model()

    def find(self, first: int, last: int) -> Levels:
        """From frame ``first``, a multiple of ``VOICE_STRETCH``, up to ``last``, in blocks of a minute."""
        probabilities = np.empty(last - first, np.float32)
        for start in range(first, last, _BLOCK_FRAMES):
            warm_up = min(start, _WARM_UP_FRAMES)
            end = min(start + _BLOCK_FRAMES, last)
            part = normalised(self._wave[(start - warm_up) * VOICE_FRAME : end * VOICE_FRAME], self._gain)
            part = np.pad(part, (0, -len(part) % VOICE_FRAME))
            probabilities[start - first : end - first] = np.ravel(self._model(part))[warm_up:]
            self._progress(end / self._frames)
        return probabilities


def normalised(wave: Waveform, gain: float) -> Samples:
    """Sixteen-bit samples as floats within ±1, after ``gain``."""
    return np.asarray(np.clip(wave.astype(np.float32) * np.float32(gain / FULL_SCALE), -1, 1), np.float32)


def speech_runs(probabilities: Levels) -> list[tuple[int, int]]:
    """Half-open runs of samples at ``SPEECH_RATE`` in which somebody speaks."""
    runs = _join(_hysteresis(probabilities), round(MIN_BREAK_S * SPEECH_RATE / VOICE_FRAME))
    padding, shortest = round(PADDING_S * SPEECH_RATE), MIN_SPEECH_S * SPEECH_RATE
    limit = len(probabilities) * VOICE_FRAME
    return [
        (max(0, start * VOICE_FRAME - padding), min(limit, end * VOICE_FRAME + padding))
        for start, end in runs
        if (end - start) * VOICE_FRAME >= shortest
    ]


def _hysteresis(probabilities: Levels) -> Iterable[tuple[int, int]]:
    holding = runs_of(probabilities >= VOICE_OFF)
    return [(start, end) for start, end in holding if probabilities[start:end].max() >= VOICE_ON]


def _join(runs: Iterable[tuple[int, int]], shortest_gap: int) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in runs:
        if joined and start - joined[-1][1] < shortest_gap:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def runs_of(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The half-open index ranges in which a mask holds."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]

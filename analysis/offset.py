"""A recording whose silence does not lie at zero: cheap interfaces add a constant, which reads as loud room noise."""

import numpy as np

from analysis.listening import FULL_SCALE, SPEECH_RATE, Waveform

#: Samples of a frame, 10 ms, and how many frames, evenly spread, are looked at.
_FRAME = SPEECH_RATE // 100
_MOST_FRAMES = 50_000
#: The offset is that of the quietest frames, of this share: what sounds may well have more above zero than below.
_QUIETEST_PERCENTILE = 10
#: Less, in steps of 16 bits, is not loud enough to be taken for anything: -66 dBFS.
LEAST_OFFSET = 16
#: Samples that are moved at once.
_BLOCK = 1 << 20


def without_offset(wave: Waveform) -> Waveform:
    """The same wave, changed in place, its silence at zero; digital silence stays what it is."""
    offset = _offset_of(wave)
    for start in range(0, len(wave) if abs(offset) >= LEAST_OFFSET else 0, _BLOCK):
        block = wave[start : start + _BLOCK]
        moved = np.clip(block.astype(np.int32) - offset, -FULL_SCALE, FULL_SCALE)
        block[:] = np.where(block == 0, 0, moved)
    return wave


def _offset_of(wave: Waveform) -> int:
    frames = wave[: len(wave) - len(wave) % _FRAME].reshape(-1, _FRAME)
    frames = frames[:: max(1, len(frames) // _MOST_FRAMES)]
    sounding = frames[(frames != 0).any(axis=1)].astype(np.float32)
    if not len(sounding):
        return 0
    spread = sounding.std(axis=1)
    quiet = sounding[spread <= np.percentile(spread, _QUIETEST_PERCENTILE)]
    return round(float(np.median(quiet.mean(axis=1))))

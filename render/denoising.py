"""Steady noise taken down gently under a whole track of sound: hum, fans, hiss; never to silence, which sounds dead."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from render.loudness import SoundChain
from render.mix import PcmFile
from render.pyav import float_samples
from render.sounds import Stereo
from schemas.edl import NOISE_REDUCTION_DB, SAMPLE_RATE

#: Where the noise lies is heard in the quietest of short stretches, ``afftdn``'s range permitting.
_STRETCH = SAMPLE_RATE // 20
_QUIETEST_PERCENT, _LOUD_PERCENT = 5, 90
_FLOORS_DB = (-80.0, -20.0)
#: Noise that is not this far below the loud stretches would be speech without a pause, taken for noise.
_LEAST_BELOW_LOUD_DB = 20.0
_SILENCE_DB = -100.0

#: Samples by which ``afftdn`` is late: half of its window of 50 ms.
_LATE = SAMPLE_RATE // 40


def add_denoised(track: PcmFile, target: PcmFile) -> None:
    """Add ``track`` to ``target``, sample by sample in its place, with its steady noise lowered."""
    floor = noise_floor(track)
    if floor is None:
        blocks: Iterator[tuple[int, Stereo]] = track.blocks()
    else:
        blocks = _denoised(track, floor)
    for start, samples in blocks:
        target.add(start, samples)


def noise_floor(track: PcmFile) -> float | None:
    """Decibels below full scale of the noise under a track; ``None`` where there is none worth lowering."""
    levels = np.concatenate([_levels(samples) for _, samples in track.blocks()])
    heard = levels[levels > _SILENCE_DB]
    if heard.size == 0:
        return None
    quietest, loud = np.percentile(heard, (_QUIETEST_PERCENT, _LOUD_PERCENT))
    floor = min(float(quietest), float(loud) - _LEAST_BELOW_LOUD_DB)
    lowest, highest = _FLOORS_DB
    return None if floor < lowest else min(floor, highest)


def _levels(samples: Stereo) -> NDArray[np.float64]:
    """Levels of consecutive stretches in decibels; what is left over at the end is left out."""
    whole = samples[:, : samples.shape[1] // _STRETCH * _STRETCH].astype(np.float64)
    powers = (whole**2).reshape(2, -1, _STRETCH).mean(axis=(0, 2))
    return np.asarray(10 * np.log10(powers + 1e-20))


def _denoised(track: PcmFile, floor_db: float) -> Iterator[tuple[int, Stereo]]:
    chain = SoundChain([
        ("afftdn", {"noise_reduction": str(NOISE_REDUCTION_DB), "noise_floor": f"{floor_db:.1f}"}),
        ("aformat", {"sample_fmts": "fltp"}),
    ])  # fmt: skip
    position = -_LATE
    for samples in _then_silence(track):
        for frame in chain.push(samples):
            late = float_samples(frame)
            kept = late[:, max(0, -position) : track.samples - position]
            yield max(0, position), kept
            position += late.shape[1]


def _then_silence(track: PcmFile) -> Iterator[Stereo | None]:
    """The track, as much silence as the filter is late, and the end."""
    for _, samples in track.blocks():
        yield samples
    yield np.zeros((2, _LATE), np.float32)
    yield None

"""Steady noise taken down gently under a whole track of sound: hum, fans, hiss; never to silence, which sounds dead."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from av import AudioFrame
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
#: Its colour is that of the quietest of so many stretches in a row, which tight edits still have between words; it is
#: played to the filter forwards and back so often before the track, so that no seam in it is heard as noise.
_SAMPLED_STRETCHES = 3
_PLAYED = 10

#: Samples by which ``afftdn`` is late: half of its window of 50 ms.
_LATE = SAMPLE_RATE // 40


@dataclass(frozen=True)
class _Noise:
    """The noise under a track: how loud it is, in decibels below full scale, and a moment of it alone."""

    floor_db: float
    alone: Stereo


def add_denoised(track: PcmFile, target: PcmFile) -> None:
    """Add ``track`` to ``target``, sample by sample in its place, with its steady noise lowered."""
    noise = _noise_of(track)
    blocks: Iterator[tuple[int, Stereo]] = track.blocks() if noise is None else _denoised(track, noise)
    for start, samples in blocks:
        target.add(start, samples)


def _noise_of(track: PcmFile) -> _Noise | None:
    """``None`` where there is none worth lowering, or it is never heard alone."""
    levels = np.concatenate([_levels(samples) for _, samples in track.blocks()])
    at = _quietest(levels)
    if at is None:
        return None
    quietest, loud = np.percentile(levels[levels > _SILENCE_DB], (_QUIETEST_PERCENT, _LOUD_PERCENT))
    lowest, highest = _FLOORS_DB
    if quietest < lowest or levels[at : at + _SAMPLED_STRETCHES].max() > loud - _LEAST_BELOW_LOUD_DB:
        return None
    return _Noise(min(float(quietest), highest), track.read(at * _STRETCH, _SAMPLED_STRETCHES * _STRETCH))


def _quietest(levels: NDArray[np.float64]) -> int | None:
    """The first of the quietest stretches in a row that hold no digital silence."""
    if len(levels) < _SAMPLED_STRETCHES:
        return None
    rows = np.lib.stride_tricks.sliding_window_view(levels, _SAMPLED_STRETCHES)
    loudest = np.where(rows.min(axis=1) > _SILENCE_DB, rows.max(axis=1), np.inf)
    at = int(loudest.argmin())
    return at if np.isfinite(loudest[at]) else None


def _levels(samples: Stereo) -> NDArray[np.float64]:
    """Levels of consecutive stretches in decibels; what is left over at the end is left out."""
    whole = samples[:, : samples.shape[1] // _STRETCH * _STRETCH].astype(np.float64)
    powers = (whole**2).reshape(2, -1, _STRETCH).mean(axis=(0, 2))
    return np.asarray(10 * np.log10(powers + 1e-20))


def _denoised(track: PcmFile, noise: _Noise) -> Iterator[tuple[int, Stereo]]:
    denoiser = SoundChain([
        ("afftdn", {"noise_reduction": str(NOISE_REDUCTION_DB), "noise_floor": f"{noise.floor_db:.1f}"}),
        ("aformat", {"sample_fmts": "fltp"}),
    ])  # fmt: skip
    played = [noise.alone, noise.alone[:, ::-1]] * _PLAYED
    position = -_LATE - sum(samples.shape[1] for samples in played)
    frames = (frame for samples in _then_silence(track) for frame in denoiser.push(samples))
    for frame in chain(_learned(denoiser, played), frames):
        late = float_samples(frame)
        kept = late[:, max(0, -position) : track.samples - position]
        if kept.shape[1]:
            yield max(0, position), kept
        position += late.shape[1]


def _learned(denoiser: SoundChain, played: Sequence[Stereo]) -> list[AudioFrame]:
    """What comes out while the filter hears the noise alone, and learns by how much to lower which pitch."""
    denoiser.command("sample_noise", "start")
    frames = [frame for samples in played for frame in denoiser.push(samples)]
    denoiser.command("sample_noise", "stop")
    return frames


def _then_silence(track: PcmFile) -> Iterator[Stereo | None]:
    """The track, as much silence as the filter is late, and the end."""
    for _, samples in track.blocks():
        yield samples
    yield np.zeros((2, _LATE), np.float32)
    yield None

"""All sound of an edit summed onto one timeline of samples, in a file, block by block."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from render.sounds import SoundReader, Stereo
from render.timeline import Heard, find_source, heard, total_samples
from schemas.edl import EDL, SAMPLE_RATE, AudioClip
from schemas.progress import ProgressCallback
from schemas.rendering import SourceFile
from schemas.timebase import frame_to_sample

_BLOCK = SAMPLE_RATE
#: What filters are given at once: some of them hold it many times over, at four times the rate.
_FILTERED_BLOCK = SAMPLE_RATE // 10
_CHANNELS = 2
_FRAME_BYTES = _CHANNELS * np.dtype(np.float32).itemsize


class PcmFile:
    """Interleaved float32 stereo samples on disk; what was never written is silent."""

    def __init__(self, path: Path, samples: int) -> None:
        self.path = path
        self.samples = samples
        self._file: BinaryIO = path.open("w+b")
        self._file.truncate(samples * _FRAME_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, start: int, count: int) -> Stereo:
        self._file.seek(start * _FRAME_BYTES)
        data = np.frombuffer(self._file.read(count * _FRAME_BYTES), np.float32)
        return data.reshape(-1, _CHANNELS).T

    def add(self, start: int, samples: Stereo) -> None:
        mixed = self.read(start, samples.shape[1]) + samples
        self._file.seek(start * _FRAME_BYTES)
        self._file.write(np.ascontiguousarray(mixed.T).tobytes())

    def blocks(self) -> Iterator[tuple[int, Stereo]]:
        for start in range(0, self.samples, _FILTERED_BLOCK):
            yield start, self.read(start, min(_FILTERED_BLOCK, self.samples - start))


def mix_clips(
    clips: Sequence[AudioClip],
    edl: EDL,
    sources: dict[str, SourceFile],
    target: PcmFile,
    progress: ProgressCallback,
) -> list[str]:
    """Sum clips of ``edl`` into ``target``; returns the names of sources whose sound was damaged."""
    damaged: list[str] = []
    for source_id in dict.fromkeys(clip.source for clip in clips):
        source = find_source(edl.sources, source_id)
        reader = SoundReader(source, sources[source_id])
        try:
            for clip in (clip for clip in clips if clip.source == source_id):
                _mix_clip(clip, edl, reader, target)
                progress(clip.end / edl.duration)
        finally:
            reader.close()
        if reader.damaged:
            damaged.append(source.name)
    return damaged


def _mix_clip(clip: AudioClip, edl: EDL, reader: SoundReader, target: PcmFile) -> None:
    place = heard(clip, edl.rate)
    keys = _gain_keys(clip, edl, place)
    end = min(place.end, total_samples(edl))
    for begin in range(place.begin, end, _BLOCK):
        count = min(_BLOCK, end - begin)
        samples = reader.read(clip.source_in + begin - place.start, count)
        target.add(begin, samples * envelope(place, keys, begin, count))


def _gain_keys(clip: AudioClip, edl: EDL, place: Heard) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions of the gain keys in timeline samples, and their gains in decibels."""
    positions = [frame_to_sample(clip.start + key.frame, edl.rate, SAMPLE_RATE) for key in clip.gain] or [place.start]
    decibels = [key.gain / 100 for key in clip.gain] or [0.0]
    return np.array(positions, np.float64), np.array(decibels, np.float64)


def envelope(
    place: Heard, keys: tuple[NDArray[np.float64], NDArray[np.float64]], begin: int, count: int
) -> NDArray[np.float32]:
    """Linear gain of timeline samples ``[begin, begin + count)``: keys in decibels times equal-power fades."""
    at = np.arange(begin, begin + count, dtype=np.float64)
    gain = 10 ** (np.interp(at, *keys) / 20)
    if place.fade_in and begin < place.begin + place.fade_in:
        gain *= np.sin(np.pi / 2 * np.clip((at - place.begin + 0.5) / place.fade_in, 0, 1))
    if place.fade_out and begin + count > place.end - place.fade_out:
        gain *= np.cos(np.pi / 2 * np.clip((at - (place.end - place.fade_out) + 0.5) / place.fade_out, 0, 1))
    return gain.astype(np.float32)

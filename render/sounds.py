"""A source's sound by sample position on the media clock: resampled, mixed to stereo, gaps filled with silence."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from statistics import median

import av
import cv2
import numpy as np
from av import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from render.failures import MEDIA_ERRORS
from render.opening import open_source, stream_at
from render.pyav import float_samples
from render.reading import Damage, decoded
from schemas.edl import SAMPLE_RATE, Source, SourceAudio
from schemas.errors import ErrorCode, MediaRefused
from schemas.facts import ChannelMix
from schemas.media_limits import is_sound
from schemas.rendering import SourceFile
from schemas.timebase import round_half_up

#: Samples as float32, shape (2, n).
Stereo = NDArray[np.float32]

#: Timestamps may jitter this much against the count of samples before the count is put right.
_TOLERANCE_S = Fraction(15, 1000)
#: Up to this much they are taken for an uneven clock, which live recordings have, and not for a break: silence put in
#: or sound left out for each would be heard as a click.
_UNEVEN_S = Fraction(40, 1000)
#: What the clock says at first is the median of this many seconds: one packet alone may be early or late.
_SETTLING_S = Fraction(2, 10)
#: They have to be off for this long for the count to be put right. The sound of that time is made longer or shorter by
#: what they are off, by four hundredths at most.
_DOUBTED_S = 1
#: A jump up to this many samples ahead is decoded through.
_NEAR = 2 * SAMPLE_RATE
#: Sound kept for a reader that steps back a little, as the handles of a crossfade do.
_KEPT = SAMPLE_RATE
#: Decoders need the packets before a position to get it right (MDCT overlap; Opus asks for 80 ms, RFC 7845 4.6).
_PREROLL = SAMPLE_RATE // 4
#: Times full scale: 30 dB of headroom, more than anyone uses in floating-point recordings.
_LOUDEST = 32.0
#: Formats whose seeking only estimates the time it lands on: read from the start, so that samples are where they are.
_INEXACT_SEEKING = frozenset({"mp3", "aac", "ac3", "eac3", "amr", "amrnb", "amrwb", "avi", "mpeg"})


class SoundReader:
    """The sound of one source, read by sample position; cheapest when asked in order."""

    def __init__(self, source: Source, file: SourceFile) -> None:
        if source.audio is None:
            raise MediaRefused(ErrorCode.MEDIA_NO_STREAMS, f"“{source.name}” has no sound.")
        self._name = source.name
        self._file = file
        self._audio: SourceAudio = source.audio
        self._origin = source.origin
        self._damage = Damage()
        self._runs: Iterator[tuple[int, Stereo]] = iter(())
        self._buffer: list[tuple[int, Stereo]] = []
        self._open()

    @property
    def damaged(self) -> bool:
        return self._damage.count > 0

    def close(self) -> None:
        """Give everything back now: a generator left waiting would keep reader and decoder alive in a cycle."""
        self._runs = iter(())
        self._buffer = []
        self._container.close()

    def read(self, start: int, count: int) -> Stereo:
        """Samples ``[start, start + count)`` on the media clock; silence where the source has none."""
        if start < self._buffer_start or start > self._buffer_end + _NEAR:
            self._seek(start)
        while self._buffer_end < start + count:
            run = next(self._runs, None)
            if run is None:
                break
            self._append(*run, keep_from=start - _KEPT)
        return self._cut(start, count)

    def _open(self) -> None:
        self._container: InputContainer = open_source(self._file, self._name)
        stream = stream_at(self._container, self._audio.stream_index)
        if not isinstance(stream, AudioStream):
            raise MediaRefused(ErrorCode.MEDIA_NO_STREAMS, f"“{self._name}” has no sound where some was found before.")
        self._stream = stream
        self._seeks_exactly = not _INEXACT_SEEKING.intersection(self._container.format.name.split(","))
        self._start(0)

    def _start(self, position: int) -> None:
        self._buffer = []
        self._buffer_start = self._buffer_end = position
        self._runs = self._positioned(self._decoded())

    def _seek(self, start: int) -> None:
        target = start - _PREROLL
        if target > 0 and self._seeks_exactly and self._seek_container(target):
            self._start(target)
        elif start < self._buffer_start:
            self._container.close()
            self._open()

    def _seek_container(self, sample: int) -> bool:
        seconds = Fraction(sample, SAMPLE_RATE) + self._origin
        try:
            self._container.seek(int(seconds / self._time_base), stream=self._stream, backward=True)
        except MEDIA_ERRORS:
            return False
        return True

    @property
    def _time_base(self) -> Fraction:
        return self._stream.time_base or Fraction(1, SAMPLE_RATE)

    def _append(self, position: int, samples: Stereo, keep_from: int) -> None:
        """Put samples at their position: what is already there stays, what is missing before them is silent."""
        begin = max(position, self._buffer_end)
        samples = samples[:, begin - position :]
        self._buffer.append((begin, samples))
        self._buffer_end = max(self._buffer_end, begin + samples.shape[1])
        while self._buffer and self._buffer[0][0] + self._buffer[0][1].shape[1] <= keep_from:
            begin, samples = self._buffer.pop(0)
            self._buffer_start = begin + samples.shape[1]

    def _cut(self, start: int, count: int) -> Stereo:
        cut = np.zeros((2, count), np.float32)
        for position, part in self._buffer:
            begin, end = max(start, position), min(start + count, position + part.shape[1])
            if begin < end:
                cut[:, begin - start : end - start] = part[:, begin - position : end - position]
        return cut

    def _decoded(self) -> Iterator[AudioFrame]:
        for frame in decoded(self._container, self._stream, self._damage):
            if isinstance(frame, AudioFrame):
                yield frame

    def _positioned(self, frames: Iterator[AudioFrame]) -> Iterator[tuple[int, Stereo]]:
        """Resampled sound with its position; a break in time or format starts a new run at its own timestamp."""
        run: _Run | None = None
        for frame in frames:
            if not is_sound(frame.sample_rate, frame.layout.nb_channels):
                self._damage.count += 1
                continue
            at = self._media_time(frame)
            if run is None or not run.continues(frame, at):
                if run is not None:
                    yield from run.flush()
                run = _Run(frame, at or Fraction(0), self._audio.channel_mix)
            yield from run.push(frame, at)
        if run is not None:
            yield from run.flush()

    def _media_time(self, frame: AudioFrame) -> Fraction | None:
        if frame.pts is None:
            return None
        return frame.pts * (frame.time_base or self._time_base) - self._origin


class _Run:
    """Consecutive frames of one format, resampled as one piece."""

    def __init__(self, first: AudioFrame, start: Fraction, mix: ChannelMix) -> None:
        self._format = _format(first)
        self._start = start
        self._frames_in = 0
        self._position = 0
        self._mix = mix
        self._settled = False
        self._doubted: list[Stereo] = []
        self._off: list[Fraction] = []
        keeps_channels = mix is not ChannelMix.ALL or first.layout.nb_channels == 1
        self._resampler = av.AudioResampler(
            format="fltp", layout=first.layout.name if keeps_channels else "stereo", rate=SAMPLE_RATE
        )

    def continues(self, frame: AudioFrame, at: Fraction | None) -> bool:
        return _format(frame) == self._format and abs(self._is_off(frame, at)) <= _UNEVEN_S

    def push(self, frame: AudioFrame, at: Fraction | None) -> Iterator[tuple[int, Stereo]]:
        off = self._is_off(frame, at)
        self._frames_in += frame.samples
        frame.pts = None
        samples = self._converted(self._resampler.resample(frame))
        if self._settled and abs(off) <= _TOLERANCE_S:
            yield from self._placed([*self._believed(), *samples])
            return
        self._doubted += samples
        self._off.append(off)
        if not self._settled:
            if self._frames_in >= _SETTLING_S * frame.sample_rate:
                yield from self._settle()
        elif sum(part.shape[1] for part in self._doubted) >= _DOUBTED_S * SAMPLE_RATE:
            yield from self._put_right()

    def flush(self) -> Iterator[tuple[int, Stereo]]:
        if not self._settled:
            yield from self._settle()
        yield from self._placed([*self._believed(), *self._converted(self._resampler.resample(None))])

    def _is_off(self, frame: AudioFrame, at: Fraction | None) -> Fraction:
        """By how much a frame is later, in seconds, than the count of samples says."""
        return Fraction(0) if at is None else at - self._start - Fraction(self._frames_in, frame.sample_rate)

    def _settle(self) -> Iterator[tuple[int, Stereo]]:
        self._start += median(self._off)
        self._position = round_half_up(self._start * SAMPLE_RATE)
        self._settled = True
        yield from self._placed(self._believed())

    def _believed(self) -> list[Stereo]:
        """What was doubted, as it is: the timestamps have come back to the count."""
        believed, self._doubted, self._off = self._doubted, [], []
        return believed

    def _put_right(self) -> Iterator[tuple[int, Stereo]]:
        """What was doubted, longer or shorter, so that the count is what the timestamps say from here on."""
        off = median(self._off)
        doubted = np.concatenate(self._believed(), axis=1)
        length = doubted.shape[1] + round(off * SAMPLE_RATE)
        self._start += off
        yield from self._placed([np.asarray(cv2.resize(doubted, (length, 2), interpolation=cv2.INTER_CUBIC))])

    def _placed(self, parts: Iterable[Stereo]) -> Iterator[tuple[int, Stereo]]:
        for samples in parts:
            yield self._position, samples
            self._position += samples.shape[1]

    def _converted(self, frames: list[AudioFrame]) -> list[Stereo]:
        return [_to_stereo(_bounded(float_samples(frame)), self._mix) for frame in frames]


def _bounded(samples: Stereo) -> Stereo:
    """Without what floating-point files may hold instead of sound: no numbers, and numbers beyond any recording."""
    return np.clip(np.nan_to_num(samples, copy=False), -_LOUDEST, _LOUDEST)


def _format(frame: AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


def _to_stereo(channels: Stereo, mix: ChannelMix) -> Stereo:
    """The chosen mix on both sides; one channel alone is that channel whatever the mix."""
    first = channels[0]
    second = channels[min(1, len(channels) - 1)]
    if len(channels) == 1:
        return np.stack([first, first])
    match mix:
        case ChannelMix.ALL:
            return np.stack([first, second])
        case ChannelMix.LEFT:
            return np.stack([first, first])
        case ChannelMix.RIGHT:
            return np.stack([second, second])
        case ChannelMix.DIFFERENCE:
            half = (first - second) * np.float32(0.5)
            return np.stack([half, half])

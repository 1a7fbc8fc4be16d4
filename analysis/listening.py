"""Sound as float samples on the media clock, whatever the file's rates, layouts, gaps and overlaps."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from av.audio.fifo import AudioFifo
from av.audio.resampler import AudioResampler
from av.container import InputContainer
from numpy.typing import NDArray

from analysis.demuxing import decode_audio, open_media
from schemas.facts import ChannelMix
from schemas.media import MediaProbe
from schemas.media_limits import is_sound
from schemas.progress import ProgressCallback, ignore_progress
from schemas.timebase import us_to_sample

#: The rate at which speech is analysed: that of Silero VAD and Whisper.
SPEECH_RATE = 16_000
#: Time stamps that disagree with the samples counted by more than this are believed: there is a gap or an overlap.
#: Less is the rounding of containers that keep milliseconds.
CLOCK_TOLERANCE_S = Fraction(2, 100)
#: Samples are handed on in blocks of about this length: a codec's frames are so short that what is done with each of
#: them would take longer than decoding them.
BLOCK_S = Fraction(1, 2)
#: Nothing is placed later than this: a time stamp beyond it is damaged.
MAX_TIME_S = 24 * 3600

#: The largest 16-bit sample.
FULL_SCALE = 32767

Samples = NDArray[np.float32]
Waveform = NDArray[np.int16]


@dataclass(frozen=True)
class Block:
    """Consecutive samples, (channels, n); the first lies at ``position`` samples from the media clock's zero."""

    position: int
    samples: Samples

    @property
    def end(self) -> int:
        return self.position + int(self.samples.shape[1])


def listen(
    container: InputContainer,
    stream: av.AudioStream,
    *,
    origin: Fraction,
    rate: int,
    layout: str,
    tap: Callable[[av.AudioFrame], None] | None = None,
) -> Iterator[Block]:
    """Decode a sound stream from where the container stands to its end.

    Args:
        container: open, at its start or after a seek.
        stream: of that container.
        origin: seconds of the file's own time stamps that are the media clock's zero.
        rate: samples a second to convert to.
        layout: channel layout to convert to ("mono", "stereo", …).
        tap: called with each frame as it was decoded, for what must be measured before any conversion.
    """
    placing = _Placing(origin=origin, rate=rate, layout=layout)
    for frame in decode_audio(container, stream):
        if tap is not None:
            tap(frame)
        yield from placing.place(frame)
    yield from placing.flush()


def convertible(frame: av.AudioFrame) -> bool:
    """Whether it can be brought to our rate and mixed to mono; layouts of no known order of speakers cannot."""
    if not is_sound(frame.sample_rate, frame.layout.nb_channels):
        return False
    try:
        AudioResampler(format="fltp", layout="mono", rate=SPEECH_RATE).resample(frame)
    except (av.error.FFmpegError, ValueError):
        return False
    return True


class _Clock:
    """Tells whether frames come when they are expected, one after the other; in whole numbers, and so exactly.

    Frames are short and many: what is asked of each of them is a few multiplications.
    """

    def __init__(self, time: Fraction, time_base: Fraction, origin: Fraction, rate: int) -> None:
        """The next sample, of ``rate`` a second, is expected at ``time``."""
        parts = math.lcm(*(one.denominator for one in (time, time_base, origin, CLOCK_TOLERANCE_S)), rate)
        self._tick, self._sample, self._tolerance = (
            int(length * parts) for length in (time_base, Fraction(1, rate), CLOCK_TOLERANCE_S)
        )
        self._expected = int((time + origin) * parts)
        self._parts = parts
        self._origin = origin
        self.time_base = time_base

    @property
    def expected(self) -> Fraction:
        """When the next sample is."""
        return Fraction(self._expected, self._parts) - self._origin

    def expects(self, pts: int) -> bool:
        return abs(pts * self._tick - self._expected) <= self._tolerance

    def pass_by(self, samples: int) -> None:
        self._expected += samples * self._sample


class _Placing:
    """Converts frames and gives each sample its place; starts anew wherever the stream's clock or format jumps."""

    def __init__(self, *, origin: Fraction, rate: int, layout: str) -> None:
        self._origin = origin
        self._rate = rate
        self._layout = layout
        self._resampler: AudioResampler | None = None
        self._waiting = AudioFifo()
        self._format: tuple[str, str, int] | None = None
        self._clock: _Clock | None = None
        self._position = 0

    def place(self, frame: av.AudioFrame) -> Iterator[Block]:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if frame.samples <= 0 or (shape != self._format and not convertible(frame)):
            return
        if shape != self._format or not self._is_expected(frame):
            time = self._time_of(frame)
            if not -MAX_TIME_S < time < MAX_TIME_S:
                return
            yield from self.flush()
            self._resampler = AudioResampler(format="fltp", layout=self._layout, rate=self._rate)
            self._format = shape
            self._position = round(time * self._rate)
            self._clock = _Clock(time, frame.time_base or Fraction(1), self._origin, frame.sample_rate)
        assert self._clock is not None
        self._clock.pass_by(frame.samples)
        frame.pts = None
        self._waiting.write(frame)
        if self._waiting.samples >= frame.sample_rate * BLOCK_S:
            yield from self._convert(self._waiting.read())

    def flush(self) -> Iterator[Block]:
        if self._resampler is not None:
            rest = self._waiting.read()
            yield from self._convert(*(() if rest is None else (rest,)), None)
            self._resampler, self._waiting = None, AudioFifo()

    def _is_expected(self, frame: av.AudioFrame) -> bool:
        if self._clock is None or frame.pts is None or frame.time_base is None:
            return self._clock is not None
        if frame.time_base != self._clock.time_base:
            self._clock = _Clock(self._clock.expected, frame.time_base, self._origin, frame.sample_rate)
        return self._clock.expects(frame.pts)

    def _time_of(self, frame: av.AudioFrame) -> Fraction:
        if frame.pts is None or frame.time_base is None:
            return Fraction(0) if self._clock is None else self._clock.expected
        return frame.pts * frame.time_base - self._origin

    def _convert(self, *frames: av.AudioFrame | None) -> Iterator[Block]:
        """What comes of some frames, ``None`` ending them, in their place."""
        assert self._resampler is not None
        converted = [one.to_ndarray() for frame in frames for one in self._resampler.resample(frame)]
        if converted:
            samples = np.nan_to_num(np.concatenate(converted, axis=1).astype(np.float32, copy=False))
            start, self._position = self._position, self._position + samples.shape[1]
            if self._position > 0:
                before_zero = max(0, -start)
                yield Block(start + before_zero, samples[:, before_zero:])


def mix_down(samples: Samples, mix: ChannelMix) -> Samples:
    """The dialogue out of (channels, n) samples, as (n,)."""
    left: Samples = samples[0]
    if samples.shape[0] < 2:
        return left
    right: Samples = samples[1]
    match mix:
        case ChannelMix.LEFT:
            return left
        case ChannelMix.RIGHT:
            return right
        case ChannelMix.DIFFERENCE:
            return np.asarray((left - right) / 2)
        case ChannelMix.ALL:
            return np.asarray((left + right) / 2)


def working_layout(stream: av.AudioStream) -> str:
    """Stereo stays stereo, so that its channels can be told apart; everything else is mixed to mono."""
    return "stereo" if stream.codec_context.layout.nb_channels == 2 else "mono"


def record_dialogue(
    path: Path,
    probe: MediaProbe,
    mix: ChannelMix,
    *,
    tap: Callable[[av.AudioFrame], None] | None = None,
    progress: ProgressCallback = ignore_progress,
) -> Waveform:
    """The whole dialogue of a file as mono 16-bit samples at ``SPEECH_RATE``, from the media clock's zero.

    Sixteen bits because two hours of them are 230 MB; what the stream does not cover is zero.
    """
    wave = np.zeros(_length(probe), np.int16)
    for block in _blocks(path, probe, tap):
        end = min(block.end, len(wave))
        if block.position < end:
            wave[block.position : end] = to_wave(mix_down(block.samples, mix)[: end - block.position])
            progress(end / len(wave))
    return wave


def hear_whole(path: Path, probe: MediaProbe, tap: Callable[[av.AudioFrame], None] | None = None) -> Samples:
    """A short file's dialogue at ``SPEECH_RATE``, one channel or two, (channels, n); what is not covered is zero."""
    channels = np.zeros((2, _length(probe)), np.float32)
    count = 1
    for block in _blocks(path, probe, tap):
        end = min(block.end, channels.shape[1])
        count = max(count, len(block.samples))
        if block.position < end:
            channels[: len(block.samples), block.position : end] = block.samples[:, : end - block.position]
    return channels[:count]


def to_wave(samples: Samples) -> Waveform:
    """Samples as 16-bit ones, what is louder than full scale cut off."""
    return np.rint(np.clip(samples, -1, 1) * FULL_SCALE).astype(np.int16)


def _length(probe: MediaProbe) -> int:
    return 0 if probe.dialogue is None else us_to_sample(probe.dialogue.end_us, SPEECH_RATE)


def _blocks(path: Path, probe: MediaProbe, tap: Callable[[av.AudioFrame], None] | None) -> Iterator[Block]:
    """A file's dialogue as it is decoded, stereo or mono; nothing where there is none."""
    if probe.dialogue is None:
        return
    with open_media(path) as container:
        stream = container.streams[probe.dialogue.index]
        assert isinstance(stream, av.AudioStream)
        layout = working_layout(stream)
        yield from listen(container, stream, origin=probe.origin, rate=SPEECH_RATE, layout=layout, tap=tap)

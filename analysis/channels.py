"""Which channels of a sound stream carry the dialogue, from a few samples spread over its length."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer

from analysis.demuxing import open_media
from analysis.listening import SPEECH_RATE, Samples, listen, working_layout
from schemas.facts import ChannelMix
from schemas.media import MediaProbe
from schemas.timebase import us_to_pts

#: Files up to this length are heard whole; of longer ones, windows spread evenly.
HEARD_WHOLE_US = 60_000_000
WINDOWS = 12
WINDOW_US = 5_000_000

#: Below this level a stream counts as silent: under the noise of any microphone, above the dither of a muted track.
AUDIBLE_DBFS = -75.0
#: A channel this much weaker than the other carries only crosstalk, not dialogue.
EMPTY_CHANNEL_DB = 25.0
#: Half-sum this much weaker than half-difference: one channel is wired the wrong way round.
OUT_OF_PHASE_DB = 10.0

_FRAME = SPEECH_RATE // 20


def level_db(power: float) -> float:
    """Decibels of a mean square against full scale; -200 for nothing."""
    return 10 * float(np.log10(max(power, 1e-20)))


def sample_sound(
    container: InputContainer, stream: av.AudioStream, *, origin: Fraction, duration_us: int
) -> Iterator[Samples]:
    """Windows of a stream at ``SPEECH_RATE``, stereo or mono: the whole of a short one, a spread over a long one."""
    if duration_us <= HEARD_WHOLE_US:
        yield from _hear(container, stream, origin, start_us=0, length_us=duration_us)
        return
    for start_us in np.linspace(0, duration_us - WINDOW_US, WINDOWS).astype(int):
        yield from _hear(container, stream, origin, start_us=int(start_us), length_us=WINDOW_US)


def _hear(
    container: InputContainer, stream: av.AudioStream, origin: Fraction, *, start_us: int, length_us: int
) -> Iterator[Samples]:
    assert stream.time_base is not None
    try:
        container.seek(us_to_pts(start_us, stream.time_base, origin), stream=stream)
    except av.error.FFmpegError:
        return
    end = (start_us + length_us) * SPEECH_RATE // 1_000_000
    for block in listen(container, stream, origin=origin, rate=SPEECH_RATE, layout=working_layout(stream)):
        if block.position >= end:
            return
        yield block.samples


def loudest_level(samples: Iterator[Samples]) -> float:
    """The level in dBFS of the loudest 50 ms in any channel; -200 where there is nothing."""
    return max((level_db(float(_powers(window).max(initial=0.0))) for window in samples), default=-200.0)


def dialogue_mix(samples: Iterator[Samples]) -> ChannelMix:
    """How the channels heard in some windows become the dialogue; only stereo has anything to decide."""
    total = np.zeros(4)
    for window in samples:
        if window.shape[0] != 2:
            return ChannelMix.ALL
        left, right = window
        total += [np.sum(signal**2) for signal in (left, right, (left + right) / 2, (left - right) / 2)]
    left_db, right_db, sum_db, difference_db = (level_db(float(power)) for power in total)
    if left_db - right_db > EMPTY_CHANNEL_DB:
        return ChannelMix.LEFT
    if right_db - left_db > EMPTY_CHANNEL_DB:
        return ChannelMix.RIGHT
    if difference_db - sum_db > OUT_OF_PHASE_DB:
        return ChannelMix.DIFFERENCE
    return ChannelMix.ALL


def _powers(window: Samples) -> Samples:
    """Mean squares of 50 ms frames, (channels, frames); a shorter window is one frame."""
    usable = window.shape[1] - window.shape[1] % _FRAME
    if usable == 0:
        return np.mean(window**2, axis=1, keepdims=True) if window.size else np.zeros((1, 1), np.float32)
    frames = window[:, :usable].reshape(window.shape[0], -1, _FRAME)
    return np.asarray(np.mean(frames**2, axis=2), np.float32)


def find_mix(path: Path, probe: MediaProbe) -> ChannelMix:
    """How the dialogue stream's channels become the dialogue, heard in a few places."""
    dialogue = probe.dialogue
    if dialogue is None or dialogue.channels != 2:
        return ChannelMix.ALL
    with open_media(path) as container:
        stream = container.streams[dialogue.index]
        assert isinstance(stream, av.AudioStream)
        return dialogue_mix(sample_sound(container, stream, origin=probe.origin, duration_us=dialogue.end_us))

"""One decode pass over a file's sound, for everybody who wants to hear it."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import av

from analysis.channels import find_mix
from analysis.clipping import ClippingMeter
from analysis.hearing import Hearing, hear, voice_of
from analysis.listening import Waveform, record_dialogue
from analysis.loudness import LoudnessMeter
from analysis.voice import Levels
from schemas.facts import ChannelMix
from schemas.media import MediaProbe
from schemas.model import Model
from schemas.progress import ProgressCallback, ignore_progress

#: Learns something from a recording, once it is whole.
SoundAnalysis = Callable[["Recording", ProgressCallback], Model]


class Recording:
    """A file's dialogue: its mono 16-bit samples at ``SPEECH_RATE``, how they were mixed, and how loud the stream is.

    What is worked out of it is worked out once, for all who ask.
    """

    def __init__(self, wave: Waveform, mix: ChannelMix, meter: LoudnessMeter, clipped_share: float = 0.0) -> None:
        self.wave = wave
        self.mix = mix
        self.meter = meter
        self.clipped_share = clipped_share
        self._voice: Levels | None = None

    def voice(self, progress: ProgressCallback = ignore_progress) -> Levels:
        """The probability of speech in each ``VOICE_FRAME``."""
        if self._voice is None:
            self._voice = voice_of(self.wave, progress)
        return self._voice

    @cached_property
    def hearing(self) -> Hearing:
        return hear(self.wave, self.voice())


def record(path: Path, probe: MediaProbe, progress: ProgressCallback = ignore_progress) -> Recording:
    """Decode a probed file's dialogue; a file without sound gives an empty recording.

    Raises:
        MediaRefused: when most of the sound is damaged.
    """
    mix, meter, clipping = find_mix(path, probe), LoudnessMeter(), ClippingMeter()

    def tap(frame: av.AudioFrame) -> None:
        clipping.add(frame)
        meter.add(frame)

    wave = record_dialogue(path, probe, mix, tap=tap, progress=progress)
    return Recording(wave, mix, meter, clipping.share)

"""One decode pass over a file's sound, for everybody who wants to hear it."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import av

from analysis.channels import HEARD_WHOLE_US, dialogue_mix, find_mix
from analysis.hearing import Hearing, hear, voice_of
from analysis.kept_sound import KeptSound
from analysis.listening import Waveform, hear_whole, mix_down, record_dialogue, to_wave
from analysis.metering import StreamLevels, StreamMeter
from analysis.offset import without_offset
from analysis.parts import Parts
from analysis.voice import Levels
from schemas.facts import ChannelMix
from schemas.media import MediaProbe
from schemas.model import Model
from schemas.progress import ProgressCallback, ignore_progress

#: Learns something from a recording, once it is whole.
SoundAnalysis = Callable[["Recording", ProgressCallback], Model]


class Dialogue:
    """A file's dialogue: its mono 16-bit samples at ``SPEECH_RATE``, and how they were mixed.

    What is worked out of it is worked out once, for all who ask.
    """

    def __init__(self, wave: Waveform, mix: ChannelMix, kept: KeptSound | None = None) -> None:
        self.wave = wave
        self.mix = mix
        self.kept = kept or KeptSound()
        self._voice: Levels | None = None

    def voice(self, progress: ProgressCallback = ignore_progress) -> Levels:
        """The probability of speech in each ``VOICE_FRAME``."""
        if self._voice is None:
            self._voice = voice_of(self.wave, self.kept, progress)
        return self._voice

    @cached_property
    def hearing(self) -> Hearing:
        return hear(self.wave, self.voice())


class Recording(Dialogue):
    """A dialogue, and how loud the stream is that it was made from."""

    def __init__(self, wave: Waveform, mix: ChannelMix, kept: KeptSound, levels: StreamLevels) -> None:
        super().__init__(wave, mix, kept)
        self.levels = levels


def hear_dialogue(path: Path, probe: MediaProbe, progress: ProgressCallback = ignore_progress) -> Dialogue:
    """Decode a probed file's dialogue without measuring its stream, which takes as long again; empty without sound.

    Raises:
        MediaRefused: when most of the sound is damaged.
    """
    return Dialogue(*_decoded(path, probe, None, progress))


def record(
    path: Path, probe: MediaProbe, progress: ProgressCallback = ignore_progress, parts: Parts | None = None
) -> Recording:
    """Decode a probed file's dialogue; a file without sound gives an empty recording.

    What is found in the sound of a long file is kept in ``parts``; what is there already is not looked for again.

    Raises:
        MediaRefused: when most of the sound is damaged.
    """
    kept = KeptSound(parts)
    meter = StreamMeter(kept)
    wave, mix = _decoded(path, probe, meter.add, progress)
    return Recording(wave, mix, kept, meter.finish())


def _decoded(
    path: Path, probe: MediaProbe, tap: Callable[[av.AudioFrame], None] | None, progress: ProgressCallback
) -> tuple[Waveform, ChannelMix]:
    """A dialogue and its mix; one that is heard whole to know its mix is decoded only once."""
    if probe.dialogue is None or probe.dialogue.end_us > HEARD_WHOLE_US:
        mix = find_mix(path, probe)
        return without_offset(record_dialogue(path, probe, mix, tap=tap, progress=progress)), mix
    channels = hear_whole(path, probe, tap)
    mix = dialogue_mix(iter([channels]))
    return without_offset(to_wave(mix_down(channels, mix))), mix

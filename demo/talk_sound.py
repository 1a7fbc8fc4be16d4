"""The talk as sound: the script spoken with its pauses, in a room, and again through a close microphone."""

from collections.abc import Sequence
from dataclasses import dataclass

import av
import numpy as np

from demo.script import Line
from demo.voice import Samples, SpokenWord, Utterance, Voice, speak_all

SAMPLE_RATE = 48_000

#: Of the voices that suit the portrait, the one that Whisper tiny.en understands best (over the whole script).
VOICE = Voice(name="en-us+steph", rate=145, pitch=50, pitch_range=50)

LEAD_S = 0.8
SPEECH_PEAK = 0.5
ROOM_TONE_DBFS = -60.0
ROOM_TONE_SEED = 11

#: The microphone recorder was started this much before the camera, and records lower and without the room.
MIC_OFFSET_S = 1.234
MIC_GAIN_DB = -4.0
MIC_NOISE_DBFS = -84.0
MIC_NOISE_SEED = 12


@dataclass(frozen=True)
class PlacedWord:
    """A word on the talk's clock; ``line`` is its index in the script."""

    word: SpokenWord
    line: int


@dataclass(frozen=True)
class Talk:
    """The speech alone, mono at ``SAMPLE_RATE``, with the true time of every word."""

    samples: Samples
    words: tuple[PlacedWord, ...]
    pauses: tuple[tuple[float, float], ...]

    @property
    def duration_s(self) -> float:
        return len(self.samples) / SAMPLE_RATE


def say(script: Sequence[Line], voice: Voice = VOICE) -> Talk:
    """Speak the whole script."""
    return _arranged(script, speak_all([line.text for line in script], voice))


def _arranged(script: Sequence[Line], utterances: Sequence[Utterance]) -> Talk:
    rate = utterances[0].sample_rate
    pieces = [np.zeros(round(LEAD_S * rate), np.float32)]
    position = len(pieces[0])
    words: list[PlacedWord] = []
    pauses: list[tuple[float, float]] = [(0.0, position / rate)]
    for index, (line, utterance) in enumerate(zip(script, utterances, strict=True)):
        words.extend(PlacedWord(_moved(word, position / rate), index) for word in utterance.words)
        silence = np.zeros(round(line.pause_s * rate), np.float32)
        pieces += [utterance.samples, silence]
        spoken_until = position + len(utterance.samples)
        position = spoken_until + len(silence)
        pauses.append((spoken_until / rate, position / rate))
    speech = np.concatenate(pieces)
    return Talk(_resampled(speech * (SPEECH_PEAK / np.abs(speech).max()), rate), tuple(words), tuple(pauses))


def in_room(talk: Talk) -> Samples:
    """What the camera hears: the speech over room tone, never digital silence."""
    return talk.samples + room_tone(len(talk.samples), ROOM_TONE_DBFS, ROOM_TONE_SEED)


def through_microphone(talk: Talk) -> Samples:
    """What the separate recorder hears, ``MIC_OFFSET_S`` later on its own clock."""
    lead = np.zeros(round(MIC_OFFSET_S * SAMPLE_RATE), np.float32)
    speech = np.concatenate([lead, talk.samples]) * np.float32(10 ** (MIC_GAIN_DB / 20))
    return speech + room_tone(len(speech), MIC_NOISE_DBFS, MIC_NOISE_SEED)


def room_tone(count: int, level_dbfs: float, seed: int) -> Samples:
    """Steady noise that falls by 3 dB an octave above 60 Hz, as rooms do; ``level_dbfs`` is its RMS."""
    white = np.random.default_rng(seed).standard_normal(count)
    spectrum = np.fft.rfft(white)
    frequency = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    spectrum *= np.where(frequency < 20, 0, 1 / np.sqrt(np.maximum(frequency, 60)))
    tone = np.fft.irfft(spectrum, count)
    return np.asarray(tone * (10 ** (level_dbfs / 20) / np.sqrt(np.mean(tone**2))), np.float32)


def _moved(word: SpokenWord, by_s: float) -> SpokenWord:
    return SpokenWord(word.text, word.start_s + by_s, word.end_s + by_s)


def _resampled(samples: Samples, rate: int) -> Samples:
    frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="fltp", layout="mono")
    frame.sample_rate = rate
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=SAMPLE_RATE)
    return np.concatenate([part.to_ndarray()[0] for part in (*resampler.resample(frame), *resampler.resample(None))])

"""What the sound tells besides words: hesitations, music, clipping."""

import numpy as np
import pytest

from analysis.fillers import find_fillers
from analysis.hearing import Hearing
from analysis.kept_sound import KeptSound
from analysis.listening import SPEECH_RATE, Waveform
from analysis.music import find_music
from analysis.probe import probe
from analysis.recording import record
from analysis.timed_words import TimedWord
from tests.analysis.analysis_media import MakeClip, noise

pytestmark = pytest.mark.media


def vowel(seconds: float, *, rise: float = 0.0) -> Waveform:
    """A voice at 120 Hz with two formants, its pitch rising by ``rise`` Hz a second."""
    times = np.arange(round(seconds * SPEECH_RATE)) / SPEECH_RATE
    phase = 2 * np.pi * (120 * times + rise * times**2 / 2)
    sound = sum(np.sin(n * phase) * (1 / n + (n in {5, 10})) for n in range(1, 14))
    return np.asarray(sound / np.abs(sound).max() * 8000, np.int16)


def said(*parts: Waveform) -> tuple[Waveform, Hearing]:
    """Parts of sound with 0.3 s of silence around each, and a hearing that takes all of them for voice."""
    pause = np.zeros(SPEECH_RATE * 3 // 10, np.int16)
    wave = np.concatenate([pause, *(piece for part in parts for piece in (part, pause))])
    frames = len(wave) // 160
    loud = np.abs(wave[: frames * 160].reshape(frames, 160)).max(axis=1) > 0
    levels = np.where(loud, -20, -90).astype(np.float32)
    return wave, Hearing(levels, np.asarray(loud, np.float32), -90.0, -60.0, 60.0)


def test_a_held_vowel_that_is_no_word_is_a_hesitation() -> None:
    wave, hearing = said(vowel(0.4), vowel(0.5))
    (filler,) = find_fillers(wave, hearing, [TimedWord(30, 70, "well", 1.0)])
    assert (filler.start_us, filler.end_us) == (
        pytest.approx(1_000_000, abs=30_000),
        pytest.approx(1_500_000, abs=30_000),
    )


def test_noise_a_cough_and_a_melody_of_speech_are_none() -> None:
    rng = np.random.default_rng(1)
    hiss = np.asarray(rng.standard_normal(SPEECH_RATE // 2) * 3000, np.int16)
    wave, hearing = said(hiss, vowel(0.1), vowel(0.6, rise=400))
    assert find_fillers(wave, hearing, []) == ()


def test_held_vowels_of_speech_that_nobody_recognised_are_none() -> None:
    """Half a talk may be in a language that the recogniser does not know."""
    unknown = (vowel(0.4, rise=300), vowel(0.3), vowel(0.5, rise=-200), vowel(0.2))
    wave, hearing = said(vowel(0.4), *unknown, vowel(0.4), vowel(0.5))
    words = [TimedWord(30, 70, "well", 1.0), TimedWord(360, 400, "yes", 1.0)]
    (filler,) = find_fillers(wave, hearing, words)
    assert filler.start_us == pytest.approx(4_300_000, abs=30_000)


def test_held_notes_are_music_and_noise_is_none() -> None:
    times = np.arange(SPEECH_RATE * 8) / SPEECH_RATE
    notes = sum(np.sin(2 * np.pi * f * times) for f in (262, 330, 392, 523, 659))
    hiss = np.random.default_rng(1).standard_normal(len(times)) * 1000
    (music,) = find_music(np.asarray(notes * 3000, np.int16), KeptSound())
    assert music.start_us == 0
    assert music.duration_us > 6_000_000
    assert find_music(np.asarray(hiss, np.int16), KeptSound()) == ()


def test_a_sound_that_was_cut_off_says_how_much(make_clip: MakeClip) -> None:
    path = make_clip("loud.wav", sound=noise(1.0, 3, channels=2))
    assert record(path, probe(path)).levels.clipped_share == pytest.approx(0.25, abs=0.15)
    path = make_clip("fine.wav", sound=noise(1.0, -30, channels=2))
    assert record(path, probe(path)).levels.clipped_share == 0

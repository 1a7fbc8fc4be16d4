"""The synthesiser says when each word is spoken."""

from itertools import pairwise

import numpy as np
import pytest

from demo.talk_sound import VOICE
from demo.voice import Utterance, Voice, VoiceError, speak_all

pytestmark = pytest.mark.unit

SENTENCE = "Look at the height of the camera, about 45 degrees, in the room."


@pytest.fixture(scope="module")
def spoken() -> Utterance:
    return speak_all([SENTENCE], VOICE)[0]


def test_every_written_word_is_timed_once_and_in_order(spoken: Utterance) -> None:
    assert [word.text for word in spoken.words] == SENTENCE.split()
    assert all(before.end_s <= after.start_s for before, after in pairwise(spoken.words))
    assert spoken.words[0].start_s == 0
    assert spoken.words[-1].end_s == pytest.approx(len(spoken.samples) / spoken.sample_rate)


def test_words_last_as_long_as_people_take_for_them(spoken: Utterance) -> None:
    assert all(0.05 <= word.end_s - word.start_s <= 1.2 for word in spoken.words)


def test_nothing_is_heard_between_words(spoken: Utterance) -> None:
    between = spoken.samples.copy()
    for word in spoken.words:
        between[round(word.start_s * spoken.sample_rate) : round(word.end_s * spoken.sample_rate)] = 0
    assert np.abs(between).max() <= 0.01 * np.abs(spoken.samples).max()


def test_the_same_text_gives_the_same_sound(spoken: Utterance) -> None:
    [again] = speak_all([SENTENCE], VOICE)
    assert np.array_equal(again.samples, spoken.samples)
    assert again.words == spoken.words


def test_an_unknown_voice_is_refused() -> None:
    with pytest.raises(VoiceError, match="nobody"):
        speak_all(["Hello."], Voice(name="nobody", rate=150, pitch=50, pitch_range=50))


def test_silence_is_refused() -> None:
    with pytest.raises(VoiceError):
        speak_all([" "], VOICE)

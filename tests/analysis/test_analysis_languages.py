"""Which language is spoken where, whatever a recogniser makes of single passages."""

import importlib.util
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.listening import SPEECH_RATE, Samples
from analysis.models import WhisperModelFiles
from analysis.probe import probe
from analysis.recognising import (
    APART_S,
    LONGEST_WINDOW,
    DetectedLanguage,
    DetectedLanguages,
    Recognised,
    RecognisedSegment,
    RecognisedWord,
)
from analysis.recording import record
from analysis.spoken_languages import Run, tell_languages
from analysis.transcript import TranscriptParameters, transcribe
from schemas.facts import Transcript
from tests.analysis.analysis_media import MakeClip

pytestmark = pytest.mark.media

with_voice = pytest.mark.skipif(
    importlib.util.find_spec("espeakng_loader") is None, reason="no speech synthesiser here"
)


def seconds(*spans: tuple[float, float]) -> list[Run]:
    return [(round(start * SPEECH_RATE), round(end * SPEECH_RATE)) for start, end in spans]


def heard_as(
    language_at: Callable[[float], str], probability: float = 0.95
) -> Callable[[Sequence[Run]], DetectedLanguages]:
    """Takes a passage for the language at its beginning, in seconds; next likely are a few others."""

    def detect(passage: Sequence[Run]) -> DetectedLanguages:
        first = language_at(passage[0][0] / SPEECH_RATE)
        others = [one for one in ("en", "es", "cy") if one != first]
        rest = [DetectedLanguage(language=one, probability=(1 - probability) / 2) for one in others]
        return DetectedLanguages(likely=(DetectedLanguage(language=first, probability=probability), *rest))

    return detect


def test_a_second_language_amid_the_first_is_told_apart() -> None:
    runs = seconds((0, 12), (13, 17), (20, 28), (29, 33), (35, 60))
    told = tell_languages(runs, heard_as(lambda at: "es" if 19 < at < 34 else "en"))
    assert (told.language, told.probability) == ("en", pytest.approx(0.95))
    assert [(one.language, list(one.runs)) for one in told.spoken] == [
        ("en", runs[:2]),
        ("es", runs[2:4]),
        ("en", runs[4:]),
    ]


def test_a_single_passage_that_sounds_like_another_language_is_none() -> None:
    runs = seconds((0, 4), (5, 9), (10, 13.2))
    for odd in (0, 5, 10):
        told = tell_languages(runs, heard_as(lambda at, odd=odd: "cy" if at == odd else "en"))
        assert [(one.language, list(one.runs)) for one in told.spoken] == [("en", runs)]


@given(st.lists(st.tuples(st.floats(0.2, 9), st.floats(0.1, 40), st.sampled_from(["en", "es"])), min_size=1))
def test_whatever_is_detected_all_speech_is_told_once_and_in_order(steps: list[tuple[float, float, str]]) -> None:
    runs: list[Run] = []
    languages = []
    for gap, length, language in steps:
        start = (runs[-1][1] if runs else 0) + round(gap * SPEECH_RATE)
        runs.append((start, start + round(length * SPEECH_RATE)))
        languages.append((start / SPEECH_RATE, language))
    told = tell_languages(runs, heard_as(lambda at: [one for start, one in languages if start <= at + 1e-6][-1]))
    parts = [part for one in told.spoken for part in one.runs]
    assert all(a[1] <= b[0] for a, b in pairwise(parts))
    assert sum(end - start for start, end in parts) == sum(end - start for start, end in runs)
    assert all(any(start <= a and b <= end for start, end in runs) for a, b in parts)
    assert all(a.language != b.language for a, b in pairwise(told.spoken))


class Listener:
    """A recogniser that takes the first seconds it is asked of for English and the rest for Spanish.

    It understands the first word of each window alone.
    """

    def __init__(self, _: WhisperModelFiles) -> None:
        self.asked_s = 0.0

    def detect_languages(self, window: Samples) -> DetectedLanguages:
        self.asked_s += len(window) / SPEECH_RATE
        language = "en" if self.asked_s < 12 else "es"
        return DetectedLanguages(likely=(DetectedLanguage(language=language, probability=0.95),))

    def recognise(self, windows: Sequence[Samples], language: str, beam_size: int) -> Recognised:
        assert beam_size
        return Recognised(windows=tuple(_first_word(number, language) for number in range(len(windows))))


def _first_word(number: int, text: str) -> tuple[RecognisedSegment, ...]:
    start = number * APART_S
    word = RecognisedWord(start=start + 0.1, end=start + 0.5, text=f" {text}", probability=0.9)
    return (
        RecognisedSegment(
            end=start + LONGEST_WINDOW / SPEECH_RATE,
            mean_log_probability=-0.1,
            compression_ratio=1.0,
            no_speech_probability=0.0,
            words=(word,),
        ),
    )


def transcribed(make_clip: MakeClip, folder: Path, lines: slice, open_recogniser: type[Listener]) -> Transcript:
    """What is heard of some lines of the demo's talk."""
    from demo import SCRIPT  # noqa: PLC0415  # only where there is a synthesiser
    from demo.talk_sound import in_room, say  # noqa: PLC0415

    (folder / "base").mkdir()
    (folder / "base" / "model.bin").write_bytes(b"weights")
    path = make_clip("talk.wav", sound=in_room(say(SCRIPT[lines]))[None].astype(np.float32), layout="mono")
    return transcribe(
        record(path, probe(path)), TranscriptParameters(model="base"), folder, open_recogniser=open_recogniser
    )


class Interview(Listener):
    """A recogniser that takes what it is asked of for English and Spanish by turns of twelve seconds."""

    def detect_languages(self, window: Samples) -> DetectedLanguages:
        self.asked_s += len(window) / SPEECH_RATE
        language = "en" if self.asked_s // 12 % 2 == 0 else "es"
        return DetectedLanguages(likely=(DetectedLanguage(language=language, probability=0.95),))


@with_voice
def test_a_language_that_comes_back_is_told_once_with_its_times(make_clip: MakeClip, tmp_path: Path) -> None:
    note = transcribed(make_clip, tmp_path, slice(1, None), Interview).note or ""
    other = "es" if "Not all is in en" in note else "en"
    assert note.count(f"{other} from") == 1
    assert ", " in note.partition(f"{other} from")[2].partition(".")[0]


@with_voice
def test_each_part_is_heard_in_its_own_language_and_what_is_not_understood_is_told(
    make_clip: MakeClip, tmp_path: Path
) -> None:
    found = transcribed(make_clip, tmp_path, slice(1, 7), Listener)
    assert [word.text for word in found.words] == ["en", "es"]
    note = found.note or ""
    assert "Not all is in" in note
    assert "No word was understood from 0:0" in note

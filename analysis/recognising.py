"""A speech recogniser: sound of speaking level in, words with their times out, by faster-whisper.

Whoever transcribes is given one, whether it is loaded here or by a process that others use as well.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Protocol, TypeAlias

import ctranslate2
import numpy as np
from annotated_types import Ge, Le, Len
from faster_whisper import BatchedInferencePipeline, WhisperModel
from faster_whisper.transcribe import Segment
from pydantic import Field

from analysis.listening import SPEECH_RATE, Samples
from analysis.models import WhisperModelFiles
from schemas.model import Model
from schemas.speech import SpeechArithmetic, SpeechDevice

#: Windows heard side by side; with more of them it takes more memory and no less work. In the sound that the recogniser
#: is given they begin this far apart.
WINDOWS_AT_ONCE = 4
APART_S = 30
#: The longest window, in samples: Whisper's own.
LONGEST_WINDOW = APART_S * SPEECH_RATE

#: So many of the languages that may be spoken are told.
MOST_LANGUAGES = 10

Beam = Annotated[int, Field(ge=1), Le(10)]
Language: TypeAlias = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]


class RecognisedWord(Model):
    """A word, with the space before it, at ``[start, end)`` seconds; window ``n`` begins at ``n`` times ``APART_S``."""

    start: float
    end: float
    text: str
    probability: float


class RecognisedSegment(Model):
    """Words that were recognised together, up to second ``end`` on the same clock, and what Whisper thinks of them."""

    end: float
    mean_log_probability: float
    compression_ratio: float
    no_speech_probability: float
    words: tuple[RecognisedWord, ...]


class Recognised(Model):
    """What was heard in some windows, one after the other."""

    windows: Annotated[tuple[tuple[RecognisedSegment, ...], ...], Len(1, WINDOWS_AT_ONCE)]


class DetectedLanguage(Model):
    """A language and how probable it is that it is spoken."""

    language: Language
    probability: Annotated[float, Ge(0), Le(1)]


class DetectedLanguages(Model):
    """The languages that may be spoken, the most probable first."""

    likely: Annotated[tuple[DetectedLanguage, ...], Len(1)]


class Recogniser(Protocol):
    """Hears windows of mono sound at ``SPEECH_RATE``, each at most ``LONGEST_WINDOW`` long."""

    def detect_languages(self, window: Samples) -> DetectedLanguages: ...

    def recognise(self, windows: Sequence[Samples], language: str, beam_size: int) -> Recognised:
        """Up to ``WINDOWS_AT_ONCE`` windows side by side; often it stops before the end of one."""


OpenRecogniser = Callable[[WhisperModelFiles], Recogniser]


class WhisperRecogniser:
    """A model that is loaded in this process."""

    def __init__(self, model: WhisperModel) -> None:
        self._model = model

    def detect_languages(self, window: Samples) -> DetectedLanguages:
        """Of the window as it is: filled up to Whisper's own length it takes several times as long to tell."""
        encoded = self._model.encode(self._model.feature_extractor(window, padding=0))
        found = self._model.model.detect_language(encoded)[0][:MOST_LANGUAGES]
        return DetectedLanguages(
            likely=tuple(
                DetectedLanguage(language=token.strip("<|>"), probability=min(1.0, float(probability)))
                for token, probability in found
            )
        )

    def recognise(self, windows: Sequence[Samples], language: str, beam_size: int) -> Recognised:
        sound = np.zeros(len(windows) * LONGEST_WINDOW, np.float32)
        clips: list[dict[str, float]] = []
        for number, window in enumerate(windows):
            sound[number * LONGEST_WINDOW :][: len(window)] = window
            clips.append({"start": number * APART_S, "end": number * APART_S + len(window) / SPEECH_RATE})
        segments, _ = BatchedInferencePipeline(self._model).transcribe(
            sound,
            language=language,
            beam_size=beam_size,
            temperature=0.0,
            without_timestamps=False,
            word_timestamps=True,
            clip_timestamps=clips,
            batch_size=len(clips),
        )
        told: list[list[RecognisedSegment]] = [[] for _ in windows]
        for segment in segments:
            number = segment.seek // (APART_S * self._model.frames_per_second)
            told[number].append(_segment(segment))
        return Recognised(windows=tuple(map(tuple, told)))


def load_recogniser(
    files: WhisperModelFiles,
    device: SpeechDevice = SpeechDevice.AUTO,
    arithmetic: SpeechArithmetic = SpeechArithmetic.AUTO,
    places: int = 1,
) -> WhisperRecogniser:
    """A model loaded here, to be used by so many threads at a time."""
    on = _device(device)
    model = WhisperModel(
        str(files.folder),
        device=on,
        compute_type=_arithmetic(on, arithmetic),
        local_files_only=True,
        num_workers=places,
    )
    return WhisperRecogniser(model)


def _device(wanted: SpeechDevice) -> SpeechDevice:
    if wanted is not SpeechDevice.AUTO:
        return wanted
    return SpeechDevice.CUDA if ctranslate2.get_cuda_device_count() else SpeechDevice.CPU


def _arithmetic(device: SpeechDevice, wanted: SpeechArithmetic) -> SpeechArithmetic:
    """Halves on a GPU that is quick at them, else eight bits."""
    if wanted is not SpeechArithmetic.AUTO:
        return wanted
    quick = device is SpeechDevice.CUDA and "float16" in ctranslate2.get_supported_compute_types("cuda")
    return SpeechArithmetic.FLOAT16 if quick else SpeechArithmetic.INT8


def _segment(segment: Segment) -> RecognisedSegment:
    words = (
        RecognisedWord(start=word.start, end=word.end, text=word.word, probability=word.probability)
        for word in segment.words or ()
    )
    return RecognisedSegment(
        end=segment.end,
        mean_log_probability=segment.avg_logprob,
        compression_ratio=segment.compression_ratio,
        no_speech_probability=segment.no_speech_prob,
        words=tuple(words),
    )

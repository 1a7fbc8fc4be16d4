"""Speech from the bundled eSpeak NG, with the time at which every word begins and ends.

The library's C interface is called directly because only it reports word events; its header ``speak_lib.h`` documents
the structures and constants used here.
"""

import ctypes
import re
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing import get_context

import espeakng_loader
import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

_AUDIO_OUTPUT_SYNCHRONOUS = 2
_CHARS_UTF8 = 1
_POS_CHARACTER = 1
_EVENT_LIST_TERMINATED = 0
_EVENT_WORD = 1
_EVENT_PHONEME = 7
_PHONEME_EVENTS = 1
_PARAMETER_RATE = 1
_PARAMETER_PITCH = 3
_PARAMETER_RANGE = 4

#: Below this share of the loudest sample the synthesiser is between words (about -46 dB).
_AUDIBLE = 0.005


#: The first sound of "the" as the library spells it.
_SOUND_OF_THE = "D"


class VoiceError(RuntimeError):
    """The synthesiser could not be loaded or refused a request."""


@dataclass(frozen=True)
class Voice:
    """A voice as eSpeak NG names it; ``rate`` is in words per minute, ``pitch`` and ``pitch_range`` are 0 to 100."""

    name: str
    rate: int
    pitch: int
    pitch_range: int


@dataclass(frozen=True)
class SpokenWord:
    """A word as written, and where it is heard: ``[start_s, end_s)`` seconds."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Utterance:
    """Synthesised speech: mono samples in -1..1 at ``sample_rate``, without silence at either end."""

    samples: Samples
    sample_rate: int
    words: tuple[SpokenWord, ...]


def speak_all(texts: Sequence[str], voice: Voice) -> list[Utterance]:
    """Say each text, in a process of its own: the library varies its pitch by how much it has said since it was loaded.

    Raises:
        VoiceError: The voice is unknown, or a text cannot be spoken.
    """
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as speaker:
        return speaker.submit(_speak_here, tuple(texts), voice).result()


def _speak_here(texts: tuple[str, ...], voice: Voice) -> list[Utterance]:
    synthesiser = _Synthesiser()
    return [synthesiser.speak(text, voice) for text in texts]


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


_SynthCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass
class _Timing:
    """What the library reported of one utterance: where in the text a word begins and at which sample, and sounds."""

    words: list[tuple[int, int]] = field(default_factory=list)
    phonemes: list[tuple[str, int]] = field(default_factory=list)


class _Synthesiser:
    """The library, loaded. It keeps its state for the whole process."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data_path = espeakng_loader.get_data_path().encode()
        self._sample_rate = self._library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, data_path, _PHONEME_EVENTS)
        if self._sample_rate <= 0:
            raise VoiceError("eSpeak NG did not start: its data folder could not be read.")
        self._chunks: list[Samples] = []
        self._timing = _Timing()
        self._callback = _SynthCallback(self._receive)
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, voice: Voice) -> Utterance:
        self._select(voice)
        self._chunks, self._timing = [np.zeros(0, np.float32)], _Timing()
        encoded = text.encode()
        status = self._library.espeak_Synth(
            encoded, ctypes.c_size_t(len(encoded) + 1), 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None
        )
        self._check(status, f"synthesis of {text!r}")
        return _trimmed(text, np.concatenate(self._chunks), self._timing, self._sample_rate)

    def _select(self, voice: Voice) -> None:
        self._check(self._library.espeak_SetVoiceByName(voice.name.encode()), f"voice {voice.name!r}")
        settings = {_PARAMETER_RATE: voice.rate, _PARAMETER_PITCH: voice.pitch, _PARAMETER_RANGE: voice.pitch_range}
        for parameter, value in settings.items():
            self._check(self._library.espeak_SetParameter(parameter, value, 0), f"parameter {parameter} = {value}")

    def _receive(
        self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, events: "ctypes._Pointer[_Event]"
    ) -> int:
        if count > 0:
            block = np.ctypeslib.as_array(samples, shape=(count,))
            self._chunks.append(np.asarray(block, np.float32) / np.float32(32768))
        index = 0
        while events[index].type != _EVENT_LIST_TERMINATED:
            event = events[index]
            if event.type == _EVENT_WORD:
                self._timing.words.append((event.text_position - 1, event.sample))
            elif event.type == _EVENT_PHONEME:
                self._timing.phonemes.append((event.id.string.decode(errors="replace"), event.sample))
            index += 1
        return 0

    @staticmethod
    def _check(status: int, what: str) -> None:
        if status != 0:
            raise VoiceError(f"eSpeak NG refused: {what} (status {status}).")


def _trimmed(text: str, samples: Samples, timing: _Timing, sample_rate: int) -> Utterance:
    audible = np.flatnonzero(np.abs(samples) > _AUDIBLE * np.abs(samples).max(initial=0))
    if not audible.size:
        raise VoiceError(f"Nothing can be heard of {text!r}.")
    first, last = int(audible[0]), int(audible[-1]) + 1
    starts = _word_starts(text, timing)
    words: list[SpokenWord] = []
    for (written, begin), (_, end) in pairwise([*starts, ("", len(samples))]):
        inside = audible[np.searchsorted(audible, begin) : np.searchsorted(audible, end)]
        if not inside.size:
            raise VoiceError(f"{written!r} cannot be heard in {text!r}.")
        start_s, end_s = (int(inside[0]) - first) / sample_rate, (int(inside[-1]) + 1 - first) / sample_rate
        words.append(SpokenWord(written, start_s, end_s))
    return Utterance(samples[first:last], sample_rate, tuple(words))


def _word_starts(text: str, timing: _Timing) -> list[tuple[str, int]]:
    """Each written word and the sample at which it begins.

    A written word may give several events ("45" is read as two words): it begins with the first. The library reports
    "of the" and its like as one word: there "the" begins with its own sound.
    """
    reported = {_written_word_start(text, position): sample for position, sample in reversed(timing.words)}
    starts: list[tuple[str, int]] = []
    for match in re.finditer(r"\S+", text):
        sample = reported.get(match.start())
        if sample is None:
            sample = _sound_of_the(match.group(), starts, timing)
        starts.append((match.group(), sample))
    return starts


def _sound_of_the(written: str, before: list[tuple[str, int]], timing: _Timing) -> int:
    if written == "the" and before:
        for phoneme, sample in timing.phonemes:
            if sample > before[-1][1] and phoneme.startswith(_SOUND_OF_THE):
                return sample
    raise VoiceError(f"eSpeak NG did not say when {written!r} begins.")


def _written_word_start(text: str, position: int) -> int:
    return text.rfind(" ", 0, position + 1) + 1

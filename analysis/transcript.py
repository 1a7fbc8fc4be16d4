"""What is said, word by word, by faster-whisper on the parts where somebody speaks."""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from operator import attrgetter
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Len
from pydantic import Field

from analysis.fillers import find_fillers
from analysis.hearing import LEVEL_FRAME, span_of
from analysis.listening import SPEECH_RATE, Samples, Waveform
from analysis.models import WhisperModelFiles, find_whisper
from analysis.parts import Parts
from analysis.progressing import in_steps, stage
from analysis.recognising import (
    APART_S,
    LONGEST_WINDOW,
    WINDOWS_AT_ONCE,
    Beam,
    DetectedLanguages,
    Language,
    OpenRecogniser,
    RecognisedSegment,
    Recogniser,
    load_recogniser,
)
from analysis.recording import Recording
from analysis.spoken_languages import Run, Tongue, Tongues, one_language, tell_languages
from analysis.timed_words import TimedWord
from analysis.voice import levels_dbfs, normalised, speaking_gain, speech_runs
from analysis.words import refine
from schemas.facts import Transcript, Word
from schemas.model import Model
from schemas.progress import ProgressCallback, ignore_progress

#: Longest stretch heard at once; Whisper's window is 30 s.
MAX_WINDOW_S = 28
#: What is left of a window is heard on its own if it is longer than this, and if that made some headway before.
MIN_REST_S = 1.0
MIN_HEADWAY_S = 0.5
#: Windows that make a part, which is not heard again: some six minutes of speech.
WINDOWS_IN_PART = 3 * WINDOWS_AT_ONCE
#: Sound kept around each stretch of speech, so that its first and last consonants are heard.
MARGIN_S = 0.25
#: Pauses are shortened to twice the margin: in long silences Whisper invents words and misplaces real ones.
#: A segment less likely than this on average, or this repetitive (Whisper's own limits), is invented.
MIN_LOG_PROBABILITY = -1.2
MAX_COMPRESSION_RATIO = 2.4
#: A segment that is probably no speech must at least be likely as text.
NO_SPEECH_PROBABILITY = 0.6
NO_SPEECH_LOG_PROBABILITY = -0.7
#: The same words this often in a row are a loop, not a speaker.
MAX_REPEATS = 3
_LONGEST_REPEATED_PHRASE = 6
#: Below this mean word probability an English-only model has probably heard another language.
DOUBTFUL_PROBABILITY = 0.5
#: So much speech without a word is told of, in seconds, and so many times of it.
UNWORDED_S = 4
TIMES_TOLD = 5
#: No word is longer, in frames of 10 ms.
_LONGEST_WORD = 300

ModelName = Annotated[str, Field(max_length=400)]


class TranscriptParameters(Model):
    """Which recogniser (``None``: the best to be had), language (ISO 639; ``None``: detect) and width of search.

    Once settled, ``model`` is the one that is used, ``weights`` a digest of it, and ``wanted`` the one that could not
    be had.
    """

    model: ModelName | None = None
    language: Language | None = None
    beam_size: Beam = 5
    weights: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")] | None = None
    wanted: ModelName | None = None


@dataclass(frozen=True)
class _Piece:
    """Samples ``[start, end)`` of the recording that lie at ``at`` in a window."""

    at: int
    start: int
    end: int

    @property
    def window_end(self) -> int:
        return self.at + self.end - self.start


@dataclass(frozen=True)
class _Window:
    """What is heard at once, all of it taken to be in one language."""

    pieces: list[_Piece]
    language: str

    @property
    def span(self) -> tuple[int, int, str]:
        return self.pieces[0].start, self.pieces[-1].end, self.language


class HeardPart(Model):
    """What was heard in windows one after the other, as it was recognised.

    Each window by its first sample, the one after its last and its language, so that nothing is heard twice or missed
    where another machine places them elsewhere.
    """

    windows: Annotated[tuple[tuple[int, int, str], ...], Len(1)]
    words: tuple[TimedWord, ...]


@dataclass(frozen=True)
class _Sounding:
    """A recording, and the factor that brings it to speaking level."""

    wave: Waveform
    gain: float

    def of(self, runs: Sequence[Run]) -> Samples:
        return normalised(np.concatenate([self.wave[start:end] for start, end in runs]), self.gain)


@dataclass(frozen=True)
class _Speech:
    """The windows of a recording in which somebody speaks."""

    sounding: _Sounding
    windows: list[_Window]

    @property
    def spans(self) -> tuple[tuple[int, int, str], ...]:
        return tuple(window.span for window in self.windows)

    def continues(self, before: Sequence[HeardPart], part: HeardPart) -> bool:
        """Whether the part is what was heard in the windows after those of the parts before."""
        done = sum(len(one.windows) for one in before)
        return self.spans[done : done + len(part.windows)] == part.windows

    def sound_of(self, window: _Window) -> Samples:
        return self.sounding.of([(piece.start, piece.end) for piece in window.pieces])


@dataclass(frozen=True)
class _TimedSegment:
    """Words recognised together, and the second of their times at which their window begins."""

    segment: RecognisedSegment
    zero_s: float


@dataclass
class _Heard:
    """A window, and what was heard in it up to a second of it; ``math.inf`` once there is no more to hear."""

    window: _Window
    sound: Samples
    until_s: float = 0.0
    segments: list[_TimedSegment] = field(default_factory=list)

    @property
    def has_more(self) -> bool:
        return len(self.sound) / SPEECH_RATE - self.until_s > MIN_REST_S

    def go_on(self, segments: Sequence[RecognisedSegment], start_s: float) -> None:
        """What was heard next, where the sound that was given for it began at ``start_s``."""
        zero_s = start_s - self.until_s
        self.segments += [_TimedSegment(segment, zero_s) for segment in segments]
        until_s = segments[-1].end - zero_s if segments else math.inf
        self.until_s = until_s if until_s > self.until_s + MIN_HEADWAY_S else math.inf


@dataclass(frozen=True)
class _Hearing:
    """A recogniser at work, and what it was asked for."""

    recogniser: Recogniser
    files: WhisperModelFiles
    parameters: TranscriptParameters
    tongues: Tongues


def transcribe(
    recording: Recording,
    parameters: TranscriptParameters,
    models: Path,
    progress: ProgressCallback = ignore_progress,
    *,
    parts: Parts | None = None,
    open_recogniser: OpenRecogniser = load_recogniser,
) -> Transcript:
    """What is said in a recording. No speech, no words; no recogniser, no words and a note.

    The parts that are kept already are not heard again; a recogniser is opened only where there is speech.

    Raises:
        CinemaError: ``model_unavailable`` for a model name that nobody knows.
    """
    files = None if parameters.model == "none" else find_whisper(parameters.model, models)
    if files is None:
        return Transcript(model=None, note="No speech recogniser could be had; the edit goes by sound alone.")
    if files.english_only and parameters.language not in {None, "en"}:
        note = f"The recogniser {files.name} knows English only, and the language is {parameters.language}."
        return Transcript(model=None, note=f"{note} The edit goes by sound alone.")
    progress = in_steps(progress)
    wave = recording.wave
    runs = speech_runs(recording.voice(stage(progress, 0, 0.1)))
    if not runs:
        progress(1.0)
        return Transcript(model=files.name, note="Nobody speaks.")
    sounding = _Sounding(wave, speaking_gain(levels_dbfs(wave, LEVEL_FRAME)))
    recogniser = open_recogniser(files)
    known = "en" if files.english_only else parameters.language
    if known is not None:
        tongues = one_language(known, 0.0 if files.english_only else 1.0, runs)
    else:
        tongues = _detected(recogniser, sounding, runs, stage(progress, 0.1, 0.2))
    hearing = _Hearing(recogniser, files, parameters, tongues)
    speech = _Speech(sounding, _windows(tongues, len(wave)))
    parts = parts or Parts()
    words = list(_words(hearing, speech, parts, stage(progress, 0.2, 1)))
    progress(1.0)
    return _as_transcript(hearing, without_loops(words), recording)


def _windows(tongues: Tongues, limit: int) -> list[_Window]:
    """Windows of one language each."""
    windows: list[_Window] = []
    for tongue in tongues.spoken:
        after = windows[-1].pieces[-1].end if windows else 0
        windows += [_Window(pieces, tongue.language) for pieces in pack(tongue.runs, limit, after=after)]
    return windows


def pack(runs: Sequence[Run], limit: int, *, after: int = 0) -> list[list[_Piece]]:
    """Stretches of speech, with margins, side by side in windows of at most ``MAX_WINDOW_S``.

    Nothing lies before sample ``after``, or behind ``limit``.
    """
    margin, longest = round(MARGIN_S * SPEECH_RATE), MAX_WINDOW_S * SPEECH_RATE
    windows: list[list[_Piece]] = []
    room, last_end = 0, after
    for start, end in _cut_up(runs, longest - 2 * margin):
        start, end = max(last_end, start - margin), min(limit, end + margin)  # noqa: PLW2901  # widened in place
        if end - start > room:
            windows.append([])
            room = longest
        windows[-1].append(_Piece(longest - room, start, end))
        room -= end - start
        last_end = end
    return windows


def _cut_up(runs: Sequence[Run], longest: int) -> Iterator[tuple[int, int]]:
    for start, end in runs:
        parts = -(-(end - start) // longest)
        edges = np.linspace(start, end, parts + 1).astype(int)
        yield from ((int(a), int(b)) for a, b in pairwise(edges))


def _detected(recogniser: Recogniser, sounding: _Sounding, runs: Sequence[Run], progress: ProgressCallback) -> Tongues:
    """What the recogniser takes each passage for, heard with the sound around it."""
    last, margin = runs[-1][1], round(MARGIN_S * SPEECH_RATE)

    def detect(passage: Sequence[Run]) -> DetectedLanguages:
        around = sounding.of([(max(0, start - margin), end + margin) for start, end in passage])
        detected = recogniser.detect_languages(around[:LONGEST_WINDOW])
        progress(passage[-1][1] / last)
        return detected

    return tell_languages(runs, detect)


def _words(hearing: _Hearing, speech: _Speech, parts: Parts, progress: ProgressCallback) -> Iterator[TimedWord]:
    """What was heard before, then the windows that are left, kept part by part; the end needs no keeping."""
    heard = parts.found(HeardPart, speech.continues)
    for part in heard:
        yield from part.words
    count = len(speech.windows)
    for start in range(sum(len(part.windows) for part in heard), count, WINDOWS_IN_PART):
        end = min(count, start + WINDOWS_IN_PART)
        telling = stage(progress, start / count, end / count)
        words = tuple(_recognise(hearing, speech, speech.windows[start:end], telling))
        if end < count:
            parts.keep(HeardPart(windows=speech.spans[start:end], words=words))
        yield from words


def _recognise(
    hearing: _Hearing, speech: _Speech, windows: Sequence[_Window], progress: ProgressCallback
) -> Iterator[TimedWord]:
    done = 0
    for together in _side_by_side(windows):
        heard = [_Heard(window, speech.sound_of(window)) for window in together]
        while unheard := [one for one in heard if one.has_more]:
            _hear_on(hearing, together[0].language, unheard)
        for one in heard:
            for timed in one.segments:
                if _believable(timed.segment):
                    yield from _placed(timed, one.window.pieces)
        done += len(together)
        progress(done / len(windows))


def _side_by_side(windows: Sequence[_Window]) -> Iterator[list[_Window]]:
    """As many at a time as are heard at once, all of a language."""
    for _, group in groupby(windows, key=attrgetter("language")):
        alike = list(group)
        for first in range(0, len(alike), WINDOWS_AT_ONCE):
            yield alike[first : first + WINDOWS_AT_ONCE]


def _hear_on(hearing: _Hearing, language: str, together: Sequence[_Heard]) -> None:
    """Recognise the next of what is left in some windows, side by side; often the recogniser stops before the end."""
    rests = [one.sound[round(one.until_s * SPEECH_RATE) :] for one in together]
    recognised = hearing.recogniser.recognise(rests, language, hearing.parameters.beam_size)
    for number, (one, heard) in enumerate(zip(together, recognised.windows, strict=True)):
        one.go_on(heard, number * APART_S)


def _believable(segment: RecognisedSegment) -> bool:
    if segment.mean_log_probability < MIN_LOG_PROBABILITY or segment.compression_ratio > MAX_COMPRESSION_RATIO:
        return False
    return bool(
        segment.no_speech_probability < NO_SPEECH_PROBABILITY
        or segment.mean_log_probability > NO_SPEECH_LOG_PROBABILITY
    )


def _placed(segment: _TimedSegment, window: list[_Piece]) -> Iterator[TimedWord]:
    """A segment's words in the recording, each within the one piece of the window that holds most of it."""
    for text, starts, ends, probability in _whole_words(segment):
        start, end = round(starts * SPEECH_RATE), round(ends * SPEECH_RATE)
        piece = max(window, key=lambda one: min(end, one.window_end) - max(start, one.at))
        shift = piece.start - piece.at
        first = min(max(start + shift, piece.start), piece.end) // LEVEL_FRAME
        last = -(-min(max(end + shift, piece.start), piece.end) // LEVEL_FRAME)
        yield TimedWord(first, min(last, first + _LONGEST_WORD), text, float(np.clip(probability, 0, 1)))


def _whole_words(timed: _TimedSegment) -> Iterator[tuple[str, float, float, float]]:
    """Text, times in seconds and probability of each word; a part after a hyphen belongs to the word before."""
    whole: list[tuple[str, float, float, float]] = []
    for word in timed.segment.words:
        begins, ends = word.start - timed.zero_s, word.end - timed.zero_s
        if whole and not word.text.startswith(" "):
            text, start, _, probability = whole.pop()
            whole.append((text + word.text.strip(), start, ends, min(probability, word.probability)))
        else:
            whole.append((word.text.strip(), begins, ends, word.probability))
    return (word for word in whole if re.search(r"\w", word[0]))


def without_loops(words: list[TimedWord]) -> list[TimedWord]:
    """Words without the repetitions a recogniser falls into over music and noise."""
    spoken = [re.sub(r"\W", "", word.text).lower() for word in words]
    kept: list[TimedWord] = []
    position = 0
    while position < len(words):
        length, times = _loop_at(spoken, position)
        if times > MAX_REPEATS:
            kept += words[position : position + length]
            position += length * times
        else:
            kept.append(words[position])
            position += 1
    return kept


def _loop_at(spoken: list[str], position: int) -> tuple[int, int]:
    """The phrase at a position that is repeated most often in a row: its length in words, and how often."""
    best = (1, 1)
    for length in range(1, _LONGEST_REPEATED_PHRASE + 1):
        phrase = spoken[position : position + length]
        times = 1
        while spoken[position + times * length : position + (times + 1) * length] == phrase:
            times += 1
        if len(phrase) == length and times > best[1]:
            best = (length, times)
    return best


def _as_transcript(hearing: _Hearing, words: list[TimedWord], recording: Recording) -> Transcript:
    refined = refine(words, recording.hearing, hearing.files.name)
    limit = len(recording.wave)
    told = []
    for word in refined:
        span = span_of(word.start * LEVEL_FRAME, word.end * LEVEL_FRAME, limit)
        told.append(Word(start_us=span.start_us, end_us=span.end_us, text=word.text, probability=word.probability))
    return Transcript(
        model=hearing.files.name,
        language=hearing.tongues.language,
        language_probability=min(1.0, hearing.tongues.probability),
        words=tuple(told),
        fillers=find_fillers(recording.wave, recording.hearing, refined),
        note=_note(hearing, refined, speech_runs(recording.voice())),
    )


def _note(hearing: _Hearing, words: list[TimedWord], runs: Sequence[Run]) -> str | None:
    name = hearing.files.name
    wanted = hearing.parameters.wanted or hearing.parameters.model
    if not words:
        return f"Somebody seems to speak, but {name} understood no word."
    if hearing.files.english_only and np.mean([word.probability for word in words]) < DOUBTFUL_PROBABILITY:
        return f"{name} knows English only and is unsure of what it heard; the language may be another."
    notes = []
    if wanted is not None and not hearing.files.answers_to(wanted):
        notes.append(f"The speech model {wanted} could not be had; {name} was used instead.")
    if others := [tongue for tongue in hearing.tongues.spoken if tongue.language != hearing.tongues.language]:
        notes.append(f"Not all is in {hearing.tongues.language}: {_told(others)}.")
    if missed := _without_words(words, runs):
        notes.append(f"No word was understood from {_times(missed)}; it may be in another language, or no speech.")
    return " ".join(notes) or None


def _told(tongues: Sequence[Tongue]) -> str:
    """Each language once, with the first few times at which it is spoken."""
    spoken: dict[str, list[Run]] = {}
    for tongue in tongues:
        spoken.setdefault(tongue.language, []).append((tongue.runs[0][0], tongue.runs[-1][1]))
    return ", ".join(f"{language} from {_times(runs)}" for language, runs in spoken.items())


def _times(runs: Sequence[Run]) -> str:
    """The first few of some runs, for people: 1:05 to 1:20."""
    told = ", ".join(f"{_clock(start)} to {_clock(end)}" for start, end in runs[:TIMES_TOLD])
    return told if len(runs) <= TIMES_TOLD else f"{told} and {len(runs) - TIMES_TOLD} more"


def _clock(sample: int) -> str:
    minutes, seconds = divmod(sample // SPEECH_RATE, 60)
    return f"{minutes}:{seconds:02}"


def _without_words(words: Sequence[TimedWord], runs: Sequence[Run]) -> list[Run]:
    """Where so much speech came between two words, or before the first or after the last, that some must be missing."""
    edges = [0, *(edge * LEVEL_FRAME for word in words for edge in (word.start, word.end)), runs[-1][1]]
    begins, ends = zip(*runs, strict=True)
    missed = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        within = runs[bisect_right(ends, start) : bisect_left(begins, end)]
        spoken = [(max(start, a), min(end, b)) for a, b in within]
        if sum(b - a for a, b in spoken) >= UNWORDED_S * SPEECH_RATE:
            missed.append((spoken[0][0], spoken[-1][1]))
    return missed

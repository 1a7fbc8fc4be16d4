"""Words as a cutter needs them: in order, apart, in whole frames, and grouped into sentences."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from director.style import (
    LONGEST_SENTENCE_WORDS,
    ROOM_ANSWER_US,
    SENTENCE_PAUSE_US,
    UNPUNCTUATED_PAUSE_US,
    UNWORDED_SPEECH_US,
    WORD_REACH_US,
    WORDS_PER_FULL_STOP,
)
from director.timeline import PictureClock
from schemas.facts import Sound, Span, Transcript

_FULL_STOPS = (".", "!", "?", "…", "。", "！", "？", "।", "؟", "۔")  # noqa: RUF001 (full stops of other scripts)
_COMMAS = (",", ";", ":", "—", "–", "、", "，", "；", "،", "؛")  # noqa: RUF001 (commas of other scripts)
#: What a phrase may end with, in all scripts.
PHRASE_ENDS = _FULL_STOPS + _COMMAS
_CLOSERS = "\"'”’»)]}」』"  # noqa: RUF001 (closing quotes are curly on purpose)
_ABBREVIATIONS = frozenset(
    {
        "mr.",
        "mrs.",
        "ms.",
        "dr.",
        "prof.",
        "sr.",
        "jr.",
        "st.",
        "vs.",
        "etc.",
        "e.g.",
        "i.e.",
        "fig.",
        "approx.",
        "inc.",
        "ltd.",
        "co.",
    }
    # German, French, Spanish, Portuguese, Italian.
    | {"z.", "d.", "z.b.", "d.h.", "bzw.", "usw.", "ca.", "nr.", "str.", "evtl.", "ggf.", "mme.", "mlle."}
    | {"sra.", "srta.", "ud.", "uds.", "dra.", "av.", "núm.", "sig.", "sig.ra", "dott.", "ecc.", "pág.", "pag."}
)


#: Marks that some languages write apart from the word before, by a space that no line breaks at.
_MARKS_APART = frozenset({"?", "!", ":", ";"})
_MARK_SPACE = "\N{NO-BREAK SPACE}"

#: No word is longer; what a recogniser gives beyond it is noise.
_LONGEST_WORD = 80


#: Voice is told in steps of about so long.
_CUT_SLACK_US = 32_000


class Spoken(NamedTuple):
    """A word in frames ``[start, end)`` of its source; ``text`` is empty for speech that no recogniser put in words.

    ``glued`` words overlap the one before, so that nothing can be cut between them. ``start_us`` and ``end_us`` are
    the same in media-clock time, for evidence. A ``filler`` is a sound of hesitation that no text tells of. ``certain``
    is the recogniser's probability.
    """

    text: str
    start: int
    end: int
    start_us: int
    end_us: int
    glued: bool = False
    filler: bool = False
    certain: float = 1.0

    @property
    def ends_sentence(self) -> bool:
        if self.text[-1:].isalnum():
            return False
        bare = self.text.rstrip(_CLOSERS)
        return bare.endswith(_FULL_STOPS) and not _is_abbreviation(bare)

    @property
    def ends_phrase(self) -> bool:
        return not self.text[-1:].isalnum() and (self.ends_sentence or self.text.rstrip(_CLOSERS).endswith(_COMMAS))

    @property
    def trails_off(self) -> bool:
        return self.text.endswith(("...", "…", "-", "—", "–"))  # noqa: RUF001 (dashes as recognisers write them)


class _Heard(NamedTuple):
    """A word, or voice without words, in media-clock time."""

    start_us: int
    end_us: int
    text: str = ""
    filler: bool = False
    certain: float = 1.0

    def order(self) -> tuple[int, int, str]:
        return self.start_us, self.end_us, self.text


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words ``[first, end)`` of one source; whether a sentence begins with the first and ends with the last of them."""

    first: int
    end: int
    opens: bool
    closes: bool


def spoken_words(
    transcript: Transcript | None,
    sound: Sound | None,
    clock: PictureClock,
    shot_bounds: Sequence[int],
    quiet_nearby: Sequence[tuple[int, int]] = (),
) -> tuple[Spoken, ...]:
    """Everything said while there is a picture: the transcript's words, its fillers, and voice that has neither.

    A word that begins or ends within half a frame of a change of shot begins or ends with it, and so does one whose
    voice is over by then. ``quiet_nearby`` are the silences of a recording that was made nearer to the speaker, in
    order and apart.
    """
    worded = list(_clean_words(transcript)) if transcript else []
    voice = merged_spans(sound.speech) if sound else []
    silences = merged_spans(sound.silences) if sound else []
    worded = _without_the_room(_reaching_to_silence(worded, silences), quiet_nearby)
    worded = _within_their_shot(worded, voice, [clock.us(bound) for bound in shot_bounds])
    fillers = list(_fillers(transcript, worded)) if transcript and worded else []
    told = sorted((heard.start_us, heard.end_us) for heard in (*worded, *fillers))
    unworded = [
        _Heard(start, end)
        for start, end in _without(_without(voice, told), silences)
        if not worded or end - start >= UNWORDED_SPEECH_US
    ]
    return _in_frames(sorted([*worded, *fillers, *unworded], key=_Heard.order), clock, frozenset(shot_bounds))


def sentences_of(words: Sequence[Spoken], clock: PictureClock) -> tuple[Sentence, ...]:
    """Groups words into sentences by punctuation and pauses; by pauses alone where the text has no punctuation."""
    stops = sum(word.ends_sentence for word in words)
    punctuated = stops * WORDS_PER_FULL_STOP >= len(words)
    pause = clock.length(SENTENCE_PAUSE_US if punctuated else UNPUNCTUATED_PAUSE_US)
    bounds = list(_split_long(words, _sentence_bounds(words, pause)))
    torn = _torn_apart(words) if punctuated else frozenset()
    return tuple(_sentence(words, first, end, torn, punctuated=punctuated) for first, end in pairwise(bounds))


def _sentence(words: Sequence[Spoken], first: int, end: int, torn: frozenset[int], *, punctuated: bool) -> Sentence:
    said = [word for word in words[first:end] if not word.filler]
    has_text = any(word.text for word in said)
    before = next((words[at] for at in range(first - 1, max(-1, first - 4), -1) if not words[at].filler), None)
    opens = (before is None or not before.text or before.ends_sentence) and first not in torn
    closes = bool(said) and said[-1].ends_sentence and not said[-1].trails_off and end not in torn
    return Sentence(first, end, has_text and (opens or not punctuated), has_text and (closes or not punctuated))


def _torn_apart(words: Sequence[Spoken]) -> frozenset[int]:
    """Words in small letters after a full stop, which the recogniser put into the midst of a sentence.

    None of them says so in a text that begins its sentences in small letters.
    """
    starts = [at for at, (before, word) in enumerate(pairwise(words), start=1) if before.ends_sentence and word.text]
    small = frozenset(at for at in starts if words[at].text[0].islower())
    return small if 2 * len(small) < len(starts) else frozenset()


def _sentence_bounds(words: Sequence[Spoken], pause: int) -> Iterator[int]:
    if words:
        yield 0
    for index, (word, after) in enumerate(pairwise(words), start=1):
        turn = bool(word.text) != bool(after.text) and not (word.filler or after.filler)
        if not after.glued and (turn or word.ends_sentence or after.start - word.end >= pause):
            yield index
    if words:
        yield len(words)


def _split_long(words: Sequence[Spoken], bounds: Iterable[int]) -> Iterator[int]:
    previous: int | None = None
    for bound in bounds:
        while previous is not None and bound - previous > LONGEST_SENTENCE_WORDS:
            previous = _widest_pause(words, previous, previous + LONGEST_SENTENCE_WORDS)
            yield previous
        yield bound
        previous = bound


def _widest_pause(words: Sequence[Spoken], first: int, end: int) -> int:
    """Where between ``first`` and ``end`` to split: the widest pause, commas first, later ones on a tie."""
    inside = range(first + (end - first) // 3, end + 1)
    return max(
        inside, key=lambda i: (not words[i].glued, words[i - 1].ends_phrase, words[i].start - words[i - 1].end, i)
    )


def _is_abbreviation(text: str) -> bool:
    initial = len(text) == 2 and text[0].isalpha() and text[0].isupper() and text[0] != "I"
    return text.lower() in _ABBREVIATIONS or initial


def _clean_words(transcript: Transcript) -> Iterator[_Heard]:
    """What can be printed; a mark that stands apart, as French writes "?", belongs to the word before it."""
    waiting: _Heard | None = None
    for word in transcript.words:
        text = word.text if word.text.isalnum() else _clean(word.text)
        if any(character.isalnum() for character in text):
            if waiting:
                yield waiting
            waiting = _Heard(word.start_us, word.end_us, text[:_LONGEST_WORD], certain=word.probability)
        elif waiting and waiting.text[-1:].isalnum() and text in _MARKS_APART:
            waiting = waiting._replace(text=waiting.text + _MARK_SPACE + text)
    if waiting:
        yield waiting


def _clean(text: str) -> str:
    """Without what cannot be printed, and with single spaces."""
    printable = text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.split())


def _fillers(transcript: Transcript, worded: Sequence[_Heard]) -> Iterator[_Heard]:
    """Fillers found by ear, where the text has no word."""
    if not transcript.fillers:
        return
    written = merged_spans([Span(start_us=word.start_us, end_us=word.end_us) for word in worded])
    for start, end in merged_spans(transcript.fillers):
        if _without([(start, end)], written) == [(start, end)]:
            yield _Heard(start, end, filler=True)


def _reaching_to_silence(words: Sequence[_Heard], silences: Sequence[tuple[int, int]]) -> list[_Heard]:
    """Recognisers clip words; where the waveform falls silent a little later (or earlier), the word reaches there."""
    starts, ends = [s for s, _ in silences], [e for _, e in silences]
    ordered = sorted(words, key=_Heard.order)
    reached = []
    for index, word in enumerate(ordered):
        before = ordered[index - 1].end_us if index else 0
        after = ordered[index + 1].start_us if index + 1 < len(ordered) else None
        start = _last_end_before(ends, starts, word.start_us)
        end = _next_start_after(starts, ends, word.end_us)
        if start is None or word.start_us - start > WORD_REACH_US or start < before:
            start = word.start_us
        if end is None or end - word.end_us > WORD_REACH_US or (after is not None and end > after):
            end = word.end_us
        reached.append(_moved(word, start, end))
    return reached


def _without_the_room(words: Sequence[_Heard], quiet: Sequence[tuple[int, int]]) -> list[_Heard]:
    """Words as they end nearby: what a camera hears of one after it has ended is the room, which answers for long."""
    starts = [start for start, _ in quiet]
    dry = []
    for word in words:
        around = bisect_left(starts, word.end_us) - 1
        begun, over = quiet[around] if around >= 0 else (word.end_us, word.end_us)
        is_answer = word.start_us < begun < word.end_us <= over and word.end_us - begun <= ROOM_ANSWER_US
        dry.append(_moved(word, word.start_us, begun if is_answer else word.end_us))
    return dry


def _within_their_shot(
    words: Sequence[_Heard], voice: Sequence[tuple[int, int]], bounds: Sequence[int]
) -> list[_Heard]:
    """Words without what is heard of another shot: recognisers let the last one before a cut last into its noise."""
    kept = []
    for word in words:
        after = bisect_right(bounds, word.start_us)
        bound = bounds[after] if after < len(bounds) else word.end_us
        heard = bisect_left(voice, (word.end_us,)) - 1
        over = voice[heard][1] if heard >= 0 else word.end_us
        is_over = word.start_us < over <= bound + _CUT_SLACK_US
        kept.append(_moved(word, word.start_us, min(bound, word.end_us) if is_over else word.end_us))
    return kept


def _moved(word: _Heard, start_us: int, end_us: int) -> _Heard:
    """The word at these times; most words stay as they are, and there may be a day of them."""
    stays = (start_us, end_us) == (word.start_us, word.end_us)
    return word if stays else word._replace(start_us=start_us, end_us=end_us)


def _last_end_before(ends: Sequence[int], starts: Sequence[int], at: int) -> int | None:
    index = bisect_right(ends, at)
    inside = index < len(starts) and starts[index] < at
    return None if index == 0 or inside else ends[index - 1]


def _next_start_after(starts: Sequence[int], ends: Sequence[int], at: int) -> int | None:
    index = bisect_left(starts, at)
    inside = index > 0 and ends[index - 1] > at
    return None if index == len(starts) or inside else starts[index]


def merged_spans(spans: Sequence[Span]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted((span.start_us, span.end_us) for span in spans if span.duration_us):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _without(spans: Sequence[tuple[int, int]], holes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """What is left of ``spans`` (in order, apart) outside ``holes`` (in order of start)."""
    left: list[tuple[int, int]] = []
    first = 0
    for start, end in spans:
        while first < len(holes) and holes[first][1] <= start:
            first += 1
        position, index = start, first
        while index < len(holes) and holes[index][0] < end:
            if holes[index][0] > position:
                left.append((position, holes[index][0]))
            position = max(position, holes[index][1])
            index += 1
        if position < end:
            left.append((position, end))
    return left


def _in_frames(words: Sequence[_Heard], clock: PictureClock, shot_bounds: frozenset[int]) -> tuple[Spoken, ...]:
    """Whole frames around each word. Words that touch share the frame boundary nearest to where they meet."""
    frame_us = clock.length_us(1)
    placed: list[_Heard] = []
    glueds: list[bool] = []
    starts: list[int] = []
    ends: list[int] = []
    reach_us = 0
    for word in words:
        first, last = clock.nearest_frame(word.start_us), clock.nearest_frame(word.end_us)
        start = max(0, first if first in shot_bounds else clock.frame_at_or_before(word.start_us))
        end = max(last if last in shot_bounds else clock.frame_at_or_after(word.end_us), start + 1)
        end = min(clock.frames, end)
        if start >= end or clock.frame_at_or_after(word.end_us) <= 0:
            continue
        glued = False
        if ends and start < ends[-1]:
            meeting = clock.nearest_frame(word.start_us)
            if reach_us - word.start_us <= frame_us and starts[-1] < meeting < end:
                ends[-1] = start = meeting
            else:
                start, glued = ends[-1], True
                end = max(start, end)
        placed.append(word)
        glueds.append(glued)
        starts.append(start)
        ends.append(end)
        reach_us = max(reach_us, word.end_us)
    return tuple(
        Spoken(word.text, start, end, word.start_us, word.end_us, glued, word.filler, word.certain)
        for word, glued, start, end in zip(placed, glueds, starts, ends, strict=True)
    )

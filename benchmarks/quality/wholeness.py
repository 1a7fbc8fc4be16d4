"""Whether an edit says whole sentences, a clause that stands by itself, or breaks off: by the words and their times."""

from collections.abc import Sequence
from enum import Enum, auto

from schemas.edl import EDL, SAMPLE_RATE, AudioRole
from schemas.facts import Word
from schemas.timebase import frame_to_us, sample_to_us

_ENDS_SENTENCE = (".", "?", "!", "…")
_ENDS_CLAUSE = (",", ";", ":", "—")
_JOINTS = frozenset({"and", "but", "or", "so", "yet", "nor"})
_SUBJECTS = frozenset({"i", "you", "we", "they", "he", "she", "it", "there"})
#: A word's edge may lie this far outside the sound that was kept: rounding to frames.
_SLACK_US = 50_000
#: A clause is heard as one where a pause this long bounds it.
_PAUSE_US = 150_000


class Wholeness(Enum):
    """The best that can be said of both ends of an edit."""

    SENTENCE = auto()
    CLAUSE = auto()
    BROKEN = auto()


def wholeness(edit: EDL, words: Sequence[Word]) -> Wholeness:
    """What an edit begins and ends with; a full stop that small letters follow ends no sentence."""
    first, end = _said(edit, words)
    if first == end:
        return Wholeness.BROKEN
    if _is_between_sentences(words, first) and _is_between_sentences(words, end):
        return Wholeness.SENTENCE
    begins = _is_between_sentences(words, first) or (_is_between_clauses(words, first) and _has_subject(words, first))
    ends = _is_between_sentences(words, end) or (_is_between_clauses(words, end) and _joins(words, end))
    return Wholeness.CLAUSE if begins and ends else Wholeness.BROKEN


def _said(edit: EDL, words: Sequence[Word]) -> tuple[int, int]:
    """The words ``[first, end)`` from the first that is heard to the last."""
    clips = [clip for track in edit.audio if track.role is AudioRole.DIALOGUE for clip in track.clips]
    start_us = sample_to_us(clips[0].source_in, SAMPLE_RATE)
    end_us = sample_to_us(clips[-1].source_in, SAMPLE_RATE) + frame_to_us(clips[-1].duration, edit.rate)
    first, end = (sum(word.end_us <= at + _SLACK_US for word in words) for at in (start_us, end_us))
    return first, end


def _is_between_sentences(words: Sequence[Word], at: int) -> bool:
    if at == 0:
        return True
    goes_on = at < len(words) and words[at].text[:1].islower()
    return words[at - 1].text.endswith(_ENDS_SENTENCE) and not goes_on


def _is_between_clauses(words: Sequence[Word], at: int) -> bool:
    if not 0 < at < len(words):
        return False
    paused = words[at].start_us - words[at - 1].end_us >= _PAUSE_US
    return paused and words[at - 1].text.endswith(_ENDS_CLAUSE)


def _joins(words: Sequence[Word], at: int) -> bool:
    return _bare(words[at]) in _JOINTS and _has_subject(words, at)


def _has_subject(words: Sequence[Word], at: int) -> bool:
    return any(_bare(word).split("'")[0] in _SUBJECTS for word in words[at : at + 2])


def _bare(word: Word) -> str:
    return word.text.lower().strip(".,;:!?…—\"'")

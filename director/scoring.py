"""How much a line deserves to be in a short cut: its parts from 0 to 1, weighed by the table of costs."""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from director.costs import share
from director.language import bare
from director.languages import Language, among, language_of
from director.script import Line, Script
from director.speech import Spoken
from director.style import GOOD_PAUSE_US, OPENING_SECONDS

#: Speech is liveliest around this many words a second; the score falls to nothing at this distance from it.
_LIVELY_WORDS_PER_S = 2.9
_RATE_REACH = 2.0
#: A pronoun this early in a sentence, with nothing before it that it could stand for, points out of the sentence.
_EARLY_WORDS = 5
#: What a passage within a sentence begins with tells by so many words whether it points back.
_TELLING_WORDS = 12


@dataclass(frozen=True, slots=True)
class Score:
    """The ``parts`` of a line's score, each from 0 to 1, and their weighted sum."""

    parts: Mapping[str, float]
    total: float


@dataclass(frozen=True, slots=True)
class ScoredScript:
    """A script with the score of each of its lines.

    ``running[i]`` is the sum of the scores of the words before word ``i``, each worth what its line is, and
    ``doubts[i]`` that of the recogniser's doubts in them; ``context[i]`` is how much line ``i`` leans on what came
    before it, from 0 to 1; ``languages`` are those of the footage.
    """

    script: Script
    scores: tuple[Score, ...]
    line_of: tuple[int, ...]
    running: tuple[float, ...]
    doubts: tuple[float, ...]
    context: tuple[float, ...]
    languages: tuple[Language, ...]

    def language_at(self, word: int) -> Language:
        return self.languages[self.script.places[word][0]]

    def mean(self, first: int, end: int) -> float:
        """Mean score of words ``[first, end)``."""
        return (self.running[end] - self.running[first]) / max(1, end - first)

    def opening(self, first: int) -> float:
        """Mean score of what is heard in the first 3 s of a passage that starts at word ``first``."""
        return self.mean(first, self._opened(first))

    def doubt(self, first: int) -> float:
        """How much the recogniser doubts what is heard in those 3 s, from 0 to 1."""
        end = self._opened(first)
        return (self.doubts[end] - self.doubts[first]) / (end - first)

    def context_of(self, first: int, end: int) -> float:
        """How much words ``[first, end)`` of a sentence lean on what came before them, from 0 to 1."""
        language = self.language_at(first)
        return _leaning(_telling(self.script.words[first : min(end, first + _TELLING_WORDS)], language), language)

    def _opened(self, first: int) -> int:
        script = self.script
        reach = (
            script.begins[first] + (OPENING_SECONDS * script.footage[script.places[first][0]].clock.rate).__floor__()
        )
        return max(first + 1, bisect_left(script.begins, reach, lo=first))

    def parts(self, first: int, end: int) -> dict[str, float]:
        """Mean of each part of the lines' scores over words ``[first, end)``."""
        totals: dict[str, float] = {}
        for line, words in Counter(self.line_of[first:end]).items():
            for name, value in self.scores[line].parts.items():
                totals[name] = totals.get(name, 0.0) + value * words
        return {name: total / (end - first) for name, total in totals.items()}


def score_script(script: Script) -> ScoredScript:
    tokens = [bare(word.text) for word in script.words]
    counts = Counter(token for token in tokens if token)
    languages = tuple(language_of(one.language) for one in script.footage)
    spoken = [languages[script.places[line.first][0]] for line in script.lines]
    lines = list(zip(script.lines, spoken, strict=True))
    scores = tuple(_score(script, line, tokens, counts, language=language) for line, language in lines)
    line_of = tuple(index for index, line in enumerate(script.lines) for _ in range(line.first, line.end))
    return ScoredScript(
        script,
        scores,
        line_of,
        tuple(accumulate((scores[line].total for line in line_of), initial=0.0)),
        tuple(accumulate((1 - word.certain for word in script.words), initial=0.0)),
        tuple(_context(script.words[line.first : line.end], language) for line, language in lines),
        languages,
    )


def _context(words: Sequence[Spoken], language: Language) -> float:
    """How much a line leans on what came before it.

    A small letter at its start says that the sentence was taken apart there by mistake: it points back too.
    """
    said = _telling(words, language)
    return 1.0 if said and said[0].text[:1].islower() else _leaning(said, language)


def _telling(words: Sequence[Spoken], language: Language) -> list[Spoken]:
    return [word for word in words if bare(word.text) and bare(word.text) not in language.padding]


def _leaning(said: Sequence[Spoken], language: Language) -> float:
    """All of it where the first word points back, half where an early pronoun has nothing before it to stand for."""
    if said and (among(bare(said[0].text), language.dangling) or _replies(said, language)):
        return 1.0
    for word in said[:_EARLY_WORDS]:
        token = bare(word.text)
        if among(token, language.pronouns):
            return 0.5
        if token not in language.small and token not in language.connectives:
            return 0.0
    return 0.0


def _replies(said: Sequence[Spoken], language: Language) -> bool:
    """Whether a line begins with an answer, of one word or "not yet"."""
    answer = said[:2] if bare(said[0].text) in language.begun_replies else said[:1]
    return answer[-1].ends_phrase and (len(answer) == 2 or bare(answer[0].text) in language.replies)


def _score(script: Script, line: Line, tokens: Sequence[str], counts: Counter[str], *, language: Language) -> Score:
    words = script.words[line.first : line.end]
    said = [token for token in tokens[line.first : line.end] if token]
    per_word = 1 / max(1, len(said))
    content = [token for token in said if token not in language.small]
    seconds = max(1, words[-1].end_us - words[0].start_us) / 1e6
    names = 0 if language.capital_nouns else sum(_is_name(word.text, language) for word in words[1:])
    figures = sum(token in language.numbers or token[:1].isdigit() for token in said)
    claims = sum(token in language.claims for token in said)
    mild = sum(token in language.mild_claims for token in said)
    parts = {
        "rate": max(0.0, 1 - abs(len(said) / seconds - _LIVELY_WORDS_PER_S) / _RATE_REACH),
        "voice": min(1.0, sum(word.end_us - word.start_us for word in words) / 1e6 / seconds),
        "concreteness": min(1.0, (0.5 * names + figures) * per_word * 4),
        "question_or_claim": min(1.0, 0.5 * claims + 0.2 * mild + 0.8 * asks(words[-1])),
        "address": min(1.0, 4 * per_word * sum(token in language.address for token in said)),
        "novelty": _novelty(content, counts),
        "completeness": float(line.complete and bool(said)),
        "fillers": min(1.0, 4 * per_word * sum(word.filler or bare(word.text) in language.padding for word in words)),
        "uncertain": 1 - sum(word.certain for word in words) / len(words),
        "long_pauses": min(1.0, _paused_us(words) / 1e6 / seconds),
    }
    rounded = {name: round(value, 3) for name, value in parts.items()}
    return Score(rounded, sum(share(name, value) for name, value in rounded.items()))


def _is_name(text: str, language: Language) -> bool:
    return text[:1].isupper() and bare(text) not in language.speaker


def asks(word: Spoken) -> bool:
    """Whether a sentence that ends with this word is a question."""
    return word.text.rstrip("\"'”’»)]").endswith(("?", "？", "؟"))  # noqa: RUF001 (question marks of other scripts)


def _paused_us(words: Sequence[Spoken]) -> int:
    """Time in pauses that are long enough to be cut out."""
    gaps = (after.start_us - before.end_us for before, after in pairwise(words))
    return sum(gap for gap in gaps if gap >= GOOD_PAUSE_US)


def _novelty(content: Sequence[str], counts: Counter[str]) -> float:
    """Mean rarity of the content words: 1 for a word said once, falling with the logarithm of its count."""
    if not content:
        return 0.0
    return sum(1 / (1 + math.log2(counts[token])) for token in content) / len(content)

"""How much a line deserves to be in a short cut: a score from 0 to 1 and the named parts it is made of."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType

from director.language import ADDRESS, CLAIMS, DANGLING, NUMBERS, PADDING, SMALL_WORDS, bare
from director.script import Line, Script

#: Speech is liveliest around this many words a second; the score falls to nothing at this distance from it.
_LIVELY_WORDS_PER_S = 2.9
_RATE_REACH = 2.0

#: Weights of the parts (EDITING, "Choosing"); penalties are negative.
WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "pace": 0.15,
        "concreteness": 0.2,
        "question_or_claim": 0.2,
        "address": 0.1,
        "novelty": 0.2,
        "completeness": 0.15,
        "fillers": -0.15,
        "needs_context": -0.3,
    }
)


@dataclass(frozen=True, slots=True)
class Score:
    """A weighted sum of ``parts``, each from 0 to 1."""

    parts: Mapping[str, float]

    @property
    def total(self) -> float:
        return sum(WEIGHTS[name] * value for name, value in self.parts.items())


@dataclass(frozen=True, slots=True)
class ScoredScript:
    """A script with the score of each of its lines, and running sums of them weighted by length."""

    script: Script
    scores: tuple[Score, ...]
    running: tuple[float, ...]

    def mean(self, first: int, end: int) -> float:
        """Mean score of lines ``[first, end)``, by their number of words."""
        lines = self.script.lines
        return (self.running[end] - self.running[first]) / max(1, lines[end - 1].end - lines[first].first)


def score_script(script: Script) -> ScoredScript:
    tokens = [bare(word.text) for word in script.words]
    counts = Counter(token for token in tokens if token)
    scores = tuple(_score(script, line, tokens, counts) for line in script.lines)
    weighted = (score.total * (line.end - line.first) for score, line in zip(scores, script.lines, strict=True))
    return ScoredScript(script, scores, tuple(accumulate(weighted, initial=0.0)))


def needs_context(token: str) -> bool:
    """Whether a line that starts with this word leans on what came before."""
    return bare(token) in DANGLING


def _score(script: Script, line: Line, tokens: Sequence[str], counts: Counter[str]) -> Score:
    words = script.words[line.first : line.end]
    said = [token for token in tokens[line.first : line.end] if token]
    share = 1 / max(1, len(said))
    content = [token for token in said if token not in SMALL_WORDS]
    seconds = max(1, words[-1].end_us - words[0].start_us) / 1e6
    names = sum(word.text[:1].isupper() and word.text not in {"I", "I'm", "I'll"} for word in words[1:])
    figures = sum(token in NUMBERS or token[:1].isdigit() for token in said)
    claims = sum(token in CLAIMS for token in said)
    parts = {
        "pace": max(0.0, 1 - abs(len(said) / seconds - _LIVELY_WORDS_PER_S) / _RATE_REACH),
        "concreteness": min(1.0, (0.5 * names + figures) * share * 4),
        "question_or_claim": min(1.0, 0.5 * claims + 0.8 * words[-1].text.rstrip("\"'”").endswith("?")),
        "address": min(1.0, 4 * share * sum(token in ADDRESS for token in said)),
        "novelty": _novelty(content, counts),
        "completeness": float(line.complete and bool(said)),
        "fillers": min(1.0, 4 * share * sum(token in PADDING for token in said)),
        "needs_context": float(bool(said) and said[0] in DANGLING),
    }
    return Score({name: round(value, 3) for name, value in parts.items()})


def _novelty(content: Sequence[str], counts: Counter[str]) -> float:
    """Mean rarity of the content words: 1 for a word said once, falling with the logarithm of its count."""
    if not content:
        return 0.0
    return sum(1 / (1 + math.log2(counts[token])) for token in content) / len(content)

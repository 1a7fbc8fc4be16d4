"""Where within a sentence a thought begins or ends: a clause that stands by itself, a phrase, or neither.

Nothing is parsed. A clause begins where its subject follows a comma, and ends where "and", "but", "or", "so" or "yet"
and the subject of another follow one; both only in languages whose words are known.
"""

from collections.abc import Sequence

from director.language import bare
from director.languages import Language, among
from director.speech import Spoken

#: How much of a thought is missing where a passage begins or ends within a sentence.
CLAUSE, PHRASE, WORDS = 0.25, 0.8, 1.0


def missing_before(words: Sequence[Spoken], sentence: int, at: int, language: Language) -> float:
    """How far into a thought it is to begin with word ``at`` of the sentence that begins with word ``sentence``."""
    if at == sentence or not words[at - 1].ends_phrase:
        return WORDS
    return CLAUSE if _has_subject(words, at, language) else PHRASE


def missing_after(words: Sequence[Spoken], sentence: int, end: int, language: Language) -> float:
    """How unfinished a thought is that ends before word ``end`` of the sentence that begins with word ``sentence``.

    What begins with "if" or "because" is not finished before the rest of its sentence.
    """
    if not words[end - 1].ends_phrase or words[end - 1].trails_off:
        return WORDS
    joined = end < len(words) and bare(words[end].text) in language.coordinating
    follows = joined and _has_subject(words, end + 1, language)
    return CLAUSE if follows and not among(bare(words[sentence].text), language.subordinating) else PHRASE


def _has_subject(words: Sequence[Spoken], at: int, language: Language) -> bool:
    """Whether the subject of a clause is at a word, or after it where that joins two clauses."""
    after_joint = at + 1 if at < len(words) and bare(words[at].text) in language.coordinating else at
    return after_joint < len(words) and among(bare(words[after_joint].text), language.subjects)

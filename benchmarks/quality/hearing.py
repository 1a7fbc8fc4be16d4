"""How well the analyzers heard: words and their times against the truth, and where the microphone track lies."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from statistics import median

from benchmarks.frame import BenchmarkError, Figures
from benchmarks.quality.truth import TrueWord
from schemas.facts import AssetFacts

#: Words this far apart are parted by a pause.
PAUSE_S = 0.15
#: The script's numbers as a recogniser may spell them: the same word.
SPELT_OUT = {"one": "1", "two": "2", "five": "5", "twenty": "20", "sixty": "60"}


def word_figures(truth: Sequence[TrueWord], talk: AssetFacts) -> Figures:
    """Starts and ends of the words that were heard right, against when they were really said.

    Where a word that was heard right touches one that was not, nobody can say which sound belongs to which, so that
    boundary is not counted.

    Raises:
        BenchmarkError: Nothing was transcribed, or nothing right.
    """
    if talk.transcript is None or not talk.transcript.words:
        raise BenchmarkError("The talk was not transcribed.")
    heard = talk.transcript.words
    matcher = SequenceMatcher(None, [_bare(w.text) for w in truth], [_bare(w.text) for w in heard], autojunk=False)
    errors: list[float] = []
    for block in matcher.get_matching_blocks():
        said, found = truth[block.a : block.a + block.size], heard[block.b : block.b + block.size]
        for position, (word, as_heard) in enumerate(zip(said, found, strict=True)):
            if position > 0 or not _touches(truth, block.a):
                errors.append(abs(as_heard.start_us / 1e6 - word.start_s))
            if position + 1 < block.size or not _touches(truth, block.a + block.size):
                errors.append(abs(as_heard.end_us / 1e6 - word.end_s))
    if not errors:
        raise BenchmarkError("No word of the talk was heard right.")
    wrong = sum(max(a2 - a1, b2 - b1) for kind, a1, a2, b1, b2 in matcher.get_opcodes() if kind != "equal")
    return {
        "words.said": len(truth),
        "words.error_rate": wrong / len(truth),
        "words.median_boundary_error_ms": 1000 * median(errors),
        "words.p95_boundary_error_ms": 1000 * sorted(errors)[int(0.95 * (len(errors) - 1))],
        "words.max_boundary_error_ms": 1000 * max(errors),
    }


def microphone_figures(microphone: AssetFacts, offset_s: float) -> Figures:
    """The alignment found against how the track was made.

    Raises:
        BenchmarkError: The track was not aligned.
    """
    if len(microphone.alignments) != 1:
        raise BenchmarkError("The microphone track was not aligned.")
    (found,) = microphone.alignments
    return {
        "alignment.offset_error_ms": abs(found.offset_us / 1000 - offset_s * 1000),
        "alignment.drift_error_ppm": abs(found.drift_ppm),
        "alignment.correlation": found.correlation,
    }


def _touches(truth: Sequence[TrueWord], index: int) -> bool:
    """Whether the word at ``index`` follows the one before it without a pause."""
    return 0 < index < len(truth) and truth[index].start_s - truth[index - 1].end_s < PAUSE_S


def _bare(text: str) -> str:
    bare = "".join(letter for letter in text.lower() if letter.isalnum())
    return SPELT_OUT.get(bare, bare)

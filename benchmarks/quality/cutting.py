"""How well an edit cuts: against the true times of the words, not those that the director believed."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.frame import BenchmarkError, Figures
from benchmarks.quality.truth import TrueWord
from director.style import PACES
from schemas.edl import EDL, AudioClip, AudioRole
from schemas.jobs import Pace

#: Two clips that follow each other in the source within this are one piece: rounding to frames, not a cut.
SAME_PIECE_S = 0.002
#: A word of which less than this is kept counts as lost.
KEPT_SHARE = 0.5


@dataclass(frozen=True)
class _Piece:
    """Uncut speech: ``[start_s, end_s)`` of the talk, heard from ``at_s`` of the edit."""

    start_s: float
    end_s: float
    at_s: float


def cut_figures(
    edit: EDL, words: Sequence[TrueWord], starts: Mapping[str, float], pace: Pace = Pace.NATURAL
) -> Figures:
    """Cuts inside words, and silences longer than the pace allows.

    Args:
        edit: The edit to judge.
        words: What was really said, in order.
        starts: When the talk begins in each source that carries it, in seconds, by the source's name in the edit.
        pace: The pace that the edit was asked for.
    """
    pieces = _pieces(edit, starts)
    bites = [_bite(moment, words) for moment in _cuts(pieces)]
    gaps = _gaps(pieces, words)
    allowed_s = PACES[pace].longest_gap_us / 1e6 + 1 / float(edit.rate)
    return {
        "cuts.count": len(pieces) - 1,
        "cuts.inside_words": sum(bite > 0 for bite in bites),
        "cuts.deepest_inside_word_ms": 1000 * max(bites, default=0.0),
        "cuts.dead_air_over_pace": sum(gap > allowed_s for gap in gaps),
        "cuts.longest_gap_s": max(gaps, default=0.0),
        "cuts.duration_s": float(edit.duration / edit.rate),
    }


def takes_figures(edit: EDL, words: Sequence[TrueWord], starts: Mapping[str, float]) -> Figures:
    """Words of the broken-off take that are still heard, and words of good sentences that are not."""
    pieces = _pieces(edit, starts)
    kept = [_kept_share(word, pieces) >= KEPT_SHARE for word in words]
    return {
        "takes.abandoned_words_kept": sum(k and word.abandoned for k, word in zip(kept, words, strict=True)),
        "takes.good_words_lost": sum(not k and not word.abandoned for k, word in zip(kept, words, strict=True)),
    }


def _pieces(edit: EDL, starts: Mapping[str, float]) -> list[_Piece]:
    """The speech of an edit, clips that run on in the source joined.

    Raises:
        BenchmarkError: No clip carries the talk.
    """
    begins = {source.id: starts[stem] for source in edit.sources if (stem := source.name.rsplit(".", 1)[0]) in starts}
    pieces: list[_Piece] = []
    for clip in _dialogue(edit):
        if clip.source not in begins:
            continue
        start_s = clip.source_in / edit.sample_rate - begins[clip.source]
        at_s, length_s = float(clip.start / edit.rate), float(clip.duration / edit.rate)
        if pieces and _runs_on(pieces[-1], start_s, at_s):
            pieces[-1] = _Piece(pieces[-1].start_s, start_s + length_s, pieces[-1].at_s)
        else:
            pieces.append(_Piece(start_s, start_s + length_s, at_s))
    if not pieces:
        raise BenchmarkError("The edit carries nothing of the talk.")
    return pieces


def _dialogue(edit: EDL) -> Iterator[AudioClip]:
    for track in edit.audio:
        if track.role is AudioRole.DIALOGUE:
            yield from track.clips


def _runs_on(before: _Piece, start_s: float, at_s: float) -> bool:
    follows = abs(before.at_s + before.end_s - before.start_s - at_s) < SAME_PIECE_S
    return follows and abs(before.end_s - start_s) < SAME_PIECE_S


def _cuts(pieces: Sequence[_Piece]) -> Iterator[float]:
    for piece in pieces:
        yield piece.start_s
        yield piece.end_s


def _bite(moment_s: float, words: Sequence[TrueWord]) -> float:
    """How deep in a word a moment lies, in seconds; 0 outside."""
    index = bisect_right(words, moment_s, key=lambda word: word.start_s) - 1
    if index < 0:
        return 0.0
    return max(0.0, min(moment_s - words[index].start_s, words[index].end_s - moment_s))


def _gaps(pieces: Sequence[_Piece], words: Sequence[TrueWord]) -> list[float]:
    """Silences between the words that are heard, in the time of the edit."""
    heard = [
        (
            piece.at_s + max(word.start_s, piece.start_s) - piece.start_s,
            piece.at_s + min(word.end_s, piece.end_s) - piece.start_s,
        )
        for piece in pieces
        for word in words
        if word.start_s < piece.end_s and word.end_s > piece.start_s
    ]
    return [after[0] - before[1] for before, after in pairwise(heard)]


def _kept_share(word: TrueWord, pieces: Sequence[_Piece]) -> float:
    kept = sum(max(0.0, min(word.end_s, piece.end_s) - max(word.start_s, piece.start_s)) for piece in pieces)
    return kept / (word.end_s - word.start_s)

"""B-roll over the director's own jump cuts, and over long stretches of a talking head."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from director.language import SMALL_WORDS
from director.material import Footage, Material
from director.placing import Placed, PlacedWord, jump_cuts
from director.style import (
    COVER_MARGIN_US,
    COVER_REPEAT_US,
    COVER_US,
    LONG_TAKE_US,
    MOST_PIECES,
    OPENING_US,
    SCREEN_COVER_US,
    SHORTEST_COVER_US,
    SPEAKER_AT_END_US,
    SPEAKER_VISIBLE_US,
    SPLIT_EDIT_FRAMES,
)
from schemas.facts import AssetFacts
from schemas.media import AssetKind
from schemas.timebase import us_to_frame

_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Cover:
    """Source frames from ``source_start`` shown over the speaker for timeline frames ``[start, end)``."""

    footage: Footage
    source_start: int
    start: int
    end: int
    sentence: str
    over_cut: bool


@dataclass(slots=True)
class _Piece:
    """A stretch of one B-roll shot that has been shown ``uses`` times, last until ``free_from`` minus the wait."""

    footage: Footage
    start: int
    length: int
    names: frozenset[str]
    uses: int = 0
    free_from: int = 0


@dataclass(slots=True)
class _Supply:
    pieces: list[_Piece]
    shown: dict[str, int] = field(default_factory=dict)

    def take(self, start: int, shortest: int, spoken: frozenset[str], wait: int) -> _Piece | None:
        """The piece that fits the words best and was shown least, of those not shown within ``wait`` frames."""
        free = [piece for piece in self.pieces if piece.free_from <= start and piece.length >= shortest]
        if not free:
            return None
        chosen = min(free, key=lambda p: (p.names.isdisjoint(spoken), p.uses, self.shown.get(p.footage.source.id, 0)))
        chosen.uses += 1
        chosen.free_from = start + chosen.length + wait
        self.shown[chosen.footage.source.id] = self.shown.get(chosen.footage.source.id, 0) + 1
        return chosen


def cover(material: Material, placed: Sequence[Placed], words: Sequence[PlacedWord]) -> tuple[Cover, ...]:
    """Where B-roll goes: after the opening line, over joins first, never the same stretch again within 30 s."""
    supply = _Supply([piece for footage in (*material.b_roll, *material.screens) for piece in _pieces(footage)])
    shown = {one.stretch.footage.source.id for one in placed}
    supply.pieces = [piece for piece in supply.pieces if piece.footage.source.id not in shown]
    if not supply.pieces or not placed:
        return ()
    rate = material.rate
    lead = SPLIT_EDIT_FRAMES[len(SPLIT_EDIT_FRAMES) // 2]
    shortest = max(us_to_frame(SHORTEST_COVER_US, rate), 2 * lead)
    last_start = placed[-1].end - us_to_frame(SPEAKER_AT_END_US, rate) - shortest
    reached = _opening_end(words, us_to_frame(OPENING_US, rate))
    said = _SpokenAround(words, us_to_frame(COVER_US, rate))
    covers: list[Cover] = []
    for at, is_cut in _places(placed, words):
        start = at - lead if is_cut else at
        wait = SPEAKER_VISIBLE_US if is_cut else LONG_TAKE_US
        rested = reached + (us_to_frame(wait, rate) if covers or not is_cut else 0)
        if start < rested or start > last_start:
            continue
        spoken = said.near(start)
        piece = supply.take(start, shortest, spoken, us_to_frame(COVER_REPEAT_US, rate))
        if piece is None:
            continue
        end = min(start + piece.length, placed[-1].end - us_to_frame(SPEAKER_AT_END_US, rate))
        covers.append(Cover(piece.footage, piece.start, start, end, _why(piece, spoken, is_cut=is_cut), is_cut))
        reached = end
    return tuple(covers)


def _pieces(footage: Footage) -> Iterator[_Piece]:
    """A shot's usable middle, in pieces as long as a cover should be."""
    clock = footage.clock
    wanted = clock.length(SCREEN_COVER_US if footage.facts.kind is AssetKind.SCREEN else COVER_US)
    margin, shortest = clock.length(COVER_MARGIN_US), clock.length(SHORTEST_COVER_US)
    names = _names(footage.facts)
    made = 0
    for first, end in footage.shots:
        start, stop = first + margin, end - margin
        while stop - start >= shortest and made < MOST_PIECES:
            length = min(wanted, stop - start)
            yield _Piece(footage, start, length, names)
            start += length
            made += 1


def _names(facts: AssetFacts) -> frozenset[str]:
    """The words by which footage goes: those of its name, and its creator's own for what it shows."""
    told = " ".join([facts.name.rsplit(".", 1)[0], *facts.tags, facts.description])
    return frozenset(_WORD.findall(told.lower())) - SMALL_WORDS


def _opening_end(words: Sequence[PlacedWord], opening: int) -> int:
    """The end of the opening line, and no sooner than ``opening`` frames."""
    line_end = next((word.end for word in words if word.ends_sentence), 0)
    return max(opening, line_end)


def _places(placed: Sequence[Placed], words: Sequence[PlacedWord]) -> list[tuple[int, bool]]:
    """Timeline frames where a cover may start: jump cuts, and ends of phrases; with whether it is a cut."""
    cuts = {after.start for _, after in jump_cuts(placed)}
    phrases = {word.end for word in words if word.ends_phrase} | {
        word.end for word, after in pairwise(words) if after.start > word.end
    }
    return [(at, at in cuts) for at in sorted(cuts | phrases)]


class _SpokenAround:
    """What is said near a frame, for matching B-roll by its name."""

    def __init__(self, words: Sequence[PlacedWord], reach: int) -> None:
        self._words = words
        self._starts = [word.start for word in words]
        self._reach = reach

    def near(self, frame: int) -> frozenset[str]:
        first = bisect_left(self._starts, frame - self._reach)
        end = bisect_left(self._starts, frame + self._reach)
        return frozenset(token for word in self._words[first:end] for token in _WORD.findall(word.text.lower()))


def _why(piece: _Piece, spoken: frozenset[str], *, is_cut: bool) -> str:
    purpose = "hides a jump cut" if is_cut else "gives the eye something new in a long stretch of speech"
    named = sorted(piece.names & spoken)
    match = f"; its name or description matches “{named[0]}”, said here" if named else ""
    return f"{piece.footage.facts.name} {purpose}{match}"

"""B-roll and screens as pieces of the length of a cover, what each is of, and when it may be shown again."""

import re
from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from director.costs import Shares, shares
from director.language import GENERIC_NAMES, SCREEN_TOPICS
from director.likeness import Alike, Likeness
from director.material import Footage
from director.placing import Placed
from director.speech import merged_spans
from director.style import (
    COVER_MARGIN_US,
    COVER_REPEAT_US,
    COVER_US,
    MOST_PIECES,
    MOST_SHOWINGS,
    SCREEN_COVER_US,
    SCREEN_LEAD_US,
    SHORTEST_COVER_US,
)
from schemas.media import AssetKind

_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Said:
    """What is said about where a picture is to be: its words, and the passages of the edit, by number."""

    words: frozenset[str]
    passages: tuple[int, ...] = ()


@dataclass(slots=True)
class Piece:
    """Source frames ``[start, start + length)`` of one shot of B-roll; ``shown`` is where on the timeline it was.

    ``number`` is its place among all pieces.
    """

    number: int
    footage: Footage
    start: int
    length: int
    topics: frozenset[str]
    shown: list[tuple[int, int]] = field(default_factory=list)

    @property
    def is_screen(self) -> bool:
        return self.footage.facts.kind is AssetKind.SCREEN

    def rests(self, start: int, end: int, wait: int) -> bool:
        """Whether it was not shown within ``wait`` frames of a time, before or after."""
        after = bisect_right(self.shown, (start, end))
        before = self.shown[after - 1][1] + wait <= start if after else True
        return before and (end + wait <= self.shown[after][0] if after < len(self.shown) else True)


@dataclass(slots=True)
class Supply:
    """The pieces there are, and what each looks like. Screens hide nothing but where there is nothing else."""

    pieces: Sequence[Piece]
    likeness: Likeness = field(default_factory=Likeness)
    places: Mapping[str, int] = field(default_factory=dict)
    times_shown: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, pictures: Iterable[Footage], placed: Sequence[Placed], preferred: Sequence[str] = ()) -> "Supply":
        """Of pictures, for what is said in the stretches ``placed``.

        ``preferred`` are the ids of sources to be shown first where others fit as well, in this order.
        """
        cut = (made for footage in pictures for made in _pieces(footage))
        pieces = [Piece(number, *made) for number, made in enumerate(cut)]
        likeness = Likeness.between(placed, [(piece.footage, piece.start, piece.length) for piece in pieces])
        return cls(pieces, likeness, {source: place for place, source in enumerate(preferred)})

    @property
    def topics(self) -> frozenset[str]:
        return frozenset().union(*(piece.topics for piece in self.pieces))

    def best(self, start: int, shortest: int, said: Said, *, asked: bool) -> Piece | None:
        """The piece that fits what is said best and was shown least, of those that may be shown now."""
        only_screens = all(piece.is_screen for piece in self.pieces)
        free = [
            piece
            for piece in self.pieces
            if piece.length >= shortest
            and len(piece.shown) < MOST_SHOWINGS
            and (self._fits(piece, said) if asked else only_screens or not piece.is_screen)
            and piece.rests(start, start + piece.length, piece.footage.clock.length(COVER_REPEAT_US))
        ]
        return max(free, key=lambda piece: sum(worth for _, worth in self.worth(piece, said)), default=None)

    def shown_by(self, piece: Piece, said: Said) -> Alike | None:
        """The passage that a piece is taken to show by how it looks."""
        alike = self.likeness.best_of(said.passages, piece.number)
        return alike if alike and self.likeness.shows(alike.cosine) else None

    def _fits(self, piece: Piece, said: Said) -> bool:
        return not piece.topics.isdisjoint(said.words) or self.shown_by(piece, said) is not None

    def worth(self, piece: Piece, said: Said) -> Shares:
        """What it is worth to show a piece where this is said."""
        source = piece.footage.source.id
        alike = self.likeness.best_of(said.passages, piece.number)
        place = self.places.get(source, len(self.places))
        return shares({
            "named": float(len(piece.topics & said.words)),
            "looks_alike": self.likeness.degree(alike.cosine) if alike else 0.0,
            "shown_before": float(len(piece.shown)),
            "less_preferred": place / max(1, len(self.places)),
            "source_shown_before": 1 - 1 / (1 + self.times_shown.get(source, 0)),
        })  # fmt: skip

    def take(self, piece: Piece, start: int, end: int) -> None:
        insort(piece.shown, (start, end))
        source = piece.footage.source.id
        self.times_shown[source] = self.times_shown.get(source, 0) + 1


def words_of(text: str) -> Iterator[str]:
    """The words of a text that may name what is to be seen, each in the form that its plural shares."""
    for word in _WORD.findall(text.lower()):
        yield word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _topics(footage: Footage) -> frozenset[str]:
    facts = footage.facts
    named = " ".join((facts.name.rsplit(".", 1)[0].replace("_", " "), *facts.tags, facts.description))
    topics = frozenset(words_of(named)) - GENERIC_NAMES
    return topics | SCREEN_TOPICS if facts.kind is AssetKind.SCREEN else topics


def _pieces(footage: Footage) -> Iterator[tuple[Footage, int, int, frozenset[str]]]:
    """What can be used of each shot, in pieces as long as a cover should be: first frame, length, topics."""
    clock = footage.clock
    wanted = clock.length(SCREEN_COVER_US if footage.facts.kind is AssetKind.SCREEN else COVER_US)
    shortest, topics = clock.length(SHORTEST_COVER_US), _topics(footage)
    cut = (
        (footage, first, min(wanted, stop - first), topics)
        for start, stop in _usable(footage)
        for first in range(start, stop, wanted)
    )
    yield from islice((made for made in cut if made[2] >= shortest), MOST_PIECES)


def _usable(footage: Footage) -> Iterator[tuple[int, int]]:
    """The usable ranges that were measured, within shots; else each shot's middle. A screen begins where it moves."""
    clock, margin, begins = footage.clock, footage.clock.length(COVER_MARGIN_US), _first_change(footage)
    measured = footage.facts.picture.usable if footage.facts.picture else ()
    ranges = [(clock.frame_at_or_after(start), clock.frame_at_or_before(end)) for start, end in merged_spans(measured)]
    for shot in footage.shots:
        first, end = max(shot[0] + margin, begins), shot[1] - margin
        if ranges and footage.facts.kind is not AssetKind.SCREEN:
            yield from ((max(first, start), min(end, stop)) for start, stop in ranges if start < end and first < stop)
        else:
            yield first, end


def _first_change(footage: Footage) -> int:
    activity = footage.facts.activity
    if activity is None or not activity.changes:
        return 0
    first_us = min(change.start_us for change in activity.changes)
    return max(0, footage.clock.frame_at_or_before(first_us - SCREEN_LEAD_US))

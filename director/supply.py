"""B-roll and screens as pieces of the length of a cover, what each is of, and when it may be shown again."""

import re
from bisect import bisect_right, insort
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from typing import Final, Self

from director.costs import Shares, shares
from director.languages import Language, spoken_and_english
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

#: Stands for words that point to what is seen.
SHOWN_NOW: Final = "(shown now)"

_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Said:
    """What is said about where a picture is to be: its words, and the passages of the edit, by number."""

    words: frozenset[str]
    passages: tuple[int, ...] = ()


@dataclass(slots=True)
class Piece:
    """Source frames ``[start, start + length)`` of one shot of B-roll; ``number`` is its place among all pieces."""

    number: int
    footage: Footage
    start: int
    length: int
    topics: frozenset[str]
    times_shown: int = 0

    @property
    def is_screen(self) -> bool:
        return self.footage.facts.kind is AssetKind.SCREEN

    @property
    def subject(self) -> frozenset[str]:
        """What it is of, as its file's words tell, or else that file."""
        return self.topics or frozenset({self.footage.source.id})

    @property
    def picture(self) -> tuple[str, int]:
        """What a viewer takes for the same when it is seen again: the shot; of a screen, which goes on, this much."""
        return self.footage.source.id, self.start if self.is_screen else self.footage.shot_at(self.start)[0]


class _Seen:
    """Where on the timeline things are seen."""

    def __init__(self) -> None:
        self._spans: dict[Hashable, list[tuple[int, int]]] = {}

    def add(self, what: Hashable, start: int, end: int) -> None:
        insort(self._spans.setdefault(what, []), (start, end))

    def apart(self, what: Hashable, start: int, end: int) -> float:
        """Frames from a span to the nearest at which it is seen, which lie apart; infinity where it is not."""
        spans = self._spans.get(what, ())
        after = bisect_right(spans, (start, end))
        before = start - spans[after - 1][1] if after else inf
        return min(before, spans[after][0] - end if after < len(spans) else inf)


@dataclass(slots=True)
class Supply:
    """The pieces there are, and what each looks like. Screens hide nothing but where there is nothing else."""

    pieces: Sequence[Piece]
    likeness: Likeness = field(default_factory=Likeness)
    places: Mapping[str, int] = field(default_factory=dict)
    times_shown: dict[str, int] = field(default_factory=dict)
    seen: _Seen = field(default_factory=_Seen)

    @classmethod
    def of(
        cls,
        pictures: Iterable[Footage],
        placed: Sequence[Placed],
        preferred: Sequence[str] = (),
    ) -> "Supply":
        """Of pictures, for what is said in the stretches ``placed``.

        ``preferred`` are the ids of sources to be shown first where others fit as well, in this order.
        """
        subjects = _Subjects.of(spoken_and_english(one.stretch.footage.language for one in placed))
        cut = (made for footage in pictures for made in _pieces(footage, subjects.of_footage(footage)))
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
            and piece.times_shown < MOST_SHOWINGS
            and (self._fits(piece, said) if asked else only_screens or not piece.is_screen)
            and self._rests(piece, start)
        ]
        return max(free, key=lambda piece: sum(worth for _, worth in self.worth(piece, said, start)), default=None)

    def _rests(self, piece: Piece, start: int) -> bool:
        """Whether its picture is not seen within 30 s of where it would be, before or after."""
        wait = piece.footage.clock.length(COVER_REPEAT_US)
        return self.seen.apart(piece.picture, start, start + piece.length) >= wait

    def _just_shown(self, piece: Piece, start: int) -> float:
        """How near its subject is seen: all of it right beside, nothing 30 s away; a screen goes on with it."""
        wait = piece.footage.clock.length(COVER_REPEAT_US)
        apart = self.seen.apart(piece.subject, start, start + piece.length)
        return 0.0 if piece.is_screen else max(0.0, 1 - apart / max(1, wait))

    def shown_by(self, piece: Piece, said: Said) -> Alike | None:
        """The passage that a piece is taken to show by how it looks."""
        alike = self.likeness.best_of(said.passages, piece.number)
        return alike if alike and self.likeness.shows(alike.cosine) else None

    def _fits(self, piece: Piece, said: Said) -> bool:
        return not piece.topics.isdisjoint(said.words) or self.shown_by(piece, said) is not None

    def worth(self, piece: Piece, said: Said, start: int) -> Shares:
        """What it is worth to show a piece from a frame on, where this is said."""
        source = piece.footage.source.id
        alike = self.likeness.best_of(said.passages, piece.number)
        place = self.places.get(source, len(self.places))
        return shares({
            "named": float(len(piece.topics & said.words)),
            "looks_alike": self.likeness.degree(alike.cosine) if alike else 0.0,
            "shown_before": float(piece.times_shown),
            "subject_just_shown": self._just_shown(piece, start),
            "less_preferred": place / max(1, len(self.places)),
            "source_shown_before": 1 - 1 / (1 + self.times_shown.get(source, 0)),
        })  # fmt: skip

    def take(self, piece: Piece, start: int, end: int) -> None:
        piece.times_shown += 1
        self.seen.add(piece.picture, start, end)
        self.seen.add(piece.subject, start, end)
        source = piece.footage.source.id
        self.times_shown[source] = self.times_shown.get(source, 0) + 1


def words_of(text: str) -> Iterator[str]:
    """The words of a text that may name what is to be seen, each in the form that its plural shares."""
    for word in _WORD.findall(text.lower()):
        yield word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


@dataclass(frozen=True, slots=True)
class _Subjects:
    """What pictures may be of, in the languages of a talk: words ``of_screens``, and such as name ``nothing``."""

    of_screens: frozenset[str]
    nothing: frozenset[str]

    @classmethod
    def of(cls, languages: Sequence[Language]) -> Self:
        of_screens = frozenset(words_of(" ".join(word for one in languages for word in one.screen)))
        nothing = frozenset(words_of(" ".join(word for one in languages for word in one.says_nothing)))
        return cls(of_screens | {SHOWN_NOW}, nothing)

    def of_footage(self, footage: Footage) -> frozenset[str]:
        facts = footage.facts
        named = " ".join((facts.name.rsplit(".", 1)[0].replace("_", " "), *facts.tags, facts.description))
        topics = frozenset(words_of(named)) - self.nothing
        return topics | self.of_screens if facts.kind is AssetKind.SCREEN else topics


def _pieces(footage: Footage, topics: frozenset[str]) -> Iterator[tuple[Footage, int, int, frozenset[str]]]:
    """What can be used of each shot, in pieces as long as a cover should be: first frame, length, topics."""
    clock = footage.clock
    wanted = clock.length(SCREEN_COVER_US if footage.facts.kind is AssetKind.SCREEN else COVER_US)
    shortest = clock.length(SHORTEST_COVER_US)
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

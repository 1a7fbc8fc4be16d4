"""Where B-roll and screens go: where the words ask for them, over jump cuts, and over long stretches of one picture."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from director.costs import Shares, added, shares
from director.language import bare
from director.languages import Phrases, spoken_and_english
from director.ledger import Ledger
from director.likeness import Alike, Likeness
from director.material import Footage, Material
from director.placing import Placed, PlacedWord, changes_of_picture, visible_jumps
from director.resting import LEAD_FRAMES, Resting
from director.style import (
    ASKED_VISIBLE_US,
    COVER_US,
    LONG_TAKE_US,
    OPENING_US,
    SCENE_OPENING_US,
    SHORTEST_COVER_US,
    SLIVER_US,
    SPEAKER_AT_END_US,
    SPEAKER_VISIBLE_US,
)
from director.supply import SHOWN_NOW, Piece, Said, Supply, words_of
from director.turns import turns_of_speech
from schemas.edl import Evidence, Place
from schemas.timebase import us_to_frame


class Purpose(Enum):
    """Why a cover is where it is, the most pressing first."""

    ASKED = "shows what is spoken of"
    JUMP_CUT = "hides a jump cut"
    LONG_TAKE = "gives the eye something new in a long stretch of speech"

    @property
    def part(self) -> str:
        """Its name in the table of costs."""
        return {Purpose.ASKED: "asked_for", Purpose.JUMP_CUT: "jump_hidden", Purpose.LONG_TAKE: "long_take"}[self]


@dataclass(frozen=True, slots=True)
class Cover:
    """Source frames from ``source_start`` shown for timeline frames ``[start, end)``; ``named`` is the word for it.

    With a ``place`` it is a picture in the picture, and hides nothing. ``worth`` is what it adds and costs, by part.
    ``jumps`` are the jump cuts under it. ``alike`` is the passage that it is taken to show by how it looks.
    """

    footage: Footage
    source_start: int
    start: int
    end: int
    purpose: Purpose
    named: str | None
    worth: Shares
    jumps: int = 0
    alike: Alike | None = None
    place: Place | None = None

    @property
    def sentence(self) -> str:
        several = self.purpose is Purpose.JUMP_CUT and self.jumps > 1
        does = f"hides {self.jumps} jump cuts" if several else self.purpose.value
        match = f"; it is of “{self.named}”, said here" if self.named else ""
        if self.named == SHOWN_NOW:
            match = "; the speaker points to it"
        looks = f"; its picture looks like what is said ({self.alike.cosine:.2f})" if self.alike else ""
        beside = ", beside the speaker" if self.place else ""
        return f"{self.footage.facts.name} {does}{beside}{match}{looks}"


def cover(
    material: Material, placed: Sequence[Placed], words: Sequence[PlacedWord], preferred: Sequence[str] = ()
) -> tuple[Cover, ...]:
    """Covers after the opening line, in the order of the timeline; never the same stretch again within 30 s.

    Of footage that fits the words as well, the sources in ``preferred`` come first.
    """
    shown = {one.stretch.footage.source.id for one in placed}
    pictures = [one for one in (*material.b_roll, *material.screens) if one.source.id not in shown]
    supply = Supply.of(pictures, placed, preferred)
    if not supply.pieces or not placed:
        return ()
    spoken = spoken_and_english(one.stretch.footage.language for one in placed)
    pointed = tuple(_pointing(words, frozenset().union(*(language.pointers for language in spoken))))
    return tuple(_Covering(material.rate, placed, words, pointed, supply).covers)


def note_unshown(material: Material, placed: Sequence[Placed], shown: Collection[str], ledger: Ledger) -> None:
    """Says which pictures to lay over the talk are not among the sources ``shown``, and why."""
    reasons = (
        (material.b_roll, "no place was free where words ask for it, over a jump cut or in a long stretch"),
        (material.screens, "no place was free where words ask for a screen, or for what its name and tags say"),
    )
    unshown = [(one, reason) for footages, reason in reasons for one in footages if one.source.id not in shown]
    likeness = Likeness.between(placed, [(one, 0, one.clock.frames) for one, _ in unshown])
    for number, (footage, reason) in enumerate(unshown):
        alike = likeness.best_of(range(len(likeness.passages)), number)
        ledger.record(
            "unused_picture",
            f"{footage.facts.name} is not shown: {reason}{_looks(likeness, alike)}",
            Evidence(fact="covers", value="0"),
            *([alike.evidence] if alike else ()),
            worth={"left_out": 1},
        )


def _looks(likeness: Likeness, alike: Alike | None) -> str:
    if alike is None or likeness.space is None:
        return ""
    if likeness.shows(alike.cosine):
        return f", nor where it looks like what is said ({alike.cosine:.2f})"
    return f"; it looks like what is said by {alike.cosine:.2f} at most, and {likeness.space.related:.2f} is asked"


class _Covering:
    """Covers found so far, kept apart from each other; three passes, the most pressing purpose first."""

    def __init__(
        self,
        rate: Fraction,
        placed: Sequence[Placed],
        words: Sequence[PlacedWord],
        pointed: Sequence[int],
        supply: Supply,
    ) -> None:
        """``pointed`` are the numbers of the words with which the speaker points to what is seen, in order."""
        self._rate = rate
        self._supply = supply
        self._said = _SpokenAround(words, pointed, supply.likeness, us_to_frame(COVER_US, rate))
        self._resting = Resting.between(words, rate)
        self._shortest = max(us_to_frame(SHORTEST_COVER_US, rate), 2 * LEAD_FRAMES)
        self._first = _opening_end(words, us_to_frame(OPENING_US, rate))
        self._last_end = placed[-1].end - us_to_frame(SPEAKER_AT_END_US, rate)
        self._sentences = sorted({self._resting.after(word.end) for word in words if word.ends_sentence})
        self._changes = sorted(changes_of_picture(placed))
        self._openings = sorted({*self._changes, *turns_of_speech(placed)})
        self._jumps = sorted(after.start for _, after in visible_jumps(placed))
        self._cuts = sorted({*self._changes, *self._jumps})
        self.covers: list[Cover] = []
        for at in _asked_at(words, frozenset(pointed), supply.topics):
            self._try(self._resting.before(at), Purpose.ASKED, us_to_frame(ASKED_VISIBLE_US, rate))
        for passage in supply.likeness.shown_somewhere:
            self._try(self._resting.before(passage.start), Purpose.ASKED, us_to_frame(ASKED_VISIBLE_US, rate))
        for jump in self._jumps:
            if self._is_settled(jump):
                self._try(self._resting.before(jump), Purpose.JUMP_CUT, us_to_frame(SPEAKER_VISIBLE_US, rate))
        for at in self._resting.starts:
            if self._is_long_take(at):
                self._try(at, Purpose.LONG_TAKE, us_to_frame(SPEAKER_VISIBLE_US, rate))

    def _try(self, start: int, purpose: Purpose, apart: int) -> None:
        """Adds a cover from ``start`` if it keeps ``apart`` from its neighbours and there is something to show."""
        start = self._without_sliver_before(start)
        earliest, latest = self._room(start, apart)
        if start < earliest or start + self._shortest > latest:
            return
        latest = min(latest, self._opening_from(start + self._shortest))
        said = self._said.near(start)
        piece = self._supply.best(start, self._shortest, said, asked=purpose is Purpose.ASKED)
        if piece is None:
            return
        end = min(start + piece.length, latest)
        if purpose is Purpose.ASKED and piece.is_screen:
            end = self._with_sentence(start, end)
        end = self._resting.until(end, start + self._shortest)
        end = self._without_sliver_after(start, end, piece, latest)
        jumps = bisect_left(self._jumps, end) - bisect_right(self._jumps, start)
        worth = added([self._worth(start, end, purpose, jumps), self._supply.worth(piece, said, start)])
        self._supply.take(piece, start, end)
        named = min(piece.topics & said.words, key=_is_pointed_to, default=None)
        alike = self._supply.shown_by(piece, said)
        made = Cover(piece.footage, piece.start, start, end, purpose, named, worth, jumps, alike)
        insort(self.covers, made, key=_start)

    def _worth(self, start: int, end: int, purpose: Purpose, jumps: int) -> Shares:
        """What it is worth to cover these frames, whatever is shown there."""
        hidden = {Purpose.JUMP_CUT.part: float(jumps)} if jumps else {}
        length = us_to_frame(COVER_US, self._rate)
        return shares({purpose.part: 1.0, **hidden, "speaker_hidden": (end - start) / length})

    def _room(self, start: int, apart: int) -> tuple[int, int]:
        """From the end of the cover before, to the start of the next, both with their distance."""
        after = bisect_right(self.covers, start, key=_start)
        earliest = self.covers[after - 1].end + apart if after else self._first
        latest = self.covers[after].start - apart if after < len(self.covers) else self._last_end
        return max(self._first, earliest), min(self._last_end, latest)

    def _opening_from(self, earliest: int) -> int:
        """The next opening of a scene or turn of speech: who begins to speak there is seen to."""
        number = bisect_left(self._openings, earliest)
        return self._openings[number] if number < len(self._openings) else self._last_end

    def _with_sentence(self, start: int, end: int) -> int:
        """The end of the last sentence before an end: with the next one the talk may have gone on to something else."""
        ends = self._near(self._sentences, start + self._shortest, end - start - self._shortest + 1)
        return ends[-1] if ends else end

    def _without_sliver_before(self, start: int) -> int:
        """The change of picture just before ``start``, if there is one: a moment of the new picture would flash by."""
        change = self._changes[bisect_right(self._changes, start) - 1] if self._changes else 0
        return change if 0 < change <= start < change + us_to_frame(SLIVER_US, self._rate) else start

    def _without_sliver_after(self, start: int, end: int, piece: Piece, latest: int) -> int:
        """The end, or the change of picture just after it; where that cannot be reached, a little sooner."""
        changes = frozenset(self._near(self._changes, end, latest + 1 - end))
        later = end
        while seen := self._cuts_after(later):
            over = [cut if cut in changes else cut + LEAD_FRAMES for cut in seen]
            reached = [cut for cut in over if cut <= min(latest, start + piece.length)]
            if not reached:
                return self._sooner(start, end)
            later = max(reached)
        return later

    def _sooner(self, start: int, end: int) -> int:
        """So much before an end that what comes after it is seen for long enough; that end where there is no room."""
        sooner = end
        while seen := self._cuts_after(sooner):
            sooner = seen[0] - us_to_frame(SLIVER_US, self._rate)
        return sooner if sooner >= start + self._shortest else end

    def _cuts_after(self, end: int) -> Sequence[int]:
        """The cuts so soon after an end that what is seen between would only flash by."""
        return self._near(self._cuts, end, us_to_frame(SLIVER_US, self._rate))

    @staticmethod
    def _near(points: Sequence[int], end: int, reach: int) -> Sequence[int]:
        return points[bisect_right(points, end) : bisect_left(points, end + reach)]

    def _is_settled(self, at: int) -> bool:
        """Whether it has been seen for long enough who speaks in a scene; a jump sooner shows as a resize."""
        change = bisect_right(self._openings, at)
        return not change or at - self._openings[change - 1] >= us_to_frame(SCENE_OPENING_US, self._rate)

    def _is_long_take(self, at: int) -> bool:
        """Whether the same picture has been up for long, with no cover and no cut to another."""
        change = bisect_right(self._changes, at)
        covered = bisect_right(self.covers, at, key=_start)
        since = max(
            self._first,
            self._changes[change - 1] if change else 0,
            self.covers[covered - 1].end if covered else 0,
        )
        return at - since >= us_to_frame(LONG_TAKE_US, self._rate)


def _is_pointed_to(topic: str) -> tuple[bool, str]:
    return topic == SHOWN_NOW, topic


def _start(one: Cover) -> int:
    return one.start


def _opening_end(words: Sequence[PlacedWord], opening: int) -> int:
    """The end of the opening line, and no sooner than ``opening`` frames."""
    line_end = next((word.end for word in words if word.ends_sentence), 0)
    return max(opening, line_end)


def _asked_at(words: Sequence[PlacedWord], pointed: Collection[int], topics: frozenset[str]) -> Iterator[int]:
    """Frames where a word begins that names what some piece shows."""
    for index, word in enumerate(words):
        if not topics.isdisjoint(words_of(word.text)) or (SHOWN_NOW in topics and index in pointed):
            yield word.start


def _pointing(words: Sequence[PlacedWord], pointers: Phrases) -> Iterator[int]:
    """Numbers of the words with which the speaker points to what is seen: "you can see", "let me show"."""
    tokens = tuple(bare(word.text) for word in words)
    begun, lengths = {phrase[0] for phrase in pointers}, {len(phrase) for phrase in pointers}
    for index, token in enumerate(tokens):
        if token in begun and any(tokens[index : index + length] in pointers for length in lengths):
            yield index


class _SpokenAround:
    """What is said from a little before a frame until as long as a cover lasts."""

    def __init__(self, words: Sequence[PlacedWord], pointed: Sequence[int], likeness: Likeness, reach: int) -> None:
        self._words = words
        self._pointed = pointed
        self._likeness = likeness
        self._starts = [word.start for word in words]
        self._reach = reach

    def near(self, frame: int) -> Said:
        first = bisect_left(self._starts, frame - self._reach // 4)
        end = bisect_left(self._starts, frame + self._reach)
        said = frozenset(token for word in self._words[first:end] for token in words_of(word.text))
        points = bisect_left(self._pointed, first) < bisect_left(self._pointed, end)
        words = said | {SHOWN_NOW} if points else said
        return Said(words, self._likeness.said_in(frame, frame + self._reach))

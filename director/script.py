"""What is kept of the A-roll, word by word, and the stretches of picture and sound that this makes."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from director.material import Footage
from director.speech import Spoken
from director.style import PaceStyle
from director.tightening import Drop, dropped_speech


@dataclass(frozen=True, slots=True)
class Removal:
    """What was cut out right before a stretch: frames ``[start, end)`` of its source."""

    kind: str
    sentence: str
    footage: Footage
    start: int
    end: int
    evidence: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames ``[start, end)`` of one source, kept in one piece, with the words in it.

    ``clear_before`` and ``clear_after`` are frames beyond the edges that hold no other speech: room for fades.
    """

    footage: Footage
    start: int
    end: int
    words: tuple[Spoken, ...] = ()
    removals: tuple[Removal, ...] = ()
    clear_before: int = 0
    clear_after: int = 0

    @property
    def frames(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Line:
    """Words ``[first, end)`` of a script that are taken for a sentence; whether one begins and ends with them."""

    first: int
    end: int
    opens: bool
    closes: bool

    @property
    def complete(self) -> bool:
        return self.opens and self.closes


@dataclass(frozen=True, slots=True)
class Script:
    """The kept words of all A-roll in order.

    ``lead[i]`` and ``tail[i]`` are the frames kept before and after word ``i`` where a stretch starts or ends there;
    ``begins[i]`` is where it starts on the tightened timeline; ``joined[i]`` says that nothing is cut before it;
    ``places[i]`` is its footage, and its index among that footage's words.
    """

    footage: tuple[Footage, ...]
    places: tuple[tuple[int, int], ...]
    words: tuple[Spoken, ...]
    lead: tuple[int, ...]
    tail: tuple[int, ...]
    joined: tuple[bool, ...]
    begins: tuple[int, ...]
    lines: tuple[Line, ...]
    drops: tuple[tuple[Drop, ...], ...]

    @property
    def frames(self) -> int:
        return self.length(0, len(self.words)) if self.words else 0

    def length(self, first: int, end: int) -> int:
        """Frames of the tightened passage of words ``[first, end)``."""
        last = end - 1
        spoken = self.words[last].end - self.words[last].start
        return self.lead[first] + self.begins[last] - self.begins[first] + spoken + self.tail[last]

    def gap_before(self, index: int) -> int | None:
        """Frames of source between a word and the kept word before it; ``None`` where nothing can be cut between."""
        if index in {0, len(self.words)}:
            return self.lead[0] if index == 0 and self.words else 0
        if self.words[index].glued:
            return None
        if self.places[index][0] != self.places[index - 1][0]:
            return self.tail[index - 1] + self.lead[index]
        return self.words[index].start - self.words[index - 1].end

    def stretches(self, first: int, end: int) -> tuple[Stretch, ...]:
        """The pieces that words ``[first, end)`` are assembled from."""
        cuts = [first, *(i for i in range(first + 1, end) if not self.joined[i]), end]
        return tuple(self._stretch(a, b) for a, b in pairwise(cuts))

    def _stretch(self, first: int, end: int) -> Stretch:
        number, index = self.places[first]
        footage = self.footage[number]
        start = self.words[first].start - self.lead[first]
        stop = self.words[end - 1].end + self.tail[end - 1]
        after = self.places[end - 1][1] + 1
        return Stretch(
            footage,
            start,
            stop,
            self.words[first:end],
            tuple(self._removed_before(first, start)),
            clear_before=start - (footage.words[index - 1].end if index else 0),
            clear_after=(footage.words[after].start if after < len(footage.words) else footage.clock.frames) - stop,
        )

    def removed_at_end(self) -> tuple[Removal, ...]:
        """What was cut out after the last word."""
        if not self.words:
            return ()
        number, index = self.places[-1]
        footage = self.footage[number]
        return tuple(
            self._removed(
                number, (index + 1, len(footage.words)), (self.words[-1].end + self.tail[-1], footage.clock.frames)
            )
        )

    def _removed_before(self, first: int, start: int) -> Iterator[Removal]:
        number, index = self.places[first]
        same = first > 0 and self.places[first - 1][0] == number
        reached = self.words[first - 1].end + self.tail[first - 1] if same else 0
        from_word = self.places[first - 1][1] + 1 if same else 0
        return self._removed(number, (from_word, index), (reached, start))

    def _removed(self, number: int, words: tuple[int, int], frames: tuple[int, int]) -> Iterator[Removal]:
        """What of a footage's ``words`` and ``frames`` (ranges, both left out) was said, and how much was not."""
        footage = self.footage[number]
        dropped = _within(self.drops[number], *words)
        spoken = 0
        for drop in dropped:
            span = footage.words[drop.first].start, footage.words[drop.end - 1].end
            spoken += span[1] - span[0]
            yield Removal(drop.kind, drop.sentence, footage, *span, drop.evidence)
        quiet = frames[1] - frames[0] - spoken
        if quiet > 0:
            yield _pause(footage, *frames, quiet)


def _within(drops: Sequence[Drop], first: int, end: int) -> Sequence[Drop]:
    return drops[bisect_left(drops, first, key=lambda d: d.first) : bisect_left(drops, end, key=lambda d: d.first)]


def _pause(footage: Footage, start: int, end: int, frames: int) -> Removal:
    """A pause of ``frames``: silence if at least half of it is measured to be."""
    clock = footage.clock
    seconds = clock.length_us(frames) / 1e6
    length = f"{seconds:.1f} s" if seconds >= 0.95 else f"{seconds:.2f} s"
    silent_us = footage.silent_us(clock.us(start), clock.us(end))
    what = "of silence" if 2 * silent_us >= clock.length_us(frames) else "without speech"
    measured = f"{seconds:.3f} s, of which {silent_us / 1e6:.3f} s near the noise floor"
    return Removal("pause", f"Removed {length} {what}", footage, start, end, ("time without speech", measured))


def write_script(footage: Sequence[Footage], pace: PaceStyle) -> Script:
    """Tightens each A-roll at this pace and strings them together."""
    drops = tuple(dropped_speech(one) for one in footage)
    places = [(number, index) for number, one in enumerate(footage) for index in _kept(len(one.words), drops[number])]
    words = tuple(footage[number].words[index] for number, index in places)
    tails = [[_tail(one, index, pace) for index in range(len(one.words))] for one in footage]
    lead = tuple(_lead(footage[number], index, pace, tails[number]) for number, index in places)
    tail = tuple(tails[number][index] for number, index in places)
    joined = tuple(_is_joined(footage, places, at, pace) for at in range(len(places)))
    steps = (
        words[at].start - words[at - 1].start
        if joined[at]
        else words[at - 1].end - words[at - 1].start + tail[at - 1] + lead[at]
        for at in range(1, len(words))
    )
    begins = tuple(accumulate(steps, initial=lead[0])) if words else ()
    lines = tuple(_lines(footage, places))
    return Script(tuple(footage), tuple(places), words, lead, tail, joined, begins, lines, drops)


def _kept(count: int, drops: Sequence[Drop]) -> Iterator[int]:
    position = 0
    for drop in drops:
        yield from range(position, drop.first)
        position = drop.end
    yield from range(position, count)


def _lead(footage: Footage, index: int, pace: PaceStyle, tails: Sequence[int]) -> int:
    """Frames kept before a word: not into the word before or what is kept after it, nor across a change of shot."""
    word = footage.words[index]
    free = word.start
    if index:
        gap = word.start - footage.words[index - 1].end
        free = min(gap - 1, gap - tails[index - 1])
    if free <= 0:
        return 0
    padded = word.start - footage.clock.frame_at_or_after(word.start_us - pace.pad_before_us)
    return max(0, min(padded, free, word.start - footage.shot_at(word.start)[0]))


def _tail(footage: Footage, index: int, pace: PaceStyle) -> int:
    """Frames kept after a word: not into the one after it, and its share of a short pause."""
    word = footage.words[index]
    gap = (footage.words[index + 1].start if index + 1 < len(footage.words) else footage.clock.frames) - word.end
    if gap <= 0:
        return 0
    free = gap
    if index + 1 < len(footage.words):
        following = footage.words[index + 1]
        shared = gap * pace.pad_after_us // (pace.pad_after_us + pace.pad_before_us)
        before_it = following.start - footage.clock.frame_at_or_after(following.start_us - pace.pad_before_us)
        free = min(gap - 1, max(shared, gap - before_it))
    if free <= 0:
        return 0
    padded = footage.clock.frame_at_or_before(word.end_us + pace.pad_after_us) - word.end
    return max(0, min(padded, free, footage.shot_at(max(0, word.end - 1))[1] - word.end))


def _is_joined(footage: Sequence[Footage], places: Sequence[tuple[int, int]], at: int, pace: PaceStyle) -> bool:
    """Whether nothing is cut between a kept word and the one before it."""
    number, index = places[at]
    if at == 0 or places[at - 1] != (number, index - 1):
        return False
    one = footage[number]
    return one.words[index].glued or _pause_us(one, index) <= pace.longest_gap_us


def _pause_us(footage: Footage, index: int) -> int:
    return footage.words[index].start_us - footage.words[index - 1].end_us


def _lines(footage: Sequence[Footage], places: Sequence[tuple[int, int]]) -> Iterator[Line]:
    at = 0
    for number, one in enumerate(footage):
        for sentence in one.sentences:
            first = at
            while at < len(places) and places[at] < (number, sentence.end):
                at += 1
            if at > first:
                yield Line(first, at, sentence.opens, sentence.closes)

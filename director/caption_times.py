"""Where captions break and when each is up: one dynamic programme over the words of an edit, with the costs of a table.

A caption begins with its first word and is held in the silence after its last one, as long as reading takes. Where
that is too short it begins early in the silence before, or the next one begins a little late. A state of the programme
is a word that a caption may begin with and the frame from which it can be up; of two ways to the same word, one that is
both later and dearer is dropped.
"""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

from director.caption_lines import reaches, text_width
from director.costs import OF_CAPTION_BREAKS
from director.language import bare
from director.languages import Language, among
from director.placing import PlacedWord
from director.style import (
    BRIEFEST_CAPTION,
    CAPTION_CHAIN,
    CAPTION_GAP_FRAMES,
    CAPTION_LATE,
    CAPTION_LEAD,
    CAPTION_LINES,
    CAPTION_PAUSE_US,
    CAPTION_SLIP,
    FASTEST_CHARS_PER_S,
    LONGEST_CAPTION,
    READING_CHARS_PER_S,
    SHORTEST_CAPTION,
    USABLE_PAUSE_US,
)
from schemas.timebase import us_to_frame

_COST: Final = {name: -weight.most for name, weight in OF_CAPTION_BREAKS.items()}
#: Breaks that cost more are tried only where no better one is within reach.
_GOOD_BREAK: Final = _COST["before_small_word"]
#: Ways kept to each word, the cheapest first.
_MOST_STATES: Final = 3
#: Later than all that is said.
_NEVER: Final = 1 << 60


@dataclass(frozen=True, slots=True)
class CaptionLimits:
    """The caption rules in frames of one edit, for one width of line; ``fastest`` and ``comfortable`` by columns."""

    rate: Fraction
    line_chars: int
    between: int
    language: Language
    shortest: int
    briefest: int
    longest: int
    pause: int
    breath: int
    chain: int
    lead: int
    slip: int
    late: int
    fastest: tuple[int, ...]
    comfortable: tuple[int, ...]

    @classmethod
    def of(cls, rate: Fraction, line_chars: int, between: int, language: Language) -> "CaptionLimits":
        shortest = (SHORTEST_CAPTION * rate).__ceil__()

        def frames(speed: int) -> tuple[int, ...]:
            columns = range(CAPTION_LINES * line_chars + 2)
            return tuple(max(shortest, (count * rate / speed).__ceil__()) for count in columns)

        return cls(
            rate,
            line_chars,
            between,
            language,
            shortest=shortest,
            briefest=(BRIEFEST_CAPTION * rate).__ceil__(),
            longest=(LONGEST_CAPTION * rate).__floor__(),
            pause=us_to_frame(CAPTION_PAUSE_US, rate),
            breath=us_to_frame(USABLE_PAUSE_US, rate),
            chain=(CAPTION_CHAIN * rate).__floor__(),
            lead=(CAPTION_LEAD * rate).__floor__(),
            slip=(CAPTION_SLIP * rate).__floor__(),
            late=(CAPTION_LATE * rate).__floor__(),
            fastest=frames(FASTEST_CHARS_PER_S),
            comfortable=frames(READING_CHARS_PER_S),
        )


@dataclass(frozen=True, slots=True)
class Block:
    """Words ``[first, end)`` that are shown together from frame ``start`` to ``until``."""

    first: int
    end: int
    start: int
    until: int


class _State(NamedTuple):
    """A caption may begin with ``word``, from frame ``ready`` on; the one before it begins at ``start``.

    From ``soonest`` on it may begin if those before it begin as early as they may.
    """

    cost: float
    ready: int
    soonest: int
    word: int
    start: int
    before: "_State | None"


def timed_blocks(
    words: Sequence[PlacedWord], changes: Sequence[int], duration: int, limits: CaptionLimits
) -> tuple[Block, ...]:
    """The words in captions, of which none overlap: as readable as they can be, at the breaks that cost least.

    Args:
        words: Words with a text, in order.
        changes: Frames on which another picture begins, in order.
        duration: Frames of the edit.
        limits: The rules, for the edit's rate.
    """
    programme = _Programme(words, changes, duration, limits)
    return tuple(programme.shown(_apart(programme.cheapest(), duration, limits)))


def _apart(begun: Sequence[tuple[int, int]], duration: int, limits: CaptionLimits) -> list[tuple[int, int]]:
    """First words and starts of captions; what would be up too briefly to be seen is joined to its neighbour."""
    kept: list[tuple[int, int]] = []
    for first, start in begun:
        if not kept or start - CAPTION_GAP_FRAMES - kept[-1][1] >= limits.briefest:
            kept.append((first, start))
    while len(kept) > 1 and duration - kept[-1][1] < limits.briefest:
        kept.pop()
    if len(kept) == 1:
        kept[0] = kept[0][0], min(kept[0][1], duration - limits.shortest)
    return kept


class _Programme:
    """The words as arrays: everything that a step of the programme asks for is looked up."""

    def __init__(
        self, words: Sequence[PlacedWord], changes: Sequence[int], duration: int, limits: CaptionLimits
    ) -> None:
        count = len(words)
        self._limits = limits
        self._duration = duration
        self._lead, self._late = max(1, limits.lead), max(1, limits.late)
        self._starts = [word.start for word in words]
        self._ends = list(accumulate((word.end for word in words), max))
        widths = [text_width(word.text) for word in words]
        self._columns = list(accumulate((width + limits.between for width in widths), initial=0))
        self._sentences = list(accumulate((word.ends_sentence for word in words), initial=0))
        self._break = [0.0, *(_break_cost(words, at, limits) for at in range(1, count)), 0.0]
        self._good = self._good_breaks()
        self._changes = [*changes, _NEVER]
        self._reach = list(self._reaches(words, reaches(widths, limits.between, limits.line_chars)))
        self._changed = [bisect_right(changes, start) for start in self._starts]
        self._unchanged = [0, *(bisect_left(changes, end) for end in self._ends)]
        self._earliest = [*map(self._earliest_start, range(count)), duration]
        #: The frame that a caption of the words before this one is gone by, for the next one to be in time; and because
        #: the picture changes, once its last word is said.
        self._free_to = [*(start - CAPTION_GAP_FRAMES for start in self._starts), duration]
        self._changes_after = [0, *map(self._change_after, range(1, count + 1))]
        self._unchanged_to = list(map(min, self._free_to, self._changes_after))
        self._ending = [_COST["another_caption"] + cost for cost in self._break]
        #: By columns: of a caption that begins a sentence, and of one that goes on with it.
        self._too_short = [_short(columns, limits.line_chars) for columns in range(len(limits.fastest))]
        self._too_little_left = [
            cost + _left_over(columns, limits.line_chars) for columns, cost in enumerate(self._too_short)
        ]
        self._begins = [cost == _COST["after_sentence"] for cost in self._break]
        self._scraps = list(self._leaves_scraps())

    def _reaches(self, words: Sequence[PlacedWord], fitting: Sequence[int]) -> Iterator[int]:
        """One past the last word that a caption may end with: two lines, 7 s, no long pause, no other's sentence."""
        limits, count = self._limits, len(words)
        stop, end = count, 1
        stops = [count] * count
        for at in range(count - 1, 0, -1):
            paused = words[at].start - self._ends[at - 1] > limits.pause
            stop = at if paused or self._begins_anew(words, at) else stop
            stops[at - 1] = stop
        for first in range(count):
            end = max(end, first + 1)
            while end < count and self._ends[end] - self._starts[first] <= limits.longest:
                end += 1
            yield min(fitting[first], stops[first], end)

    def _begins_anew(self, words: Sequence[PlacedWord], at: int) -> bool:
        """Whether a sentence begins near a cut to another scene: often another's, not to be read before it is heard.

        As near as half a second, since recognisers let the last word of a scene reach into the next.
        """
        if not words[at - 1].ends_sentence:
            return False
        change = self._changes[bisect_right(self._changes, self._ends[at - 1] - self._limits.lead)]
        return words[at].after_cut or change < self._starts[at] + self._limits.lead

    def _leaves_scraps(self) -> Iterator[bool]:
        """Before each word, and at the end: whether less than half a line is left of a sentence there."""
        over = len(self._starts)
        left = [False]
        for at in range(over - 1, -1, -1):
            columns = self._columns[over] - self._columns[at]
            left.append(not self._begins[at] and 2 * columns < self._limits.line_chars)
            over = at if self._begins[at] else over
        return reversed(left)

    def _good_breaks(self) -> list[int]:
        """Words before which it is good to break, and the end."""
        return [at for at, cost in enumerate(self._break) if at and cost <= _GOOD_BREAK]

    def _earliest_start(self, first: int) -> int:
        """From when a caption may be up: some time before its first word, not over another picture or other's words."""
        if not first:
            return max(0, self._starts[0] - self._limits.lead)
        changed = self._changed[first]
        return max(
            self._starts[first] - self._limits.lead,
            self._ends[first - 1] - self._limits.slip,
            self._starts[first - 1] + CAPTION_GAP_FRAMES + 1,
            self._changes[changed - 1] if changed else 0,
        )

    def cheapest(self) -> list[tuple[int, int]]:
        """First word and start of each caption of the cheapest way through all words."""
        count = len(self._starts)
        ways: defaultdict[int, list[_State]] = defaultdict(list)
        ways[0].append(_State(0.0, self._earliest[0], self._earliest[0], 0, 0, None))
        for first in range(count):
            for state in ways.pop(first, ()):
                self._go_on(state, ways)
        return list(_traced(min(ways[count], key=_order)))[::-1]

    def _go_on(self, state: _State, ways: Mapping[int, list[_State]]) -> None:
        """Every caption that may begin there.

        With bad breaks only where a good one is out of reach or of the guide, or leaves over a word or two.
        """
        first, last = state.word, self._reach[state.word]
        good = self._good[bisect_right(self._good, first) : bisect_right(self._good, last)]
        if not self._end_at(good, state, ways) or self._scraps[good[-1]]:
            tried = set(good)
            self._end_at([end for end in range(first + 1, last + 1) if end not in tried], state, ways)

    def _end_at(self, ends: Sequence[int], state: _State, ways: Mapping[int, list[_State]]) -> bool:
        """Captions of the words from the state's up to each of ``ends``; whether one of them has time to be read.

        What is dearer by its text alone than all the ways that are kept is not looked at any longer. This is what
        captioning takes its time for, so that everything is looked up that can be.
        """
        limits, first, readable = self._limits, state.word, False
        fastest, comfortable, widest = limits.fastest, limits.comfortable, len(limits.fastest) - 1
        opening = max(self._starts[first], state.ready)
        columns_before = self._columns[first] + limits.between
        sentence, changed = self._sentences[first], self._changed[first]
        too_short = self._too_short if self._begins[first] else self._too_little_left
        for end in ends:
            columns = self._columns[end] - columns_before
            columns = min(widest, columns)
            needed, start = fastest[columns], opening
            cost = state.cost + self._ending[end] + too_short[columns]
            if self._unchanged[end] > changed:
                cost += _COST["over_change"] * (self._unchanged[end] - changed)
            if self._sentences[end - 1] > sentence and self._break[end]:
                cost += _COST["sentence_begun"]
            until = min(self._unchanged_to[end], start + limits.longest)
            reached = ways[end]
            if len(reached) == _MOST_STATES and cost >= reached[-1].cost:
                readable = True
                continue
            if start + needed > until:
                start, until, more = self._stretched(state, end, start, until, needed)
                cost += more
            shown = until - start
            if shown < comfortable[columns]:
                cost += _COST["hurried"] * (1 - max(0, shown) / comfortable[columns])
            readable = readable or cost - state.cost < _COST["out_of_guide"]
            ready = max(min(start + needed, until) + CAPTION_GAP_FRAMES, self._earliest[end])
            soonest = min(start + needed, state.soonest + needed, until) + CAPTION_GAP_FRAMES
            soonest = max(soonest, self._earliest[end])
            if not _is_worse(reached, cost, ready, soonest):
                _keep(reached, _State(cost, ready, soonest, end, start, state))
        return readable

    def _stretched(self, state: _State, end: int, start: int, until: int, needed: int) -> tuple[int, int, float]:
        """When a caption is up that has no time between its first word and the next caption, and what that costs.

        It begins early, and those before it as well if need be. If that is not enough, it may stay over a change of
        picture, and keep the next one waiting, where that costs less than what it lacks.
        """
        early = max(state.soonest, until - needed)
        moved = start - early + max(0, state.ready - early)
        cost = _COST["early"] * moved / self._lead if moved else 0.0
        least, gone = cost + self._lacking(until - early, needed), until
        if until < self._free_to[end]:
            cost, until = cost + _COST["held_over_change"], min(self._free_to[end], early + self._limits.longest)
            least, gone = min((least, gone), (cost + self._lacking(until - early, needed), until))
        late = early + needed - until
        if late > 0 and end < len(self._starts):
            late = min(self._limits.late, late)
            cost, until = cost + _COST["late"] * late / self._late, until + late
            least, gone = min((least, gone), (cost + self._lacking(until - early, needed), until))
        return early, gone, least

    def _lacking(self, shown: int, needed: int) -> float:
        """What it costs to show a caption for fewer frames than are needed to read it."""
        if shown >= needed:
            return 0.0
        cost = _COST["out_of_guide"] * (3 - 2 * max(0, shown) / needed)
        return cost + (_COST["barely_seen"] if shown < self._limits.briefest else 0.0)

    def _columns_of(self, first: int, end: int) -> int:
        return min(self._columns[end] - self._columns[first] - self._limits.between, len(self._limits.fastest) - 1)

    def _change_after(self, end: int) -> int:
        return max(self._changes[self._unchanged[end]] - CAPTION_GAP_FRAMES, self._ends[end - 1])

    def shown(self, begun: Sequence[tuple[int, int]]) -> Iterator[Block]:
        """The captions with their ends: read with ease, up while it is said, without a flicker before the next."""
        limits = self._limits
        for (first, start), (end, following) in pairwise([*begun, (len(self._starts), _NEVER)]):
            columns, spoken_to = self._columns_of(first, end), self._ends[end - 1]
            free_to = min(following - CAPTION_GAP_FRAMES, self._duration, start + limits.longest)
            until = max(start + limits.comfortable[columns], spoken_to)
            if following - CAPTION_GAP_FRAMES - until <= limits.chain:
                until = free_to
            unchanged = max(self._changes_after[end], start + limits.fastest[columns])
            yield Block(first, end, start, min(until, unchanged, free_to))


def _short(columns: int, line_chars: int) -> float:
    """What it costs that a caption has less text than a line holds."""
    return _COST["short_text"] * max(0.0, 1 - columns / line_chars)


def _left_over(columns: int, line_chars: int) -> float:
    """What it costs that one that goes on with a sentence has less than half of that."""
    return _COST["left_over"] * max(0.0, 1 - 2 * columns / line_chars)


def _is_worse(ways: Sequence[_State], cost: float, ready: int, soonest: int) -> bool:
    """Whether another way to the same word is as cheap and as early."""
    for way in ways:  # noqa: SIM110 (a generator takes twice as long, and this is asked for each end of each caption)
        if way.cost <= cost and way.ready <= ready and way.soonest <= soonest:
            return True
    return False


def _keep(ways: list[_State], reached: _State) -> None:
    """Adds a way to a word in the order of cost, and gives up the dearest of too many."""
    insort(ways, reached, key=_order)
    del ways[_MOST_STATES:]


def _order(way: _State) -> tuple[float, int]:
    return way.cost, way.ready


def _traced(state: _State) -> Iterator[tuple[int, int]]:
    """First word and start of each caption, the last one first; earlier than planned where the next one is as well."""
    following = state.ready
    while state.before is not None:
        begun = max(state.before.soonest, state.start - max(0, state.ready - following))
        following = min(state.start, begun)
        yield state.before.word, following
        state = state.before


def _break_cost(words: Sequence[PlacedWord], at: int, limits: CaptionLimits) -> float:
    """What it costs to begin a caption with a word."""
    before, after = words[at - 1], words[at]
    if before.ends_sentence:
        return _COST["after_sentence"]
    if before.ends_phrase:
        return _COST["after_phrase"]
    leads = _COST["leading_word"] if _is_one(before.text, after.text, limits.language) else 0.0
    if after.start - before.end > limits.breath:
        return _COST["in_pause"] + leads
    return (
        _COST["before_small_word"] if among(bare(after.text), limits.language.breaks) else _COST["in_phrase"]
    ) + leads


def _is_one(before: str, after: str, language: Language) -> bool:
    """Whether a word leads to the next, or both are written as parts of a name."""
    if language.leads_on(before):
        return True
    named = before[-1:].isalnum() and before[:1].isupper() and after[:1].isupper()
    return named and bare(after) not in language.speaker

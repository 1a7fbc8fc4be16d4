"""The grammar of cutting as rules: each looks at a cutting and names every place that breaks it.

A rule counts how often it could have been broken, so that a timeline's score does not depend on its length.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import mean, pstdev
from typing import Final

from director.grammar.cutting import Cutting, Heard, Shot
from director.style import (
    CAPTION_GAP_FRAMES,
    COVER_REPEAT_US,
    FASTEST_CHARS_PER_S,
    LANDSCAPE_CAPTIONS,
    LONGEST_CAPTION,
    OPENING_US,
    PORTRAIT_CAPTIONS,
    SHORTEST_CAPTION,
    SPLIT_EDIT_FRAMES,
    VISIBLE_JUMP_US,
)
from schemas.edl import Caption
from schemas.timebase import us_to_frame

#: A change of size at a jump cut that a viewer takes for a choice (EDITING: at least 10 %).
_VISIBLE_RESIZE: Final = 0.1
#: Mean shot length of modern pacing [Salt; Bordwell], in seconds; a fifth more or less is still that.
_MEAN_SHOT_S: Final = (4 * 0.8, 6 * 1.2)
#: Fewer shots have no rhythm to judge.
_FEWEST_SHOTS: Final = 6
#: Shot lengths spread about 1.2 times their mean [Salt]; below this they tick like a clock.
_LEAST_SPREAD: Final = 0.35
#: A shot shorter than this is not seen, only noticed: a third of a second.
_GLIMPSE: Final = Fraction(1, 3)


@dataclass(frozen=True, slots=True)
class Breach:
    """A place that breaks a rule, at a timeline frame, in a sentence; ``None`` is the timeline as a whole."""

    frame: int | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Judged:
    """How often a rule could be broken, and where it was."""

    chances: int
    breaches: tuple[Breach, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """``weight`` is what a timeline that always breaks it loses of 100; ``source`` is where the rule comes from."""

    name: str
    weight: int
    source: str
    judge: Callable[[Cutting], Judged]


def jump_cuts(cutting: Cutting) -> Judged:
    """A cut within one picture that neither hides nor shows that it is one."""
    least = us_to_frame(VISIBLE_JUMP_US, cutting.rate)
    cuts = list(cutting.cuts)
    within = [(a, b) for a, b in cuts if a.source == b.source and abs(cutting.jump(a, b)) >= least]
    bare = [after for before, after in within if not _resized(before, after)]
    return Judged(len(cuts), tuple(Breach(s.start, f"jumps within {s.source} with the frame unchanged") for s in bare))


def _resized(before: Shot, after: Shot) -> bool:
    """Whether the size changes visibly; where nothing tells, it is taken for unchanged, as most programs leave it."""
    if before.size is None or after.size is None:
        return False
    return max(before.size, after.size) / min(before.size, after.size) - 1 >= _VISIBLE_RESIZE - 1e-9


def glimpses(cutting: Cutting) -> Judged:
    shortest = _GLIMPSE * cutting.rate
    short = [shot for shot in cutting.shots if shot.frames < shortest]
    return Judged(
        len(cutting.shots), tuple(Breach(s.start, f"shows {s.source} for {s.frames} frames only") for s in short)
    )


def shot_length(cutting: Cutting) -> Judged:
    lengths = _lengths(cutting)
    if len(lengths) < _FEWEST_SHOTS:
        return Judged(0, ())
    average, (low, high) = mean(lengths), _MEAN_SHOT_S
    if low <= average <= high:
        return Judged(1, ())
    return Judged(1, (Breach(None, f"shots last {average:.1f} s on average; 4 to 6 s is today's pace"),))


def rhythm(cutting: Cutting) -> Judged:
    lengths = _lengths(cutting)
    if len(lengths) < _FEWEST_SHOTS:
        return Judged(0, ())
    spread = pstdev(lengths) / mean(lengths)
    if spread >= _LEAST_SPREAD:
        return Judged(1, ())
    return Judged(1, (Breach(None, f"shots are all of a length: they spread {spread:.2f} of their mean"),))


def _lengths(cutting: Cutting) -> list[float]:
    """Seconds between cuts."""
    if not cutting.shots:
        return []
    marks = [cutting.shots[0].start, *(after.start for _, after in cutting.cuts), cutting.shots[-1].end]
    return [float((end - start) / cutting.rate) for start, end in pairwise(marks)]


def repeated_covers(cutting: Cutting) -> Judged:
    wait = us_to_frame(COVER_REPEAT_US, cutting.rate)
    covers = [shot for shot in cutting.shots if shot.cover]
    again = [
        after
        for at, after in enumerate(covers)
        if any(_same_pictures(before, after, cutting.rate) for before in _within(covers[:at], after.start - wait))
    ]
    return Judged(len(covers), tuple(Breach(s.start, f"shows the same of {s.source} again within 30 s") for s in again))


def _within(covers: Sequence[Shot], since: int) -> Iterator[Shot]:
    for cover in reversed(covers):
        if cover.end <= since:
            return
        yield cover


def _same_pictures(before: Shot, after: Shot, rate: Fraction) -> bool:
    if before.source != after.source:
        return False
    apart = (after.source_in - before.source_in) * rate
    return -after.frames < apart < before.frames and abs(apart - (after.start - before.start)) > 1


def covered_opening(cutting: Cutting) -> Judged:
    opening = us_to_frame(OPENING_US, cutting.rate)
    early = next((shot for shot in cutting.shots if shot.cover and shot.start < opening), None)
    if early is None or not cutting.dialogue:
        return Judged(1, ())
    return Judged(1, (Breach(early.start, f"{early.source} covers the opening line, which is the speaker's"),))


def split_edits(cutting: Cutting) -> Judged:
    """Sound that changes near a cut of the picture, but neither with it nor far enough from it to be heard as meant."""
    edges = sorted(after.start for _, after in cutting.cuts)
    joins = [after.start for before, after in pairwise(cutting.dialogue) if before.source != after.source]
    gaps = [(join, _distance(edges, join)) for join in joins]
    breaches = tuple(
        Breach(join, f"sound changes {gap} frames off the picture's cut")
        for join, gap in gaps
        if 0 < gap < SPLIT_EDIT_FRAMES.start
    )
    return Judged(len(joins), breaches)


def _distance(edges: Sequence[int], frame: int) -> int:
    """Frames to the nearest of sorted ``edges``; 0 where there are none."""
    at = bisect_left(edges, frame)
    return min((abs(edge - frame) for edge in edges[max(0, at - 1) : at + 1]), default=0)


def hard_joins(cutting: Cutting) -> Judged:
    joins = [(a, b) for a, b in pairwise(cutting.dialogue) if a.end == b.start and not _sounds_on(a, b, cutting.rate)]
    told = [(a, b) for a, b in joins if a.fades_out is not None and b.fades_in is not None]
    hard = [after for before, after in told if not (before.fades_out and after.fades_in)]
    return Judged(len(told), tuple(Breach(s.start, f"sound of {s.source} is joined without a fade") for s in hard))


def _sounds_on(before: Heard, after: Heard, rate: Fraction) -> bool:
    skipped = (after.source_in - before.source_in) * rate - (before.end - before.start)
    return before.source == after.source and abs(skipped) <= 1


def caption_form(cutting: Cutting) -> Judged:
    layout = PORTRAIT_CAPTIONS if cutting.upright else LANDSCAPE_CAPTIONS
    wide = [c for c in cutting.captions if max(map(len, c.lines)) > layout.line_chars]
    return Judged(
        len(cutting.captions),
        tuple(Breach(c.start, f"a line of {max(map(len, c.lines))} characters; {layout.line_chars} fit") for c in wide),
    )


def caption_times(cutting: Cutting) -> Judged:
    """Too short to be seen, too long on screen, or too close to the next."""
    captions, rate = cutting.captions, cutting.rate
    off = [c for c in captions if not SHORTEST_CAPTION <= (c.end - c.start) / rate <= LONGEST_CAPTION]
    close = [b for a, b in pairwise(captions) if 0 < b.start - a.end < CAPTION_GAP_FRAMES]
    said = [Breach(c.start, f"is up for {float((c.end - c.start) / rate):.1f} s; 0.8 to 7 s is read well") for c in off]
    said += [Breach(c.start, "follows the last one without a gap to notice") for c in close]
    return Judged(len(captions), tuple(said))


def caption_speed(cutting: Cutting) -> Judged:
    fast = [c for c in cutting.captions if _speed(c, cutting.rate) > FASTEST_CHARS_PER_S]
    return Judged(
        len(cutting.captions),
        tuple(Breach(c.start, f"asks for {_speed(c, cutting.rate):.0f} characters a second; 20 is fast") for c in fast),
    )


def _speed(caption: Caption, rate: Fraction) -> float:
    return float(len(" ".join(caption.lines)) / ((caption.end - caption.start) / rate))


#: What can be said of any timeline. Weights are what each costs a viewer, by our judgement.
RULES: Final = (
    Rule("jump cut", 30, "EDITING: hide jump cuts; change of size >= 10 %", jump_cuts),
    Rule("glimpse", 15, "our judgement: under a third of a second nothing is recognised", glimpses),
    Rule("shot length", 10, "Salt; Bordwell: 4-6 s", shot_length),
    Rule("rhythm", 5, "Salt: lengths spread about 1.2 times their mean", rhythm),
    Rule("repeated cover", 10, "EDITING: not again within 30 s", repeated_covers),
    Rule("covered opening", 10, "EDITING: never over the opening line", covered_opening),
    Rule("split edit", 5, "EDITING: 4-15 frames of lead or lag", split_edits),
    Rule("hard join", 15, "EDITING: a fade of 10-30 ms at every join", hard_joins),
    Rule("caption line", 5, "Netflix timed text guide: 42 characters (22 upright)", caption_form),
    Rule("caption time", 5, "Netflix timed text guide: 5/6 s to 7 s, 2 frames between", caption_times),
    Rule("caption speed", 5, "Netflix timed text guide: 20 characters a second at most", caption_speed),
)

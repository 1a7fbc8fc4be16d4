"""The one line of 3 to 5 seconds that makes a viewer stay."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from director.choosing import (
    frame_bounds,
    meet,
    opening_evidence,
    scored_script,
    seconds,
    selected,
    talking,
    total_frames,
)
from director.costs import shares
from director.material import Footage, Material
from director.passages import Bounds, Passage, passage_of_line, phrase_passages
from director.ranking import chosen
from director.recipe import Candidates, PlanOptions, Recipe, Selection, Shape, no_alternatives
from director.scoring import ScoredScript
from director.script import Script, Stretch
from director.style import HOOK_LENGTH, LANDSCAPE_CAPTIONS
from director.tightening import quote
from schemas.errors import ErrorCode, OutputRefused


def choose(material: Material, options: PlanOptions) -> Selection:
    """The best line of 3-5 s; a short one is held in its silence, voice without words is cut by sound alone.

    Raises:
        OutputRefused: no line, or not so many, can be made to last 3-5 s without cutting into a word.
    """
    return chosen(_candidates(material, options), options)


def _candidates(material: Material, options: PlanOptions) -> Candidates:
    footage = talking(material, "hook")
    length = frame_bounds(HOOK_LENGTH, material.rate)
    scored = scored_script(footage, options.pace)
    lines = _lines(scored, length, options.count)
    if lines:
        return Candidates(lines, lambda most: _lines(scored, length, most), "hooks")
    voices = tuple(islice(_by_sound_alone(footage, length), options.count))
    if voices:
        return Candidates(voices, no_alternatives, "hooks")
    raise OutputRefused(
        ErrorCode.SOURCE_TOO_SHORT,
        f"A hook is 3 to 5 seconds long; this footage has {seconds(scored.script.frames, material.rate)} of speech, "
        "and no line of it can be made to last that long without cutting into a word.",
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """A line that can be a hook."""

    worth: float
    selection: Selection


def _lines(scored: ScoredScript, length: Bounds, most: int) -> list[Selection]:
    """The best lines, those that last 3-5 s by themselves and those that are held in their silence."""
    spoken = [
        _Line(line.worth, selected(scored.script, (line,), "hook", _why(scored, line)))
        for line in phrase_passages(scored, length, most)
    ]
    held = list(islice(_held(scored, length), most))
    apart: list[_Line] = []
    for line in sorted([*spoken, *held], key=lambda line: -line.worth):
        if not any(meet(line.selection.stretches, other.selection.stretches) for other in apart):
            apart.append(line)
    return [line.selection for line in max(apart[:most], spoken, key=len)]


def _why(scored: ScoredScript, line: Passage, how: str = "") -> str:
    said = quote(scored.script.words[line.first : line.end])
    return f"The line that makes a viewer stay{how}: “{said}”"


def _held(scored: ScoredScript, length: Bounds) -> Iterator[_Line]:
    """Short lines, the best first, lengthened into the silence around them and not into that of a better one."""
    script = scored.script
    taken: list[Stretch] = []
    short = [passage_of_line(scored, index, held=missing) for index, missing in _short_lines(script, length)]
    for line in sorted(short, key=lambda line: (-line.worth, line.first)):
        stretches = _lengthened(script, line.first, line.end, length[0])
        if stretches is None or not length[0] <= total_frames(stretches) <= length[1] or meet(stretches, taken):
            continue
        taken.extend(stretches)
        held = selected(script, (line,), "hook", _why(scored, line, ", held to 3 s in its silence"))
        yield _Line(line.worth, replace(held, stretches=stretches))


def _short_lines(script: Script, length: Bounds) -> Iterator[tuple[int, float]]:
    """The lines that are shorter than a hook, and the share of a hook that each lacks."""
    for index, line in enumerate(script.lines):
        cuttable = script.gap_before(line.first) is not None and script.gap_before(line.end) is not None
        missing = length[0] - script.length(line.first, line.end)
        if cuttable and missing > 0:
            yield index, missing / length[0]


def _lengthened(script: Script, first: int, end: int, shortest: int) -> tuple[Stretch, ...] | None:
    """Grows the last stretch to its end's silence, then the first one backwards, until ``shortest`` is reached."""
    stretches = list(script.stretches(first, end))
    missing = max(0, shortest - total_frames(stretches))
    after = min(missing, max(0, stretches[-1].clear_after))
    stretches[-1] = replace(stretches[-1], end=stretches[-1].end + after, clear_after=stretches[-1].clear_after - after)
    before = min(missing - after, max(0, stretches[0].clear_before))
    stretches[0] = replace(
        stretches[0], start=stretches[0].start - before, clear_before=stretches[0].clear_before - before
    )
    return tuple(stretches) if after + before == missing else None


def _by_sound_alone(footage: tuple[Footage, ...], length: Bounds) -> Iterator[Selection]:
    """The starts of the longest voices that no words are known of: nothing says where a word of them ends."""
    voices = [(word, one) for one in footage if not one.worded for word in one.words]
    for voice, one in sorted(voices, key=lambda pair: pair[0].start - pair[0].end):
        end = min(voice.start + length[1], one.clock.frames, voice.end)
        if end - voice.start < length[0]:
            return
        stretch = Stretch(one, voice.start, end, (voice._replace(end=end),))
        text = "No words are known of this voice: the hook is a long unbroken stretch of it, from the start"
        evidence = opening_evidence((stretch,), "voice without words", "yes")
        yield Selection((stretch,), "hook", text, shares({"without_words": 1.0}), (evidence,))


RECIPE = Recipe(
    choose=choose,
    shape=Shape.LANDSCAPE,
    captions=LANDSCAPE_CAPTIONS,
    burn_in=False,
    covers=False,
    candidates=_candidates,
)

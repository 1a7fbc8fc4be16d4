"""The one line of 3 to 5 seconds that makes a viewer stay."""

from dataclasses import replace

from director.choosing import frame_bounds, opening_evidence, scored_script, seconds, selected, talking, total_frames
from director.material import Footage, Material
from director.passages import best_phrases
from director.recipe import PlanOptions, Recipe, Selection, Shape
from director.scoring import ScoredScript
from director.script import Script, Stretch
from director.style import HOOK_LENGTH, LANDSCAPE_CAPTIONS
from director.tightening import quote
from schemas.errors import ErrorCode, OutputRefused


def choose(material: Material, options: PlanOptions) -> Selection:
    """The best line of 3-5 s; a short one is held in its silence, voice without words is cut by sound alone.

    Raises:
        OutputRefused: no line can be made to last 3-5 s without cutting into a word.
    """
    footage = talking(material, "hook")
    shortest, longest = frame_bounds(HOOK_LENGTH, material.rate)
    scored = scored_script(footage, options.pace)
    script = scored.script
    line = best_phrases(scored, shortest, longest)
    if line is not None:
        said = quote(script.words[line.first : line.end])
        return selected(script, (line,), "hook", f"The line that makes a viewer stay: “{said}”")
    held = _held(scored, shortest, longest) or _by_sound_alone(footage, shortest, longest)
    if held is not None:
        return held
    raise OutputRefused(
        ErrorCode.SOURCE_TOO_SHORT,
        f"A hook is 3 to 5 seconds long; this footage has {seconds(script.frames, material.rate)} of speech, and no "
        "line of it can be made to last that long without cutting into a word.",
    )


def _held(scored: ScoredScript, shortest: int, longest: int) -> Selection | None:
    """The best short line, lengthened into the silence around it."""
    script = scored.script
    for index in sorted(range(len(script.lines)), key=lambda i: (-scored.scores[i].total, i)):
        line = script.lines[index]
        if script.gap_before(line.first) is None or script.gap_before(line.end) is None:
            continue
        stretches = _lengthened(script, line.first, line.end, shortest)
        if stretches is not None and shortest <= total_frames(stretches) <= longest:
            said = quote(script.words[line.first : line.end])
            text = f"The line that makes a viewer stay, held to 3 s in its silence: “{said}”"
            return Selection(stretches, "hook", text, (opening_evidence(stretches, "said", said),))
    return None


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


def _by_sound_alone(footage: tuple[Footage, ...], shortest: int, longest: int) -> Selection | None:
    """The start of the longest voice that no words are known of: nothing says where a word of it ends."""
    voices = [(word, one) for one in footage if not one.worded for word in one.words]
    if not voices:
        return None
    voice, one = max(voices, key=lambda pair: pair[0].end - pair[0].start)
    end = min(voice.start + longest, one.clock.frames, voice.end)
    if end - voice.start < shortest:
        return None
    stretch = Stretch(one, voice.start, end, (replace(voice, end=end),))
    text = "No words are known of this voice: the hook is its longest unbroken stretch, from the start"
    return Selection((stretch,), "hook", text, (opening_evidence((stretch,), "voice without words", "yes"),))


RECIPE = Recipe(choose=choose, shape=Shape.LANDSCAPE, captions=LANDSCAPE_CAPTIONS, burn_in=False, covers=False)

"""Up to 90 seconds upright, the speaker in frame and the words on screen."""

from itertools import chain

from director.choosing import frame_bounds, opening_evidence, scored_script, seconds, selected, total_frames, whole
from director.material import Footage, Material
from director.passages import best_phrases, best_sentences
from director.recipe import PlanOptions, Recipe, Selection, Shape
from director.script import Stretch
from director.style import PORTRAIT_CAPTIONS, REEL_LENGTH
from director.tightening import quote
from schemas.errors import ErrorCode, OutputRefused


def choose(material: Material, options: PlanOptions) -> Selection:
    """All of the speech where it fits, else the best passage; where nobody speaks, the picture's first 90 s.

    Raises:
        OutputRefused: there is no A-roll, or nothing of the speech can be cut to 90 s.
    """
    if not material.a_roll:
        raise OutputRefused(
            ErrorCode.NO_USABLE_ASSET, "The vertical reel needs A-roll footage; there is only B-roll here."
        )
    shortest, longest = frame_bounds(REEL_LENGTH, material.rate)
    spoken = tuple(footage for footage in material.a_roll if footage.words)
    if not spoken:
        return _silent(material.a_roll, longest)
    scored = scored_script(spoken, options.pace)
    script = scored.script
    if script.frames <= longest:
        stretches = script.stretches(0, len(script.words))
        text = f"Everything said fits a reel: {seconds(script.frames, material.rate)}"
        return Selection(stretches, "story", text, (opening_evidence(stretches, "length", text),))
    passage = (
        best_sentences(scored, shortest, longest)
        or best_sentences(scored, 1, longest)
        or best_phrases(scored, shortest, longest)
        or best_phrases(scored, 1, longest)
    )
    if passage is None:
        raise OutputRefused(
            ErrorCode.SOURCE_TOO_SHORT, "A reel lasts 90 seconds at most, and this speech has no pause to cut it in."
        )
    opening = quote(script.words[passage.first : passage.end])
    text = f"Chose the best passage of {seconds(script.frames, material.rate)} of speech, from “{opening}”"
    return selected(script, (passage,), "passage", text)


def _silent(footage: tuple[Footage, ...], longest: int) -> Selection:
    stretches: list[Stretch] = []
    for stretch in chain.from_iterable(map(whole, footage)):
        room = longest - total_frames(stretches)
        if room > 0:
            stretches.append(Stretch(stretch.footage, 0, min(room, stretch.end)))
    text = "Nobody speaks in the footage, so the reel shows its picture from the start"
    return Selection(tuple(stretches), "story", text, (opening_evidence(stretches, "spoken words", "0"),))


RECIPE = Recipe(choose=choose, shape=Shape.PORTRAIT, captions=PORTRAIT_CAPTIONS, burn_in=True, covers=True)

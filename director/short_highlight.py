"""The best self-contained passage of 30 to 60 seconds."""

from dataclasses import replace

from director.choosing import frame_bounds, scored_script, seconds, selected, talking
from director.material import Material
from director.passages import Passage, best_phrases, best_sentences, scattered_sentences
from director.recipe import PlanOptions, Recipe, Selection, Shape
from director.scoring import ScoredScript
from director.style import LANDSCAPE_CAPTIONS, SHORT_LENGTH
from director.tightening import quote
from schemas.errors import ErrorCode, OutputRefused
from schemas.jobs import Pace


def choose(material: Material, options: PlanOptions) -> Selection:
    """The passage of 30-60 s with the best score, on sentence bounds wherever sentences allow it.

    Raises:
        OutputRefused: less than 30 s is left of the speech, however loosely it is cut.
    """
    footage = talking(material, "short highlight")
    shortest, longest = frame_bounds(SHORT_LENGTH, material.rate)
    scored = scored_script(footage, options.pace)
    loosened = scored.script.frames < shortest
    if loosened:
        scored = scored_script(footage, Pace.RELAXED)
    length = scored.script.frames
    if length < shortest:
        raise _too_short(seconds(length, material.rate))
    passages = _passages(scored, shortest, longest)
    if not passages:
        raise _too_short(seconds(length, material.rate))
    opening = scored.script.words[passages[0].first : passages[0].end]
    gathered = f"{len(passages)} passages" if len(passages) > 1 else "the best passage"
    pauses = "; pauses are left longer to fill 30 s" if loosened else ""
    text = f"Chose {gathered} of {seconds(length, material.rate)} of speech, from “{quote(opening)}”{pauses}"
    selection = selected(scored.script, passages, "passage", text)
    return replace(selection, pace=Pace.RELAXED) if loosened else selection


def _passages(scored: ScoredScript, shortest: int, longest: int) -> tuple[Passage, ...]:
    """One run of sentences if any fits, else sentences from several places, else whatever pauses bound."""
    run = best_sentences(scored, shortest, longest)
    if run is not None:
        return (run,)
    scattered = scattered_sentences(scored, shortest, longest)
    if scattered:
        return scattered
    phrase = best_phrases(scored, shortest, longest)
    return (phrase,) if phrase else ()


def _too_short(length: str) -> OutputRefused:
    return OutputRefused(
        ErrorCode.SOURCE_TOO_SHORT,
        f"A short highlight is 30 to 60 seconds long; without its pauses and repeats, this footage has {length} of "
        "speech that can be cut between words.",
    )


RECIPE = Recipe(choose=choose, shape=Shape.LANDSCAPE, captions=LANDSCAPE_CAPTIONS, burn_in=False, covers=True)

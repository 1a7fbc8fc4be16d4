"""The best self-contained passage of 30 to 60 seconds."""

from collections.abc import Sequence
from dataclasses import replace

from director.choosing import frame_bounds, passage_of, scored_script, seconds, selected, talking
from director.gathering import gathered_sentences, held_together
from director.material import Material
from director.passages import Bounds, Passage, phrase_passages, sentence_passages
from director.ranking import chosen
from director.recipe import Candidates, PlanOptions, Recipe, Selection, Shape
from director.scoring import ScoredScript
from director.style import LANDSCAPE_CAPTIONS, SHORT_LENGTH
from director.tightening import quote
from schemas.errors import ErrorCode, OutputRefused
from schemas.jobs import Pace


def choose(material: Material, options: PlanOptions) -> Selection:
    """The passage of 30-60 s with the best score, on sentence bounds wherever sentences allow it.

    Raises:
        OutputRefused: less than 30 s is left of the speech, however loosely it is cut, or too little for so many.
    """
    return chosen(_candidates(material, options), options)


def _candidates(material: Material, options: PlanOptions) -> Candidates:
    footage = talking(material, "short highlight")
    length = frame_bounds(SHORT_LENGTH, material.rate)
    scored = scored_script(footage, options.pace)
    loosened = scored.script.frames < length[0]
    if loosened:
        scored = scored_script(footage, Pace.RELAXED)

    def found(most: int) -> tuple[Selection, ...]:
        return tuple(_selection(scored, group, options, loosened=loosened) for group in _found(scored, length, most))

    best = found(options.count)
    if not best:
        raise _too_short(seconds(scored.script.frames, material.rate))
    return Candidates(best, found, "short highlights")


def _selection(scored: ScoredScript, passages: Sequence[Passage], options: PlanOptions, *, loosened: bool) -> Selection:
    script = scored.script
    spoken = seconds(script.frames, script.footage[0].clock.rate)
    which = f"{len(passages)} passages" if len(passages) > 1 else passage_of(options)
    pauses = "; pauses are left longer to fill 30 s" if loosened else ""
    opening = quote(script.words[passages[0].first : passages[0].end])
    text = f"Chose {which} of {spoken} of speech, from “{opening}”{pauses}"
    selection = selected(script, passages, "passage", text)
    return replace(selection, pace=Pace.RELAXED) if loosened else selection


def _found(scored: ScoredScript, length: Bounds, most: int) -> tuple[tuple[Passage, ...], ...]:
    """Runs of sentences if any fits, else sentences from several places, else whatever pauses bound.

    Several places hold together better than runs do that go through one scene after another.
    """
    runs = tuple((run,) for run in sentence_passages(scored, length, most))
    if runs and not _held_together(runs):
        return runs
    gathered = gathered_sentences(scored, length, most)
    if runs and (len(gathered) < len(runs) or _held_together(gathered) <= _held_together(runs)):
        return runs
    return gathered or tuple((phrase,) for phrase in phrase_passages(scored, length, most))


def _held_together(groups: Sequence[Sequence[Passage]]) -> float:
    return sum(map(held_together, groups))


def _too_short(length: str) -> OutputRefused:
    return OutputRefused(
        ErrorCode.SOURCE_TOO_SHORT,
        f"A short highlight is 30 to 60 seconds long; without its pauses and repeats, this footage has {length} of "
        "speech that can be cut between words.",
    )


RECIPE = Recipe(
    choose=choose,
    shape=Shape.LANDSCAPE,
    captions=LANDSCAPE_CAPTIONS,
    burn_in=False,
    covers=True,
    candidates=_candidates,
)

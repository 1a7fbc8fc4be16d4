"""Up to 90 seconds upright, the speaker in frame and the words on screen."""

from collections.abc import Iterator
from itertools import chain, islice

from director.choosing import (
    frame_bounds,
    opening_evidence,
    passage_of,
    scored_script,
    seconds,
    selected,
    total_frames,
    whole,
)
from director.costs import shares
from director.material import Footage, Material
from director.passages import Passage, phrase_passages, sentence_passages
from director.ranking import chosen
from director.recipe import Candidates, PlanOptions, Recipe, Selection, Shape, no_alternatives
from director.scoring import ScoredScript
from director.script import Script, Stretch
from director.style import PORTRAIT_CAPTIONS, REEL_LENGTH, SHORTER_REEL_LENGTH
from director.tightening import quote
from schemas.errors import ErrorCode, OutputRefused


def choose(material: Material, options: PlanOptions) -> Selection:
    """All of the speech where it fits, else the best passage; where nobody speaks, the picture 90 s at a time.

    Raises:
        OutputRefused: there is no A-roll, nothing of the speech can be cut to 90 s, or it is too little for so many.
    """
    return chosen(_candidates(material, options), options)


def _candidates(material: Material, options: PlanOptions) -> Candidates:
    if not material.a_roll:
        raise OutputRefused(
            ErrorCode.NO_USABLE_ASSET, "The vertical reel needs A-roll footage; there is only B-roll here."
        )
    length = frame_bounds(REEL_LENGTH, material.rate)
    spoken = tuple(footage for footage in material.a_roll if footage.words)
    if not spoken:
        silent = tuple(islice(_silent(material.a_roll, length[1]), options.count))
        return Candidates(silent, no_alternatives, "reels")
    scored = scored_script(spoken, options.pace)
    passages = _passages(scored, material, options.count)
    if scored.script.frames <= length[1] and len(passages) < options.count:
        return Candidates((_everything(scored.script, material),), no_alternatives, "reels")
    if not passages:
        raise OutputRefused(
            ErrorCode.SOURCE_TOO_SHORT, "A reel lasts 90 seconds at most, and this speech has no pause to cut it in."
        )
    best = tuple(_selection(scored.script, passage, options) for passage in passages)

    def others(most: int) -> tuple[Selection, ...]:
        return tuple(_selection(scored.script, one, options) for one in _sentences(scored, material, most))

    return Candidates(best, others, "reels")


def _selection(script: Script, passage: Passage, options: PlanOptions) -> Selection:
    opening = quote(script.words[passage.first : passage.end])
    spoken = seconds(script.frames, script.footage[0].clock.rate)
    text = f"Chose {passage_of(options)} of {spoken} of speech, from “{opening}”"
    return selected(script, (passage,), "passage", text)


def _everything(script: Script, material: Material) -> Selection:
    stretches = script.stretches(0, len(script.words))
    text = f"Everything said fits a reel: {seconds(script.frames, material.rate)}"
    evidence = opening_evidence(stretches, "length", text)
    return Selection(stretches, "story", text, shares({"whole_story": 1.0}), (evidence,))


def _passages(scored: ScoredScript, material: Material, count: int) -> tuple[Passage, ...]:
    """As many as asked, of whole sentences; one alone may be of any length, and end where no sentence does."""
    whole_story = scored.script.frames <= frame_bounds(REEL_LENGTH, material.rate)[1]
    if count == 1 and whole_story:
        return ()
    return _sentences(scored, material, count) or (() if whole_story else _one(scored, material))


def _sentences(scored: ScoredScript, material: Material, most: int) -> tuple[Passage, ...]:
    """Passages of whole sentences: a minute of one thing, rather than of many, or less than that."""
    shortest, full = SHORTER_REEL_LENGTH, frame_bounds(REEL_LENGTH, material.rate)[0]
    return sentence_passages(scored, frame_bounds(shortest, material.rate), most, full)


def _one(scored: ScoredScript, material: Material) -> tuple[Passage, ...]:
    wanted = frame_bounds(REEL_LENGTH, material.rate)
    any_length = 1, wanted[1]
    return (
        sentence_passages(scored, any_length, 1)
        or phrase_passages(scored, wanted, 1)
        or phrase_passages(scored, any_length, 1)
    )


def _silent(footage: tuple[Footage, ...], longest: int) -> Iterator[Selection]:
    """The picture in order, in reels as long as one may be."""
    waiting = list(chain.from_iterable(map(whole, footage)))
    while waiting:
        stretches: list[Stretch] = []
        while waiting and (room := longest - total_frames(stretches)) > 0:
            first = waiting.pop(0)
            taken = min(room, first.frames)
            stretches.append(Stretch(first.footage, first.start, first.start + taken))
            if taken < first.frames:
                waiting.insert(0, Stretch(first.footage, first.start + taken, first.end))
        text = "Nobody speaks in the footage, so the reel shows its picture in order"
        evidence = opening_evidence(stretches, "spoken words", "0")
        yield Selection(tuple(stretches), "story", text, shares({"without_words": 1.0}), (evidence,))


RECIPE = Recipe(
    choose=choose,
    shape=Shape.PORTRAIT,
    captions=PORTRAIT_CAPTIONS,
    burn_in=True,
    covers=True,
    candidates=_candidates,
)

"""The whole story, tightened: every A-roll in the order they are told in, without dead air and repeated takes."""

from itertools import chain

from director.choosing import opening_evidence, seconds, total_frames, whole
from director.costs import shares
from director.material import Footage, Material
from director.recipe import PlanOptions, Recipe, Selection, Shape
from director.script import Removal, Stretch, write_script
from director.style import LANDSCAPE_CAPTIONS, PACES
from schemas.errors import ErrorCode, OutputRefused
from schemas.jobs import EditStyle


def choose(material: Material, options: PlanOptions) -> Selection:
    """Everything worth keeping. Footage without speech is kept whole; without A-roll, the pictures in their order.

    Raises:
        OutputRefused: a second one is asked for; the whole story can be told once.
    """
    if options.number > 1:
        raise OutputRefused(
            ErrorCode.SOURCE_TOO_SHORT,
            f"There is no number {options.number}: a cinematic full tells the whole story, so a job makes one of it.",
        )
    footage = material.a_roll or (*material.b_roll, *material.screens)
    tightened = [_tightened(one, options) for one in footage]
    stretches = tuple(chain.from_iterable(kept for kept, _ in tightened))
    left_out = tuple(chain.from_iterable(removed for _, removed in tightened))
    before, after = sum(one.clock.frames for one in footage), total_frames(stretches)
    rate = material.rate
    if not any(one.words for one in footage):
        sentence = f"Nobody speaks in the footage, so all {seconds(after, rate)} of its picture are kept"
    else:
        sentence = (
            f"Tells the whole story in {seconds(after, rate)}: {seconds(before - after, rate)} of "
            f"{seconds(before, rate)} were without speech or said again better"
        )
    evidence = opening_evidence(stretches, "length", seconds(after, rate))
    return Selection(stretches, "story", sentence, shares({"whole_story": 1.0}), (evidence,), left_out)


def _tightened(footage: Footage, options: PlanOptions) -> tuple[tuple[Stretch, ...], tuple[Removal, ...]]:
    script = write_script((footage,), PACES[options.pace])
    if not script.words:
        return whole(footage), ()
    return script.stretches(0, len(script.words)), script.removed_at_end()


RECIPE = Recipe(
    choose=choose,
    shape=Shape.LANDSCAPE,
    captions=LANDSCAPE_CAPTIONS,
    burn_in=False,
    covers=True,
    style=EditStyle.CINEMATIC,
    fades_to_black=True,
)

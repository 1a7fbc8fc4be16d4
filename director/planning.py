"""The way from facts to an edit."""

from collections.abc import Sequence

from director.assembly import assemble
from director.cyclic_garbage import not_collected
from director.material import gather
from director.ordering import in_order
from director.ranking import question_of
from director.recipe import PlanOptions
from director.variants import RECIPES
from schemas.edl import EDL, Variant
from schemas.facts import AssetFacts
from schemas.judging import Question


def plan(assets: Sequence[AssetFacts], variant: Variant, options: PlanOptions) -> EDL:
    """Directs one variant out of the assets, which are in their creator's order if the options say so.

    Raises:
        OutputRefused: this output cannot be made of this material; the message says why, to the creator.
    """
    with not_collected():
        material = in_order(gather(assets), options)
        recipe = RECIPES[variant]
        return assemble(variant, recipe, material, recipe.choose(material, options), options)


def question(assets: Sequence[AssetFacts], variant: Variant, options: PlanOptions) -> Question:
    """What a judge may decide of that variant before it is planned, with the answer among the options.

    Raises:
        OutputRefused: as ``plan`` does.
    """
    return question_of(variant, RECIPES[variant], in_order(gather(assets), options), options)

"""The table of variants. A new one is a file like its neighbours, and a line here."""

from collections.abc import Mapping
from types import MappingProxyType

from director import cinematic_full, hook_cut, short_highlight, vertical_reel
from director.recipe import Recipe
from schemas.edl import Variant

RECIPES: Mapping[Variant, Recipe] = MappingProxyType(
    {
        Variant.CINEMATIC_FULL: cinematic_full.RECIPE,
        Variant.SHORT_HIGHLIGHT: short_highlight.RECIPE,
        Variant.HOOK_CUT: hook_cut.RECIPE,
        Variant.VERTICAL_REEL: vertical_reel.RECIPE,
    }
)

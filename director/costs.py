"""What a passage is worth: every gain and cost that choosing weighs, in one table, each with its source.

A part is measured from 0 (not there) to 1 (as much as there can be), and counts its weight times that; what a passage
is worth is the sum of its parts. "EDITING" is the project's table of editing and delivery rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Weight:
    """What a part adds where there is all of it; costs are negative. ``source`` is the rule behind it."""

    most: float
    source: str


_CHOOSING: Final = 'EDITING, "Choosing"'
_CUTTING: Final = 'EDITING, "Cutting"'

#: Parts of a line's score; a passage has their mean over its words.
OF_LINES: Final[Mapping[str, Weight]] = MappingProxyType(
    {
        "rate": Weight(0.10, f"{_CHOOSING}: speech energy and rate"),
        "voice": Weight(0.10, f"{_CHOOSING}: speech energy and rate"),
        "concreteness": Weight(0.20, f"{_CHOOSING}: concrete words and numbers"),
        "question_or_claim": Weight(0.20, f"{_CHOOSING}: questions and claims"),
        "address": Weight(0.10, f"{_CHOOSING}: questions and claims; those put to the viewer most of all"),
        "novelty": Weight(0.20, f"{_CHOOSING}: novelty against the rest"),
        "completeness": Weight(0.10, f"{_CHOOSING}: completeness"),
        "uncertain": Weight(-0.20, f"{_CHOOSING}: concrete words; what the recogniser doubts, a viewer may not follow"),
        "fillers": Weight(-0.15, f"{_CHOOSING}: penalty for fillers"),
        "long_pauses": Weight(-0.15, f"{_CHOOSING}: penalty for long pauses"),
    }
)

#: Parts that belong to a passage as a whole: how it opens, where it is cut out, what is cut within it.
OF_PASSAGES: Final[Mapping[str, Weight]] = MappingProxyType(
    {
        "opening": Weight(0.50, f"{_CHOOSING}: strong first 3 s"),
        "needs_context": Weight(-0.35, f"{_CHOOSING}: makes sense without what came before"),
        "starts_inside_sentence": Weight(-0.50, f"{_CHOOSING}: a passage starts on a sentence"),
        "ends_inside_sentence": Weight(-0.40, f"{_CHOOSING}: a passage ends on a sentence"),
        "open_question": Weight(-0.15, f"{_CHOOSING}: completeness; a question at the end stays open"),
        "tight_pause_at_start": Weight(-0.05, f"{_CUTTING}: a pause of 400 ms or more is best"),
        "short_pause_at_start": Weight(-0.25, f"{_CUTTING}: under 150 ms only when nothing better exists"),
        "no_pause_at_start": Weight(-1.00, f"{_CUTTING}: a cut falls in silence"),
        "tight_pause_at_end": Weight(-0.05, f"{_CUTTING}: a pause of 400 ms or more is best"),
        "short_pause_at_end": Weight(-0.25, f"{_CUTTING}: under 150 ms only when nothing better exists"),
        "no_pause_at_end": Weight(-1.00, f"{_CUTTING}: a cut falls in silence"),
        "inner_cuts": Weight(-0.30, f"{_CHOOSING}: penalty for long pauses; each cut inside, of a cut a second"),
        "change_of_footage": Weight(-0.10, f"{_CHOOSING}: makes sense without what came before"),
        "changes_of_shot": Weight(-0.40, f"{_CHOOSING}: makes sense by itself; another shot is often another subject"),
        "held": Weight(-0.60, f"{_CUTTING}: no gap is kept beyond the pace, and a short line is held in silence"),
        "gathered": Weight(-0.10, f"{_CHOOSING}: one passage rather than sentences from several places"),
    }
)

WEIGHTS: Final[Mapping[str, Weight]] = MappingProxyType({**OF_LINES, **OF_PASSAGES})


def share(part: str, value: float) -> float:
    """What ``value`` of a part adds to, or takes from, the worth of a passage."""
    return WEIGHTS[part].most * value

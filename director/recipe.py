"""What a variant is: a canvas, what it may use, and a way of choosing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Self

from annotated_types import Ge, Le
from pydantic import model_validator

from director.costs import Shares
from director.material import Material
from director.script import Removal, Stretch
from director.style import CaptionLayout
from schemas.edl import CaptionLook, Evidence
from schemas.jobs import MOST_OF_A_VARIANT, CaptionChoice, EditStyle, Pace
from schemas.judging import Verdict
from schemas.model import Model

Ordinal = Annotated[int, Ge(1), Le(MOST_OF_A_VARIANT)]


class PlanOptions(Model):
    """What a creator may ask of an edit.

    How tight it is, how it looks and where its captions are (``None``: as the variant has it), and what it is called.
    Of ``count`` outputs of a variant, which do not overlap, this is the ``number``-th best. ``verdict`` is what a judge
    said of the candidates, where one was asked. ``in_given_order`` is whether somebody chose the order that the assets
    are in.
    """

    pace: Pace = Pace.NATURAL
    title: str = ""
    number: Ordinal = 1
    count: Ordinal = 1
    style: EditStyle | None = None
    captions: CaptionChoice | None = None
    caption_look: CaptionLook = CaptionLook.BOXED
    verdict: Verdict | None = None
    in_given_order: bool = False

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.number > self.count:
            raise ValueError(f"number {self.number} of {self.count} cannot be")
        return self


class Shape(Enum):
    """The shape of a canvas, width to height."""

    LANDSCAPE = (16, 9)
    PORTRAIT = (9, 16)


@dataclass(frozen=True, slots=True)
class Selection:
    """The stretches an edit is made of, in order, with the sentence, worth and evidence of choosing them.

    ``left_out`` is what was removed after them, or after one of several sources. ``pace`` is the one they were cut at,
    where it is not the one asked for.
    """

    stretches: tuple[Stretch, ...]
    kind: str
    sentence: str
    worth: Shares
    evidence: tuple[Evidence, ...] = ()
    left_out: tuple[Removal, ...] = ()
    pace: Pace | None = None


@dataclass(frozen=True, slots=True)
class Candidates:
    """What an output may be made of: the best by the built-in score, apart and in order, no more than were asked for.

    ``alternatives`` finds what there is where so many are asked for, which may overlap with the best. ``what`` names
    them for a sentence.
    """

    best: Sequence[Selection]
    alternatives: Callable[[int], Sequence[Selection]]
    what: str


def no_alternatives(_count: int) -> Sequence[Selection]:
    return ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """A variant: ``choose`` picks what is shown, the rest says how.

    ``covers`` is whether B-roll may lie over it; ``style`` and ``burn_in`` hold where nothing else is asked for;
    ``candidates`` is what is chosen from, where there is a choice.
    """

    choose: Callable[[Material, PlanOptions], Selection]
    shape: Shape
    captions: CaptionLayout
    burn_in: bool
    covers: bool
    style: EditStyle = EditStyle.NATURAL
    fades_to_black: bool = False
    candidates: Callable[[Material, PlanOptions], Candidates] | None = None

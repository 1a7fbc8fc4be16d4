"""What a variant is: a canvas, what it may use, and a way of choosing."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from director.material import Material
from director.script import Removal, Stretch
from director.style import CaptionLayout
from schemas.edl import Evidence
from schemas.jobs import Pace
from schemas.model import Model


class PlanOptions(Model):
    """What a creator may ask of an edit: how tight it is, and what it is called."""

    pace: Pace = Pace.NATURAL
    title: str = ""


class Shape(Enum):
    """The shape of a canvas, width to height."""

    LANDSCAPE = (16, 9)
    PORTRAIT = (9, 16)


@dataclass(frozen=True, slots=True)
class Selection:
    """The stretches an edit is made of, in order, and the sentence and evidence for choosing them.

    ``left_out`` is what was removed after them, or after one of several sources. ``pace`` is the one they were cut at,
    where it is not the one asked for.
    """

    stretches: tuple[Stretch, ...]
    kind: str
    sentence: str
    evidence: tuple[Evidence, ...] = ()
    left_out: tuple[Removal, ...] = ()
    pace: Pace | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """A variant: ``choose`` picks what is shown, the rest says how. ``covers`` is whether B-roll may lie over it."""

    choose: Callable[[Material, PlanOptions], Selection]
    shape: Shape
    captions: CaptionLayout
    burn_in: bool
    covers: bool
    fades_to_black: bool = False

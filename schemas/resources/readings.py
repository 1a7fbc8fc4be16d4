"""What can be told of an edit: what was decided, what changed, what breaks the grammar of editing."""

from typing import Annotated

from annotated_types import Ge, Le
from pydantic import Field

from schemas.model import Model


class EditExplanation(Model):
    """The edit as a person would read it, a line for each decision in the order of the timeline."""

    lines: tuple[str, ...] = Field(examples=[["  0:00.0  Opened on the claim."]])


class EditChange(Model):
    """One change, and the decision behind it. ``at_s`` is where on the timeline, ``None`` for the whole."""

    at_s: float | None
    sentence: str
    reason: str | None


class EditComparison(Model):
    """What turns the one edit into the other, in order; nothing where they are the same."""

    changes: tuple[EditChange, ...]


class GrammarFinding(Model):
    """A place that breaks a rule of editing, and where the rule comes from. ``frame`` is ``None`` for the whole."""

    rule: str
    frame: int | None
    sentence: str
    source: str


class GrammarVerdict(Model):
    """How well an edit keeps to the grammar of editing; ``costs`` are the points that each rule took away."""

    score: Annotated[float, Ge(0), Le(100)]
    costs: dict[str, float]
    findings: tuple[GrammarFinding, ...]

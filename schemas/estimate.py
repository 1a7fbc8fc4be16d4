"""What a job will take, said before it starts."""

from enum import StrEnum
from typing import Annotated, Self

from annotated_types import Ge
from pydantic import model_validator

from schemas.cost import Seconds
from schemas.edl import Variant
from schemas.model import Model


class Spread(Model):
    """The typical value, and between which two nine out of ten are expected to lie."""

    low: Seconds
    typical: Seconds
    high: Seconds

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low <= self.typical <= self.high:
            raise ValueError(f"{self.low}, {self.typical}, {self.high} are not in order")
        return self

    @classmethod
    def exactly(cls, value: float) -> Self:
        return cls(low=value, typical=value, high=value)

    def plus(self, other: Self) -> Self:
        """The sum at its widest: slow machines are slow at everything."""
        return type(self)(low=self.low + other.low, typical=self.typical + other.typical, high=self.high + other.high)

    def times(self, other: Self) -> Self:
        return type(self)(low=self.low * other.low, typical=self.typical * other.typical, high=self.high * other.high)


class OutputEstimate(Model):
    """``length_s`` of video, seconds of processor time to render it, and seconds from now until it is finished."""

    variant: Variant
    length_s: Spread
    compute_s: Spread
    finished_s: Spread


class JobEstimate(Model):
    """A job's outputs, and what they share.

    ``analysis_compute_s`` is processor time, if none of it was analysed before; ``waiting_s`` is until the outputs that
    others ordered before are rendered; ``compute_s`` and ``finished_s`` are of the whole job. ``measured`` counts the
    finished pieces of work that this rests on: with none of a kind, speeds are those of a machine with two cores.
    """

    outputs: tuple[OutputEstimate, ...]
    analysis_compute_s: Spread
    compute_s: Spread
    waiting_s: Spread
    finished_s: Spread
    measured: Annotated[int, Ge(0)]


class Basis(StrEnum):
    """What an estimate goes by: work finished here, a machine with two cores, or each of them in part."""

    MEASURED = "measured"
    PRIOR = "prior"
    MIXED = "mixed"

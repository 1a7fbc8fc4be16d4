"""What a job would take, as the API's clients are told before they order it."""

from typing import Annotated
from uuid import UUID

from annotated_types import Ge
from pydantic import Field

from schemas.edl import Variant
from schemas.estimate import Basis, Spread
from schemas.model import Model


class EstimatedOutput(Model):
    """One output, ``number`` of the ``count`` of its variant.

    ``length_s`` of video, seconds of processor time to render it, and seconds from now until it is finished.
    """

    variant: Variant
    number: Annotated[int, Ge(1)]
    count: Annotated[int, Ge(1)]
    length_s: Spread
    compute_s: Spread
    finished_s: Spread
    basis: Basis


class EstimateResource(Model):
    """A job's outputs, what they share, and the whole. Nine out of ten are expected within the ranges.

    ``analysis_compute_s`` is if none of the footage was analysed before; ``waiting_s`` is until what others ordered
    before is rendered. ``basis`` says whether speeds are those of work finished here, of which ``measured`` pieces
    count, or of a machine with two cores. ``unknown_assets`` have not been looked into yet: their length is guessed
    from their size, and the ranges are wide.
    """

    outputs: tuple[EstimatedOutput, ...]
    analysis_compute_s: Spread
    compute_s: Spread
    waiting_s: Spread
    finished_s: Spread
    basis: Basis
    measured: int = Field(ge=0)
    unknown_assets: tuple[UUID, ...]

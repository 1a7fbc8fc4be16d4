"""Edits changed by hand, as the API's clients send them, and what was found on them."""

from typing import Self

from pydantic import Field, model_validator

from schemas.delivery import DeliveryCheck
from schemas.edl import EDL, Caption
from schemas.model import Model


class NewRevision(Model):
    """What to render instead: a whole edit, or the edit as it is with these captions in place of its own."""

    edl: EDL | None = None
    captions: tuple[Caption, ...] | None = Field(
        None, examples=[[{"start": 0, "end": 45, "lines": ["Light is what you paint with."]}]]
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.edl is None) == (self.captions is None):
            raise ValueError("should have edl or captions, one of them")
        return self


class EditReview(Model):
    """What a viewer would notice of an edit, and whether it would be rendered: as it is, or if that is accepted.

    Of the ``findings``, one that is ``hard`` and has not passed cannot be accepted.
    """

    renderable: bool
    renderable_if_accepted: bool
    findings: tuple[DeliveryCheck, ...]

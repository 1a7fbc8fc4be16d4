"""Edits changed by hand, as the API's clients send them, and what was found on them."""

from fractions import Fraction
from typing import Final, Self

from pydantic import Field, model_validator

from schemas.delivery import DeliveryCheck
from schemas.edl import EDL, Canvas, Caption, Decision, Source, SourceVideo, Variant, VideoClip
from schemas.media import AssetKind
from schemas.model import Model

#: The least that an edit can be: a second of one file's picture.
EXAMPLE_EDIT: Final = EDL(
    director_version="1.1.0",
    variant=Variant.CINEMATIC_FULL,
    title="Kitchen talk",
    rate=Fraction(25),
    canvas=Canvas(width=1920, height=1080),
    duration=25,
    sources=(
        Source(
            id="talk",
            name="talk.mp4",
            kind=AssetKind.A_ROLL,
            sha256="0" * 64,
            origin=Fraction(0),
            video=SourceVideo(
                stream_index=0,
                time_base=Fraction(1, 12_800),
                start_pts=0,
                end_pts=128_000,
                frame_rate=Fraction(25),
                display_width=1920,
                display_height=1080,
            ),
        ),
    ),
    video=(VideoClip(id="v1", source="talk", start=0, duration=25, source_in=0, source_out=12_800, reason="d1"),),
    decisions=(Decision(id="d1", kind="kept", sentence="Kept the first second"),),
)


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

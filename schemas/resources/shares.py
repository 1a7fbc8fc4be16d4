"""Share links: how a creator makes them, and what whoever opens one gets."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from annotated_types import Ge, Gt, Le
from pydantic import Field, SecretStr, field_validator

from schemas.cost import Seconds
from schemas.edl import Variant
from schemas.model import Model
from schemas.moments import Moment

#: A link is for a while: an output that is to be public for good belongs on a public page.
LONGEST_LIFE = timedelta(days=366)
USUAL_LIFE = timedelta(days=7)

Password = Annotated[SecretStr, Field(min_length=8, max_length=128)]


class NewShare(Model):
    """A link to make: until when it works, the password that it asks for, and how often it can be opened."""

    expires_at: Annotated[Moment, Field(description="At most a year ahead; a week without one.")] | None = None
    password: Password | None = None
    max_views: Annotated[int, Ge(1), Le(1_000_000)] | None = None

    @field_validator("expires_at")
    @classmethod
    def _ahead(cls, moment: datetime | None) -> datetime | None:
        if moment is not None and not timedelta() < moment - datetime.now(UTC) <= LONGEST_LIFE:
            raise ValueError("must be ahead, by a year at most")
        return moment


class ShareResource(Model):
    """A link as its creator sees it; its address was told once, when it was made."""

    id: UUID
    output_id: UUID
    has_password: bool
    expires_at: datetime
    max_views: int | None
    views: Annotated[int, Ge(0)]
    last_viewed_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime


class MadeShare(ShareResource):
    """A link that was just made. Nobody can find out ``token`` and ``url`` later, its creator included."""

    token: str = Field(examples=["Jt0SgXTwq2fKmb7dUBzDVy4m2Hn9yTj0dbeq3nGq0pA"])
    url: str


class OpenShare(Model):
    """The password of a link that asks for one."""

    password: Annotated[SecretStr, Field(max_length=128)]


class SharedOutput(Model):
    """What a link shows. The addresses work until ``urls_expire_at``; opening the link again gives new ones."""

    title: str
    variant: Variant
    duration_s: Annotated[Seconds, Gt(0)]
    video_url: str
    thumbnail_url: str
    storyboard: str | None = Field(None, description="WebVTT whose cues name parts (`#xywh=`) of one image.")
    captions_url: str
    urls_expire_at: datetime

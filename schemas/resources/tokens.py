"""Tokens of programs as the API's clients see them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from annotated_types import Len
from pydantic import AfterValidator, Field

from schemas.model import Model
from schemas.moments import Moment
from schemas.resources.projects import Name
from schemas.scopes import Scope


def _each_once(scopes: tuple[Scope, ...]) -> tuple[Scope, ...]:
    return tuple(scope for scope in Scope if scope in scopes)


Scopes = Annotated[
    tuple[Scope, ...],
    Len(1, len(Scope)),
    AfterValidator(_each_once),
    Field(description="What it may do; `write` includes `read`.", examples=[["projects:write", "jobs:write"]]),
]
ExpiresAt = Annotated[Moment | None, Field(description="When it ends by itself; never, if not given.", examples=[None])]


class NewToken(Model):
    name: Annotated[Name, Field(description="What it is for.", examples=["Nightly import"])]
    scopes: Scopes
    expires_at: ExpiresAt = None


class TokenResource(Model):
    """A token without its secret, which nobody can show again. ``last_used_at`` is kept to the minute."""

    id: UUID
    name: str = Field(examples=["Nightly import"])
    scopes: Scopes
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime


class IssuedToken(Model):
    """A token that was just made, and the only time that its secret is shown."""

    token: TokenResource
    secret: str = Field(
        description="Send it as `Authorization: Bearer`.",
        examples=["cin_0b0e4d8c6c2f4a6f9a5b1c2d3e4f5061_Xr3…"],
    )

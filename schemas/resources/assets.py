"""Assets as the API's clients see them, from the first byte of their upload on."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from annotated_types import Ge, Len
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from schemas.errors import ErrorInfo
from schemas.media import AssetKind
from schemas.model import Model
from schemas.resources.projects import Name, printable

#: More than a project ever has at once.
MOST_ASSETS = 10_000


#: Tags of one asset at most.
MOST_TAGS = 30

Tag = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=50),
    AfterValidator(printable),
    Field(examples=["harbour"]),
]
Description = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=2000),
    AfterValidator(printable),
    Field(examples=["Boats leave the harbour at dawn."]),
]


class AssetState(StrEnum):
    """Whether jobs may use it: only what is ``READY``.

    ``EXPIRED`` is footage that its plan does not keep any longer, or an upload that was never finished.
    """

    UPLOADING = "uploading"
    READY = "ready"
    REFUSED = "refused"
    EXPIRED = "expired"


class AssetResource(Model):
    """One file of raw footage. While it is ``uploading``, ``received_bytes`` of its ``size_bytes`` are here.

    ``kind`` is empty until somebody said what the file is for, or its bytes were looked at; ``error`` says why it was
    refused; ``expires_at`` is when it goes if nothing happens.
    """

    id: UUID
    project_id: UUID
    name: str = Field(examples=["Interview camera 1.mp4"])
    kind: AssetKind | None
    state: AssetState
    size_bytes: Annotated[int, Ge(0)]
    received_bytes: Annotated[int, Ge(0)]
    sha256: str | None
    position: Annotated[int, Ge(0)]
    tags: tuple[str, ...]
    description: str
    error: ErrorInfo | None
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None


class AssetList(Model):
    """All assets of a project, in its creator's order."""

    items: tuple[AssetResource, ...]


class AssetChange(Model):
    """What is to be different; what is not given stays. Tags are replaced as a whole.

    Tags and description say in the creator's words what is to be seen: B-roll is shown where its words are said.
    """

    name: Name | None = None
    kind: AssetKind | None = None
    tags: Annotated[tuple[Tag, ...], Len(0, MOST_TAGS)] | None = None
    description: Description | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_dump(exclude_none=True):
            raise ValueError("must give a name, a kind, tags or a description")
        return self


class AssetOrder(Model):
    """The ids of all the project's assets, in their new order."""

    assets: Annotated[tuple[UUID, ...], Len(0, MOST_ASSETS)] = Field(
        examples=[["7b2f6f0e-4f5a-4a57-9a3e-0d6a5b1c2d3e", "0c9e8a4e-5d41-4c19-8f0b-7a5be8f7d1aa"]]
    )

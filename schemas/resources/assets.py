"""Assets as the API's clients see them, from the first byte of their upload on."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from annotated_types import Ge, Len
from pydantic import Field, model_validator

from schemas.errors import ErrorInfo
from schemas.media import AssetKind
from schemas.model import Model
from schemas.resources.projects import Name

#: More than a project ever has at once.
MOST_ASSETS = 10_000


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
    error: ErrorInfo | None
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None


class AssetList(Model):
    """All assets of a project, in its creator's order."""

    items: tuple[AssetResource, ...]


class AssetChange(Model):
    """A new name, a new kind, or both; what is not given stays."""

    name: Name | None = None
    kind: AssetKind | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.name is None and self.kind is None:
            raise ValueError("must give a name or a kind")
        return self


class AssetOrder(Model):
    """The ids of all the project's assets, in their new order."""

    assets: Annotated[tuple[UUID, ...], Len(0, MOST_ASSETS)] = Field(
        examples=[["7b2f6f0e-4f5a-4a57-9a3e-0d6a5b1c2d3e", "0c9e8a4e-5d41-4c19-8f0b-7a5be8f7d1aa"]]
    )

"""Files on their way in."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from annotated_types import Ge, Gt
from pydantic import StringConstraints

from schemas.errors import ErrorInfo
from schemas.media import AssetKind
from schemas.model import Model

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class UploadStatus(StrEnum):
    """``VERIFYING`` has all its bytes and is looked at; the last three are ends."""

    UPLOADING = "uploading"
    VERIFYING = "verifying"
    READY = "ready"
    REFUSED = "refused"
    EXPIRED = "expired"


class NewFile(Model):
    """A file that is announced. ``sha256`` is what its bytes are to have; ``metadata`` is the client's own text."""

    name: str
    length_bytes: Annotated[int, Gt(0)]
    kind: AssetKind | None = None
    sha256: Sha256 | None = None
    metadata: str | None = None


class Upload(Model):
    """A file being uploaded. The asset that it becomes has the same id.

    One that goes past our API straight to the object store lies there, in bucket ``assets``, under ``object_key``.
    ``received_bytes`` of its ``length_bytes`` are stored for good; unless more arrive, it ends at ``expires_at``.
    """

    id: UUID
    owner_id: UUID
    project_id: UUID
    name: str
    kind: AssetKind | None
    length_bytes: Annotated[int, Gt(0)]
    received_bytes: Annotated[int, Ge(0)]
    sha256: Sha256 | None
    metadata: str | None
    object_key: str | None = None
    status: UploadStatus
    error: ErrorInfo | None
    expires_at: datetime
    created_at: datetime


class Look(Model):
    """What a file turned out to be when its bytes were looked at, and why."""

    kind: AssetKind
    reason: str

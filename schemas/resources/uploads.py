"""Where and how a file is uploaded, as the API's clients see it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from annotated_types import Gt, Le
from pydantic import Field

from schemas.media import AssetKind
from schemas.model import Model
from schemas.resources.projects import Name
from schemas.uploads import Sha256

#: What Postgres and every file system can count.
LARGEST_FILE = (1 << 63) - 1


class NewUpload(Model):
    """A file that is about to be uploaded. With ``sha256`` it is accepted only if its bytes have that hash."""

    name: Name = Field(examples=["Interview camera 1.mp4"])
    size_bytes: Annotated[int, Gt(0), Le(LARGEST_FILE)] = Field(examples=[734003200])
    kind: AssetKind | None = Field(None, description="What it is for; found out from the file where it is not said.")
    sha256: Sha256 | None = None


class UploadTicket(Model):
    """Permission to upload one file, for a client of the named protocol.

    The client creates the upload at ``url``, with ``headers`` on every request and ``metadata`` as its Upload-Metadata,
    before ``expires_at``. Bytes then go to ``url``, a slash and the last part of the answer's Location, in pieces of
    exactly ``piece_bytes`` where that is given, with a checksum of one of ``checksums`` where there is any. Once all
    are there, ``POST /uploads/{asset_id}/complete`` has them looked at; ``POST /uploads/{asset_id}/ticket`` permits
    anew. ``asset_id`` is the asset that the file becomes; it can be watched from now on.
    """

    asset_id: UUID
    protocol: Literal["tus"] = "tus"
    url: str = Field(examples=["https://cinema.example/uploads"])
    headers: Mapping[str, str]
    metadata: Mapping[str, str]
    piece_bytes: Annotated[int, Gt(0)] | None = None
    checksums: tuple[str, ...] = ("sha1", "sha256")
    expires_at: datetime

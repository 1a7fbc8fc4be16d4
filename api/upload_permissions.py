"""Who may upload: a creator, or whoever was handed a permission for one upload of theirs."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPAuthorizationCredentials

from api.authentication.tokens import unauthenticated
from api.callers import Context, authenticated, bearer
from api.context import ApiContext
from schemas.errors import CinemaError
from schemas.resources.uploads import UploadTicket
from schemas.uploads import Upload
from stores import ActingAs, Bucket

#: How long a permission holds: enough for a day's footage over a slow line, with its breaks.
LIFETIME: Final = timedelta(days=7)

TOKEN_HEADER: Final = "Upload-Token"  # noqa: S105 (its name)
_ASSETS: Final = f"/objects/{Bucket.ASSETS}/"


@dataclass(frozen=True, slots=True)
class Uploader:
    """Who uploads: a creator who is signed in, or whoever was handed permission for one upload of theirs."""

    owner_id: UUID
    connections: ActingAs
    only: UUID | None = None

    def may(self, upload_id: UUID) -> bool:
        return self.only in {None, upload_id}


async def uploader(
    request: Request,
    context: Context,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
    upload_token: Annotated[str | None, Header(max_length=1024, description="Permission for one upload.")] = None,
) -> Uploader:
    """Who uploads.

    Raises:
        CinemaError: there is no valid token of either kind (``UNAUTHENTICATED``).
    """
    if upload_token is not None:
        return _bearer_of(upload_token, context)
    caller = await authenticated(request, credentials)
    return Uploader(caller.owner_id, caller.connections)


Uploading = Annotated[Uploader, Depends(uploader)]


async def permission(context: ApiContext, upload: Upload) -> UploadTicket:
    """Permission to make this upload, and no other."""
    key = f"{upload.owner_id}/{upload.id}"
    signed = await context.embedded.signed_upload_url(
        Bucket.ASSETS, key, expires_in=LIFETIME, max_bytes=upload.length_bytes
    )
    base, _, token = signed.rpartition(_ASSETS)
    metadata = {"project": str(upload.project_id), "filename": upload.name}
    if upload.kind is not None:
        metadata["kind"] = upload.kind
    return UploadTicket(
        asset_id=upload.id,
        url=f"{base}/uploads",
        headers={TOKEN_HEADER: token},
        metadata=metadata,
        expires_at=datetime.now(UTC) + LIFETIME,
    )


def _bearer_of(token: str, context: ApiContext) -> Uploader:
    """Whoever holds this permission: a signed address of the upload, without the part that all of them share."""
    key, _, query = token.partition("?")
    try:
        context.embedded.verify_upload(Bucket.ASSETS, key, dict(parse_qsl(query)))
        owner_id, upload_id = (UUID(part) for part in key.split("/"))
    except (CinemaError, ValueError) as error:
        raise unauthenticated("This permission to upload is not valid or has expired.") from error
    return Uploader(owner_id, ActingAs(context.database, owner_id), only=upload_id)

"""One version of an object as Supabase Storage knows it."""

import json
import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError

from schemas.errors import CinemaError, ErrorCode
from stores.objects import Bucket, ObjectStat
from stores.retrying import PassingTrouble
from stores.supabase_storage.connection import StorageConnection, object_path

#: The key of our checksum in an object's user metadata.
CHECKSUM = "sha256"

_SHA256 = re.compile(r"[0-9a-f]{64}")


class _Info(BaseModel):
    """What ``GET /object/info/authenticated/{bucket}/{name}`` answers, as far as we need it.

    ``metadata`` is the user's, given with the upload (storage, ``src/storage/renderer/info.ts``). ``last_modified`` is
    left out by servers that do not read that column; the header ``Last-Modified`` has it then, in whole seconds.
    """

    version: str | None = None
    size: int
    etag: str | None = None
    metadata: dict[str, Any] | None = None
    last_modified: datetime | None = None
    created_at: datetime | None = None


@dataclass(frozen=True)
class Stored:
    """An object at one moment. ``sha256`` is ``None`` where its uploader recorded none, as browsers do not."""

    bucket: Bucket
    key: str
    name: str
    version: str
    size_bytes: int
    etag: str | None
    sha256: str | None
    modified_at: datetime

    @property
    def identity(self) -> str:
        """A name that no other content has, as every upload is a new version."""
        return f"{self.bucket}/{self.name}@{self.version}#{self.etag}"

    def described(self, sha256: str) -> ObjectStat:
        return ObjectStat(
            bucket=self.bucket,
            key=self.key,
            size_bytes=self.size_bytes,
            sha256=sha256,
            modified_at=self.modified_at,
        )


def parse_info(bucket: Bucket, key: str, name: str, response: httpx.Response) -> Stored:
    """The object that the info route describes.

    Raises:
        PassingTrouble: the answer is no description.
    """
    try:
        info = _Info.model_validate_json(response.content)
    except ValidationError as error:
        raise PassingTrouble("The object store's answer makes no sense.") from error
    etag = info.etag or response.headers.get("etag")
    recorded = (info.metadata or {}).get(CHECKSUM)
    return Stored(
        bucket=bucket,
        key=key,
        name=name,
        version=info.version or "",
        size_bytes=info.size,
        etag=plain_etag(etag),
        sha256=recorded if isinstance(recorded, str) and _SHA256.fullmatch(recorded) else None,
        modified_at=(info.last_modified or _last_modified(response) or info.created_at or datetime.now(UTC)),
    )


async def look_up(connection: StorageConnection, bucket: Bucket, key: str, name: str) -> Stored | None:
    """What is stored there now, or ``None``; asked once.

    Raises:
        CinemaError: the store does not answer or refuses.
    """
    try:
        response = await connection.request("GET", object_path("info/authenticated", bucket, name))
    except CinemaError as error:
        if error.code is ErrorCode.OBJECT_MISSING:
            return None
        raise
    return parse_info(bucket, key, name, response)


def plain_etag(etag: str | None) -> str | None:
    """The tag without quotes and without the mark of weakness that proxies add when they compress."""
    return etag.removeprefix("W/").strip('"') if etag else None


def user_metadata(sha256: str) -> str:
    """Header ``x-metadata`` of an upload, and field ``metadata`` of a resumable one before it is encoded as all are."""
    return json.dumps({CHECKSUM: sha256})


def encoded(text: str) -> str:
    """Base64, as header ``x-metadata`` and tus's ``Upload-Metadata`` have their values."""
    return b64encode(text.encode()).decode("ascii")


def _last_modified(response: httpx.Response) -> datetime | None:
    value = response.headers.get("last-modified")
    return parsedate_to_datetime(value) if value else None

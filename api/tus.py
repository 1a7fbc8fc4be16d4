"""The headers of tus 1.0.0 (https://tus.io/protocols/resumable-upload), read and written.

Implemented are the core protocol and the extensions creation, creation-with-upload, expiration, checksum and
termination. X-HTTP-Method-Override is not: every client of ours can send PATCH.
"""

import hashlib
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import format_datetime
from hmac import compare_digest
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from fastapi.exceptions import HTTPException
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import MutableHeaders
from starlette.types import Message, Receive, Scope, Send

from schemas.invalid_input import InvalidInput
from schemas.media import AssetKind
from schemas.resources.projects import LONGEST_NAME
from schemas.resources.uploads import LARGEST_FILE
from schemas.uploads import NewFile, Sha256, Upload

VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,creation-with-upload,expiration,checksum,termination"
CHECKSUMS: Final = ("sha1", "sha256")
CONTENT_TYPE: Final = "application/offset+octet-stream"

#: The checksum extension's own status; HTTP knows no name for it.
CHECKSUM_MISMATCH: Final = 460

LONGEST_METADATA: Final = 4096
UNNAMED: Final = "Untitled"

_COUNT = re.compile(r"[0-9]{1,19}")
_SHA256: TypeAdapter[str] = TypeAdapter(Sha256)


class TusRoute(APIRoute):
    """A route whose every answer, errors among them, says which version of the protocol it speaks."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def versioned(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Tus-Resumable"] = VERSION
            await send(message)

        await super().handle(scope, receive, versioned)


@dataclass(frozen=True)
class Checksum:
    """What the bytes of one request are to have."""

    algorithm: str
    digest: bytes

    def matches(self, digest: bytes) -> bool:
        return compare_digest(self.digest, digest)

    def hash(self) -> Any:
        return hashlib.new(self.algorithm, usedforsecurity=False)


def check_version(headers: Mapping[str, str]) -> None:
    """Raises 412 unless the client speaks our version."""
    if headers.get("tus-resumable") != VERSION:
        detail = f"Say Tus-Resumable: {VERSION}, the version of the protocol that is spoken here."
        raise HTTPException(HTTPStatus.PRECONDITION_FAILED, detail, {"Tus-Version": VERSION})


def carries_bytes(headers: Mapping[str, str]) -> bool:
    """Whether the request's body is a piece of the file."""
    return headers.get("content-type", "").split(";")[0].strip().lower() == CONTENT_TYPE


def count(headers: Mapping[str, str], name: str) -> int:
    """A number of bytes.

    Raises:
        InvalidInput: it is missing, or no number that a file can have.
    """
    text = headers.get(name, "")
    if _COUNT.fullmatch(text) is None or int(text) > LARGEST_FILE:
        raise InvalidInput.of(name, "must be a number of bytes")
    return int(text)


def checksum(headers: Mapping[str, str]) -> Checksum | None:
    """What the client says its bytes have, if it says so.

    Raises:
        HTTPException: it cannot be checked (400, as the extension asks for).
    """
    given = headers.get("upload-checksum")
    if given is None:
        return None
    algorithm, _, encoded = given.partition(" ")
    digest = _decoded(encoded)
    if algorithm not in CHECKSUMS or digest is None or len(digest) != hashlib.new(algorithm).digest_size:
        detail = f"Upload-Checksum must be one of {', '.join(CHECKSUMS)}, a space, and the digest in base64."
        raise HTTPException(HTTPStatus.BAD_REQUEST, detail)
    return Checksum(algorithm, digest)


def metadata(headers: Mapping[str, str]) -> dict[str, str]:
    """Upload-Metadata: names and their values, which are any text.

    Raises:
        InvalidInput: it is not of that form, or a name comes twice.
    """
    given = headers.get("upload-metadata", "")
    if len(given) > LONGEST_METADATA:
        raise InvalidInput.of("Upload-Metadata", f"must be at most {LONGEST_METADATA} characters")
    found: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in given.split(","))):
        name, _, encoded = pair.partition(" ")
        value = _decoded(encoded)
        if value is None or name in found:
            raise InvalidInput.of("Upload-Metadata", "must be names, each once, with their values in base64")
        found[name] = value.decode("utf-8", "replace")
    return found


def project_of(given: Mapping[str, str]) -> UUID:
    """The project that the metadata names.

    Raises:
        InvalidInput: it names none.
    """
    try:
        return UUID(given.get("project", ""))
    except ValueError as error:
        raise InvalidInput.of("Upload-Metadata.project", "must be the id of a project") from error


def announced(headers: Mapping[str, str], given: Mapping[str, str], length: int) -> NewFile:
    """The file that a creation announces. Its type is not asked for: a type proves nothing.

    Raises:
        InvalidInput: its kind or its hash make no sense.
    """
    kind, sha256 = given.get("kind") or None, given.get("sha256") or None
    if kind is not None and kind not in set(AssetKind):
        raise InvalidInput.of("Upload-Metadata.kind", f"must be one of {', '.join(AssetKind)}")
    try:
        checked = None if sha256 is None else _SHA256.validate_python(sha256.lower())
    except ValidationError as error:
        raise InvalidInput.of("Upload-Metadata.sha256", "must be 64 hexadecimal digits") from error
    return NewFile(
        name=file_name(given.get("filename", "")),
        length_bytes=length,
        kind=None if kind is None else AssetKind(kind),
        sha256=checked,
        metadata=headers.get("upload-metadata"),
    )


def file_name(given: str) -> str:
    """A name to show, from whatever a client calls its file; it never names a place on a disk."""
    last = re.split(r"[/\\]", given.strip())[-1]
    shown = "".join(character if character.isprintable() else "_" for character in last).strip()
    return shown[:LONGEST_NAME].strip() or UNNAMED


def encoded_metadata(values: Mapping[str, str]) -> str:
    """Upload-Metadata of these values."""
    return ",".join(f"{name} {b64encode(value.encode()).decode()}" for name, value in values.items())


def state_of(upload: Upload) -> dict[str, str]:
    """The headers that say how far an upload is, and when it ends unless it goes on."""
    return {
        "Upload-Offset": str(upload.received_bytes),
        "Upload-Expires": format_datetime(upload.expires_at.astimezone(UTC), usegmt=True),
    }


def _decoded(text: str) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except (Base64Error, ValueError):
        return None

"""What is known of an object's bytes without reading them: a small JSON file apart from the object.

Object and record cannot be replaced in one step, so while an object is being replaced its record names both versions,
and the object on disk, whichever it is after a power cut, is one of them.
"""

import hashlib
from io import BufferedReader
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Len
from pydantic import StringConstraints, ValidationError

from schemas.errors import CinemaError, ErrorCode
from schemas.model import Model


class Version(Model):
    """The size and SHA-256 of one content of an object."""

    size_bytes: Annotated[int, Ge(0)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ChecksumRecord(Model):
    """The versions that the object may be: one, or two while it is being replaced."""

    versions: Annotated[tuple[Version, ...], Len(min_length=1)]


def read_record(path: Path) -> ChecksumRecord | None:
    """The record, or ``None`` where there is none that can be understood."""
    try:
        return ChecksumRecord.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None


def identify(file: BufferedReader, size_bytes: int, record: ChecksumRecord | None) -> Version:
    """Which of the recorded versions an open file is; it is read only where two of them have its size.

    Raises:
        CinemaError: it is none of them (``OBJECT_CORRUPT``).
    """
    fitting = [version for version in record.versions if version.size_bytes == size_bytes] if record else []
    if len(fitting) > 1:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        fitting = [version for version in fitting if version.sha256 == sha256]
    if not fitting:
        raise corrupt()
    return fitting[0]


def corrupt() -> CinemaError:
    return CinemaError(ErrorCode.OBJECT_CORRUPT, "A stored file is not as it was stored.")

"""Finished outputs leave the object store for a folder of the creator's, each file whole or not at all."""

import hashlib
import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import CinemaError, ErrorCode, ErrorInfo, TransientError
from schemas.jobs import Output
from stores import Bucket, ObjectStore

#: Longest stem of a file name, in characters: names stay below 255 bytes with any script and ending.
LONGEST_STEM = 50


def file_stem(title: str) -> str:
    """``title`` as a part of a file name that is one on every system."""
    plain = "".join(char if unicodedata.category(char)[0] in "LMN" or char in "-_." else "_" for char in title.strip())
    return plain[:LONGEST_STEM].strip("._-") or "video"


@dataclass(frozen=True)
class Delivery:
    """Where each file of an output is now, by file ending; or why it could not be brought there."""

    files: Mapping[str, Path]
    error: ErrorInfo | None = None


async def deliver(objects: ObjectStore, output: Output, folder: Path, stem: str) -> Delivery:
    """Copy every file of a completed output to ``folder``."""
    written: dict[str, Path] = {}
    try:
        for extension, (bucket, key) in _sources(output).items():
            target = folder / f"{stem}_{output.variant}.{extension}"
            await _copy(objects, bucket, key, target, expected_sha256=_expected(output, extension))
            written[extension] = target
    except CinemaError as error:
        return Delivery(written, error.info)
    except OSError as error:
        return Delivery(written, TransientError(ErrorCode.DISK_FULL, f"It could not be written: {error}.").info)
    return Delivery(written)


def _expected(output: Output, extension: str) -> str | None:
    return output.files.video_sha256 if output.files is not None and extension == "mp4" else None


def _sources(output: Output) -> Mapping[str, tuple[Bucket, str]]:
    files = output.files
    if files is None:
        return {}
    return {
        "mp4": (Bucket.OUTPUTS, files.video_key),
        "jpg": (Bucket.THUMBS, files.thumbnail_key),
        "srt": (Bucket.OUTPUTS, files.srt_key),
        "vtt": (Bucket.OUTPUTS, files.vtt_key),
        "edl.json": (Bucket.OUTPUTS, files.edl_key),
        "otio": (Bucket.OUTPUTS, files.otio_key),
    }


async def _copy(objects: ObjectStore, bucket: Bucket, key: str, target: Path, *, expected_sha256: str | None) -> None:
    """Copy one object beside its final place and move it there once it is whole."""
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    digest = hashlib.sha256()
    try:
        with draft.open("wb") as file:
            async for chunk in objects.get(bucket, key):
                digest.update(chunk)
                file.write(chunk)
        if expected_sha256 not in {None, digest.hexdigest()}:
            raise CinemaError(ErrorCode.OBJECT_CORRUPT, "The stored video is not the one that was checked.")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)

"""Finished outputs leave the object store for a folder of the creator's, each file whole or not at all."""

import hashlib
import os
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from schemas.errors import CinemaError, ErrorCode
from schemas.jobs import Output, OutputFiles
from stores import Bucket, ObjectStore

#: Longest stem of a file name, in characters: names stay below 255 bytes with any script and ending.
LONGEST_STEM = 50


def file_stem(title: str) -> str:
    """``title`` as a part of a file name that is one on every system."""
    plain = "".join(char if unicodedata.category(char)[0] in "LMN" or char in "-_." else "_" for char in title.strip())
    return plain[:LONGEST_STEM].strip("._-") or "video"


async def deliver(objects: ObjectStore, output: Output, folder: Path, stem: str) -> dict[str, Path]:
    """Copy every file of a completed output to ``folder``; by kind, where each is now.

    Raises:
        CinemaError: The video is not the one its row tells of (``OBJECT_CORRUPT``).
    """
    if output.files is None:
        return {}
    written = {}
    for extension, (bucket, key) in _sources(output.files).items():
        target = folder / f"{stem}_{output.variant}.{extension}"
        sha256 = await _copy(objects, bucket, key, target)
        if extension == "mp4" and sha256 != output.files.video_sha256:
            target.unlink()
            raise CinemaError(ErrorCode.OBJECT_CORRUPT, f"The stored {output.variant} is not the one that was checked.")
        written[extension] = target
    return written


def _sources(files: OutputFiles) -> Mapping[str, tuple[Bucket, str]]:
    return {
        "mp4": (Bucket.OUTPUTS, files.video_key),
        "jpg": (Bucket.THUMBS, files.thumbnail_key),
        "srt": (Bucket.OUTPUTS, files.srt_key),
        "vtt": (Bucket.OUTPUTS, files.vtt_key),
        "edl.json": (Bucket.OUTPUTS, files.edl_key),
        "otio": (Bucket.OUTPUTS, files.otio_key),
    }


async def _copy(objects: ObjectStore, bucket: Bucket, key: str, target: Path) -> str:
    """Copy one object beside its final place and move it there; its SHA-256."""
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    digest = hashlib.sha256()
    try:
        with draft.open("wb") as file:
            async for chunk in objects.get(bucket, key):
                digest.update(chunk)
                file.write(chunk)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return digest.hexdigest()

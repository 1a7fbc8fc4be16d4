"""Finished outputs leave the object store for a folder of the creator's, each file whole or not at all."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from render import storyboard_vtt
from schemas.errors import CinemaError, ErrorCode, ErrorInfo, TransientError
from schemas.jobs import Output
from stores import ObjectStore
from stores.output_files import DeliveredFile, delivered_files


@dataclass(frozen=True)
class Delivery:
    """Where each file of an output is now, by file ending; or why it could not be brought there."""

    files: Mapping[str, Path]
    error: ErrorInfo | None = None


async def deliver(objects: ObjectStore, output: Output, folder: Path, title: str) -> Delivery:
    """Copy every file of a completed output to ``folder``."""
    written: dict[str, Path] = {}
    try:
        for file in delivered_files(output):
            target = folder / file.name(output, title)
            await _copy(objects, file, target)
            written[file.ending] = target
        _write_cues(output, written)
    except CinemaError as error:
        return Delivery(written, error.info)
    except OSError as error:
        return Delivery(written, TransientError(ErrorCode.DISK_FULL, f"It could not be written: {error}.").info)
    return Delivery(written)


def _write_cues(output: Output, written: dict[str, Path]) -> None:
    """Beside the storyboard's image, what is where in it."""
    image = written.get("storyboard.jpg")
    if image is None or output.files is None or output.files.storyboard is None:
        return
    target = image.with_suffix(".vtt")
    with _in_one_move(target) as draft:
        draft.write_text(storyboard_vtt(output.files.storyboard.grid, quote(image.name)), encoding="utf-8")
    written["storyboard.vtt"] = target


async def _copy(objects: ObjectStore, file: DeliveredFile, target: Path) -> None:
    digest = hashlib.sha256()
    with _in_one_move(target) as draft:
        with draft.open("wb") as written:
            async for chunk in objects.get(file.bucket, file.key):
                digest.update(chunk)
                written.write(chunk)
        if file.sha256 not in {None, digest.hexdigest()}:
            raise CinemaError(ErrorCode.OBJECT_CORRUPT, "The stored video is not the one that was checked.")


@contextmanager
def _in_one_move(target: Path) -> Iterator[Path]:
    """A file beside its final place, to be written in the block; it is moved there once it is whole."""
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield draft
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)

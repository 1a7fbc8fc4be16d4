"""The files named on the command line: where they are, and what they are said to be."""

import os
from dataclasses import dataclass
from pathlib import Path

from schemas.media import AssetKind


def as_text(argument: str) -> str:
    """An argument of the command line as text that can be stored: bytes that are none become U+FFFD."""
    return os.fsencode(argument).decode("utf-8", "replace")


class BadFootage(Exception):
    """What was named cannot be footage; the message says which and why."""


@dataclass(frozen=True)
class Footage:
    """A local file. ``kind`` is ``None`` where it is to be guessed."""

    path: Path
    kind: AssetKind | None

    @property
    def name(self) -> str:
        """The file's name as text, whatever bytes it is made of."""
        return as_text(self.path.name)


def parse_footage(argument: str) -> Footage:
    """``FILE`` or ``FILE:KIND``; a colon that no kind follows belongs to the file's name.

    Raises:
        BadFootage: There is no such file, or it cannot be read.
    """
    name, colon, kind = argument.rpartition(":")
    if colon and kind in set(AssetKind):
        return _checked(Footage(Path(name), AssetKind(kind)))
    return _checked(Footage(Path(argument), None))


def _checked(footage: Footage) -> Footage:
    try:
        if footage.path.is_dir():
            raise BadFootage(f"{footage.path} is a folder, not a file.")
        if footage.path.exists() and not footage.path.is_file():
            raise BadFootage(f"{footage.path} is a device or a pipe, not a file.")
        with footage.path.open("rb"):
            return footage
    except FileNotFoundError as error:
        raise BadFootage(f"There is no file {footage.path}.") from error
    except (OSError, ValueError) as error:
        raise BadFootage(f"{footage.path} cannot be read: {error}.") from error

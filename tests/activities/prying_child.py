"""A sandboxed child that has been taken over: it tries to read, to change and to decode what it was not given."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import av
import av.error
from pydantic import BaseModel, Field

from activities.child import serve
from activities.file_needs import FileNeeds
from schemas.model import Model
from schemas.progress import ProgressCallback


class Medium(Model):
    """What is opened as media, with which demuxer, and with what the allow-lists are told to let through."""

    path: str
    demuxer: str | None = None
    options: Mapping[str, str] = Field(default_factory=dict)


class Pry(Model):
    """``given`` and ``folder`` are this child's; the rest is not."""

    given: Path
    folder: Path
    others: tuple[Path, ...] = ()
    media: tuple[Medium, ...] = ()


class Pried(Model):
    """The paths and attempts that worked, and the pictures decoded of each medium."""

    read: tuple[str, ...]
    changed: tuple[str, ...]
    pictures: tuple[int, ...]


def needs(asked: Pry) -> FileNeeds:
    return FileNeeds((asked.given,), asked.folder)


def pry(asked: Pry, _: ProgressCallback) -> BaseModel:
    parent = Path(f"/proc/{os.getppid()}")
    files = (asked.given, *asked.others, *(parent / name for name in ("environ", "mem", "maps", "cmdline")))
    return Pried(
        read=tuple(str(file) for file in files if _works(lambda file=file: file.open("rb").close())),
        changed=tuple(_changed(asked)),
        pictures=tuple(pictures_of(medium) for medium in asked.media),
    )


def _changed(asked: Pry) -> Iterator[str]:
    """What worked of all that would change something, in its folder and out of it."""
    other, inside = asked.others[0], asked.folder / "inside"
    attempts: dict[str, Callable[[], object]] = {
        "write inside": lambda: inside.write_bytes(b"mine"),
        "move inside": lambda: inside.replace(asked.folder / "moved"),
        "remove inside": (asked.folder / "moved").unlink,
        "write what is given": lambda: asked.given.open("r+b").close(),
        "write": lambda: other.open("r+b").close(),
        "write beside": lambda: (other.parent / "new").write_bytes(b"mine"),
        "truncate": lambda: os.truncate(other, 0),
        "remove": other.unlink,
        "move in": lambda: other.rename(asked.folder / "theirs"),
        "link in": lambda: (asked.folder / "link").symlink_to(other),
        "name in": lambda: (asked.folder / "name").hardlink_to(other),
        "make a folder": (other.parent / "folder").mkdir,
        "change the mode": lambda: other.chmod(0o777),
        "change the mode of what is given": lambda: _with_open(asked.given, lambda file: os.fchmod(file, 0)),
        "change the owner": lambda: os.chown(other, 1, 1),
        "change the times": lambda: os.utime(other, (0, 0)),
    }
    yield from (name for name, attempt in attempts.items() if _works(attempt))


def _with_open(path: Path, use: Callable[[int], object]) -> None:
    with path.open("rb") as file:
        use(file.fileno())


def _works(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def pictures_of(medium: Medium) -> int:
    """How many are decoded of it, as it comes, without any of our precautions."""
    try:
        with av.open(medium.path, format=medium.demuxer, options=dict(medium.options)) as container:
            return sum(1 for _ in container.decode(video=0))
    except (av.error.FFmpegError, OSError, IndexError):
        return 0


if __name__ == "__main__":
    serve(pry, Pry, needs)

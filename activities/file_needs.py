"""Which files a child's work needs besides its libraries: the rest is out of reach before it touches any media."""

from dataclasses import dataclass
from pathlib import Path

from activities.file_access import READING, WORKING, Right
from activities.library_files import gpu_rights, library_rights
from schemas.rendering import RenderRequest


@dataclass(frozen=True)
class FileNeeds:
    """Files and folders to read, the folder to work in, and whether the graphics processor is wanted."""

    reads: tuple[Path, ...] = ()
    works_in: Path | None = None
    gpu: bool = False

    def rights(self) -> dict[Path, Right]:
        """With what the libraries need."""
        own = {} if self.works_in is None else {self.works_in: WORKING}
        return {**library_rights(), **(gpu_rights() if self.gpu else {}), **dict.fromkeys(self.reads, READING), **own}


def render_needs(request: RenderRequest) -> FileNeeds:
    sources = tuple(source for source in request.sources.values() if isinstance(source, Path))
    return FileNeeds(sources, request.folder, gpu=not request.hardware.is_none)


def model_files(folder: Path) -> tuple[Path, ...]:
    """The folder of models, and what an operator has linked into it from elsewhere."""
    return (folder, *(entry for entry in folder.rglob("*") if entry.is_symlink()))

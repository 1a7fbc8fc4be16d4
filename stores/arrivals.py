"""Where the bytes of uploads lie until somebody has judged them, whichever object store it is."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from schemas.uploads import Upload
from stores.uploads import Uploads


@dataclass(frozen=True)
class DirectUpload:
    """Leave to send one file past us, by tus: where to, with what on every request, and in pieces of which size."""

    url: str
    headers: Mapping[str, str]
    metadata: Mapping[str, str]
    piece_bytes: int
    holds_for: timedelta


@dataclass(frozen=True)
class ArrivedFile:
    """What arrived, as a file that nobody changes."""

    path: Path
    sha256: str


class Arrival(Protocol):
    """The bytes of one upload, in the hands of one judge."""

    @property
    def size_bytes(self) -> int: ...

    async def read(self) -> ArrivedFile:
        """All of them. Raises ``OBJECT_CORRUPT`` where they are not those that their sender has recorded."""
        ...

    def object_key(self, sha256: str) -> str:
        """Where they lie in bucket ``assets`` once they are kept."""
        ...

    async def keep(self, file: ArrivedFile) -> None:
        """Has them there."""
        ...

    async def clear(self, *, accepted: bool) -> None:
        """Removes what is not needed any more; all of it unless they were accepted."""
        ...


class Arrivals(Protocol):
    """All of them, of every creator."""

    @property
    def folder(self) -> str | None:
        """In each project's own in bucket ``assets``, where bytes go past us; ``None`` where they come to our API."""
        ...

    def held(self, upload: Upload) -> AbstractAsyncContextManager[Arrival]:
        """The upload's bytes. Raises ``PartialFileBusy`` where somebody else has them."""
        ...

    async def direct(self, upload: Upload) -> DirectUpload | None:
        """Leave to send the upload's bytes past us, where they go past us."""
        ...

    async def arrived_bytes(self, upload: Upload) -> int | None:
        """The size of what lies whole in the store; ``None`` where nothing does, or its pieces are counted by us."""
        ...

    async def remove_left(self, uploads: Uploads) -> int:
        """Removes the bytes of uploads that are over, and returns of how many."""
        ...

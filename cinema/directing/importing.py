"""Local files become assets of a project; bytes that the store has already are not stored again."""

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from analysis import Guess
from cinema.directing.footage import Footage
from cinema.directing.guessing import KindGuesser
from schemas.errors import CinemaError, ErrorCode
from schemas.jobs import Asset
from stores import Assets, Bucket, IncomingObject, ObjectStat, ObjectStore, Pool


@dataclass(frozen=True)
class Imported:
    """A new asset, and why it has the kind it has."""

    asset: Asset
    reason: str


class Importer:
    """Brings footage into one project of one owner."""

    def __init__(self, pool: Pool, objects: ObjectStore, guesser: KindGuesser) -> None:
        self._assets = Assets(pool)
        self._objects = objects
        self._guesser = guesser

    async def add(self, footage: Footage, *, owner_id: UUID, project_id: UUID, position: int) -> Imported:
        """Store the file's bytes, unless they are there, and record the asset.

        Raises:
            CinemaError: The file cannot be read, or changes while it is read.
        """
        with _reading(footage):
            sha256 = await asyncio.to_thread(_sha256, footage.path)
        # Under the owner and the content: the same file in two projects is one object.
        incoming = IncomingObject(owner_id, project_id, f"{owner_id}/{sha256}", sha256)
        async with self._assets.storing(incoming):
            with _reading(footage):
                stored = await self._store(footage.path, incoming)
            guess = await self._kind(footage, stored)
            asset = await self._assets.add(
                owner_id=owner_id,
                project_id=project_id,
                name=footage.name,
                kind=guess.kind,
                object_key=stored.key,
                size_bytes=stored.size_bytes,
                sha256=stored.sha256,
                position=position,
            )
        return Imported(asset, guess.reason)

    async def _store(self, path: Path, incoming: IncomingObject) -> ObjectStat:
        key, sha256 = incoming.object_key, incoming.sha256
        stored = await self._objects.stat(Bucket.ASSETS, key)
        if stored is not None and stored.sha256 == sha256:
            return stored
        return await self._objects.put_file(Bucket.ASSETS, key, path, expected_sha256=sha256)

    async def _kind(self, footage: Footage, stored: ObjectStat) -> Guess:
        if footage.kind is not None:
            return Guess(footage.kind, "You said so.")
        return await self._guesser.guess(await self._objects.local_path(stored.bucket, stored.key), footage.name)


@contextmanager
def _reading(footage: Footage) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CinemaError(ErrorCode.MEDIA_UNREADABLE, f"{footage.name} cannot be read: {error}.") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

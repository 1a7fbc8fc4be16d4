"""Local files become assets of a project; bytes that the store has already are not stored again."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from activities.child_tasks import ANALYSE, Analyse
from activities.sandbox import SandboxLimits, run_in_child
from analysis import Guess, guess_kind
from cinema.directing.footage import Footage
from cinema.settings import Settings
from schemas.analysing import AnalysisRequest
from schemas.errors import CinemaError
from schemas.jobs import Asset
from schemas.media import AssetKind, MediaProbe
from stores import Assets, Bucket, ObjectStore, Pool

#: How long looking at one file may take, just to guess what it is.
GUESS_TIME = timedelta(minutes=2)


@dataclass(frozen=True)
class Imported:
    """A new asset, and why it has the kind it has."""

    asset: Asset
    reason: str


class Importer:
    """Brings footage into one project of one owner."""

    def __init__(self, settings: Settings, pool: Pool, objects: ObjectStore) -> None:
        self._models = settings.models
        self._limits = SandboxLimits(memory_bytes=settings.sandbox_memory_bytes, file_bytes=settings.sandbox_file_bytes)
        self._assets = Assets(pool)
        self._objects = objects

    async def add(self, footage: Footage, *, owner_id: UUID, project_id: UUID, position: int) -> Imported:
        """Store the file's bytes, unless they are there, and record the asset."""
        sha256 = await asyncio.to_thread(_sha256, footage.path)
        key = f"{owner_id}/{sha256}"
        stored = await self._objects.stat(Bucket.ASSETS, key)
        if stored is None or stored.sha256 != sha256:
            stored = await self._objects.put_file(Bucket.ASSETS, key, footage.path, expected_sha256=sha256)
        guess = await self._kind(footage, await self._objects.local_path(Bucket.ASSETS, key))
        asset = await self._assets.add(
            owner_id=owner_id,
            project_id=project_id,
            name=footage.name,
            kind=guess.kind,
            object_key=key,
            size_bytes=stored.size_bytes,
            sha256=sha256,
            position=position,
        )
        return Imported(asset, guess.reason)

    async def _kind(self, footage: Footage, path: Path) -> Guess:
        """What the file is said to be, or else what it seems to be."""
        if footage.kind is not None:
            return Guess(footage.kind, "You said so.")
        request = AnalysisRequest(analyzer="probe", path=path, kind=AssetKind.A_ROLL)
        try:
            probe = await run_in_child(
                ANALYSE,
                Analyse(request=request, models=self._models),
                MediaProbe,
                limits=self._limits,
                time_limit=GUESS_TIME,
                on_progress=_ignore,
            )
        except CinemaError as error:
            # The job will refuse it with this reason and go on with the others.
            return Guess(AssetKind.A_ROLL, error.message)
        return guess_kind(probe, None, footage.name)


async def _ignore(_done: float) -> None:
    """Nobody watches a guess."""


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

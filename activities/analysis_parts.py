"""What is finished of a long analysis, in the store, so that whoever goes on with it does not do it again.

A part is known by its whole's key and its number, and always has the same content: a lost attempt that still writes
one changes nothing. Parts go when their whole is recorded, or with the content they are of.
"""

from activities.artifacts import LOST, part_ref, read_object
from activities.removing import Remover
from activities.uploads import upload_bytes
from analysis import ANALYZERS
from schemas.analysing import ArtifactRef
from schemas.errors import CinemaError
from stores import Analyses, Bucket, ObjectStore, Pool, Removals


class AnalysisParts:
    """The parts of unfinished analyses of a content, given by its SHA-256."""

    def __init__(self, database: Pool, objects: ObjectStore) -> None:
        self._analyses = Analyses(database)
        self._objects = objects
        self._remover = Remover(objects, Removals(database))

    async def found(self, content: str, whole: ArtifactRef) -> tuple[str, ...]:
        """The parts from the first on, as they were kept, up to the first that is not there."""
        found: list[str] = []
        for number, part in enumerate(await self._analyses.parts_of(whole, content)):
            if part.key != part_ref(whole, number).key:
                break
            try:
                found.append((await read_object(self._objects, Bucket.ANALYSIS, part.object_key)).decode())
            except CinemaError as error:
                if error.code not in LOST:
                    raise
                break
        return tuple(found)

    async def keep(self, content: str, whole: ArtifactRef, number: int, part: str) -> None:
        """Store a part; the same one again is fine."""
        ref, version = part_ref(whole, number), ANALYZERS[whole.analyzer].version
        async with self._analyses.making(ref.key):
            await self._analyses.announce(ref, asset_sha256=content, analyzer_version=version)
            await upload_bytes(self._objects, Bucket.ANALYSIS, ref.object_key, part.encode())
            await self._analyses.record(ref, asset_sha256=content, analyzer_version=version)

    async def remove(self, content: str, whole: ArtifactRef) -> None:
        """Remove all parts of an analysis that is recorded."""
        for key in await self._analyses.discard_parts(whole, content):
            await self._remover.analysis(key)

"""Where the bytes of an edit's sources are read."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from uuid import UUID

from activities.context import ActivityContext
from activities.patience import patiently
from activities.source_files import SourceFiles, source_files
from schemas.edl import EDL, Source
from schemas.errors import ErrorCode, TransientError
from schemas.jobs import Asset
from stores import Assets


class Footage:
    """The live assets of projects, found by their content."""

    def __init__(self, context: ActivityContext) -> None:
        self._objects = context.objects
        self._assets = Assets(context.database)

    @asynccontextmanager
    async def reading(
        self, project_id: UUID, edl: EDL, sources: Iterable[Source], frames: range
    ) -> AsyncIterator[SourceFiles]:
        """Where each of ``sources`` is read for timeline ``frames`` of ``edl``, for the time of the block.

        Raises:
            TransientError: The project has one of them no longer.
        """
        wanted = tuple(sources)
        assets = await patiently(lambda: self._found(project_id, wanted))
        async with source_files(self._objects, edl, assets, frames) as files:
            yield files

    async def _found(self, project_id: UUID, sources: Iterable[Source]) -> list[tuple[Source, Asset]]:
        assets = {asset.sha256: asset for asset in await self._assets.live_for_project(project_id)}
        missing = [source.name for source in sources if source.sha256 not in assets]
        if missing:
            raise TransientError(ErrorCode.OBJECT_MISSING, f"{missing[0]} is no longer in the project.")
        return [(source, assets[source.sha256]) for source in sources]

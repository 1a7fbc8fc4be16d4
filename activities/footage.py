"""Where the bytes of an edit's sources can be read on this machine."""

from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from activities.context import ActivityContext
from schemas.edl import Source
from schemas.errors import ErrorCode, TransientError
from stores import Assets, Bucket


class Footage:
    """The live assets of projects, found by their content."""

    def __init__(self, context: ActivityContext) -> None:
        self._objects = context.objects
        self._assets = Assets(context.database)

    async def of(self, project_id: UUID, sources: Iterable[Source]) -> dict[str, Path]:
        """A local path for each source, by its id in the edit.

        Raises:
            TransientError: The project has one of them no longer.
        """
        wanted = tuple(sources)
        assets = {asset.sha256: asset for asset in await self._assets.live_for_project(project_id)}
        missing = [source.name for source in wanted if source.sha256 not in assets]
        if missing:
            raise TransientError(ErrorCode.OBJECT_MISSING, f"{missing[0]} is no longer in the project.")
        return {
            source.id: await self._objects.local_path(Bucket.ASSETS, assets[source.sha256].object_key)
            for source in wanted
        }

"""The parts of long outputs that exist already, by project and content."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from schemas.segments import SegmentReport, StoredSegment
from stores.database import Connections, model_from, session, storable_json
from stores.making_rights import is_being_made, making_right_if_free

#: A segment that is used again is marked so once in a while, not each time.
MARK_INTERVAL = timedelta(hours=1)


class Segments:
    """Rows of ``segments``."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def find(self, owner_id: UUID, keys: Collection[str]) -> dict[str, StoredSegment]:
        """Those of the segments that the owner has in any project, by key; they are kept for a while longer now."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                with found as (
                    select distinct on (key) * from public.segments
                    where owner_id = $1 and key = any($2::text[]) and usable order by key, created_at desc
                ), marked as (
                    update public.segments s set used_at = clock_timestamp() from found
                    where s.object_key = found.object_key and s.usable and s.used_at < now() - $3::interval
                )
                select * from found
                """,
                owner_id,
                list(keys),
                MARK_INTERVAL,
            )
        return {row["key"]: model_from(row, StoredSegment) for row in rows}

    @asynccontextmanager
    async def making(self, owner_id: UUID, key: str) -> AsyncIterator[bool]:
        """The exclusive right to make this segment, and whether it was had; see :mod:`stores.making_rights`."""
        async with making_right_if_free(self._connections, _right(owner_id, key)) as had:
            yield had

    async def is_being_made(self, owner_id: UUID, key: str) -> bool:
        """Whether somebody makes this segment at this moment."""
        return await is_being_made(self._connections, _right(owner_id, key))

    async def announce(self, owner_id: UUID, project_id: UUID, key: str, object_key: str) -> None:
        """Says where a segment will be stored, before it is, so that what a killed worker leaves can be found.

        Raises:
            ConflictError: the project is being deleted (``INVALID_TRANSITION``).
        """
        async with session(self._connections) as connection:
            await connection.execute(
                """
                insert into public.segments (owner_id, project_id, key, object_key) values ($1, $2, $3, $4)
                on conflict (project_id, key) do update set usable = false, used_at = clock_timestamp()
                """,
                owner_id,
                project_id,
                key,
                object_key,
            )

    async def record(
        self, project_id: UUID, key: str, *, size_bytes: int, sha256: str, report: SegmentReport
    ) -> StoredSegment | None:
        """Remembers a segment that was announced and whose object is stored; the same one again is fine.

        ``None`` where it was taken out of use meanwhile: its project is being deleted.
        """
        async with session(self._connections) as connection:
            row = await connection.fetchrow(
                """
                update public.segments
                set usable = true, size_bytes = $3, sha256 = $4, report = $5, used_at = clock_timestamp()
                where project_id = $1 and key = $2 returning *
                """,
                project_id,
                key,
                size_bytes,
                sha256,
                storable_json(report.model_dump(mode="json")),
            )
        return None if row is None else model_from(row, StoredSegment)

    async def discard(self, owner_id: UUID, keys: Collection[str]) -> None:
        """Takes segments out of use whose objects are gone or damaged, so that they are made again."""
        async with session(self._connections) as connection:
            await connection.execute(
                "update public.segments set usable = false where owner_id = $1 and key = any($2::text[])",
                owner_id,
                list(keys),
            )


def _right(owner_id: UUID, key: str) -> str:
    return f"segment {owner_id} {key}"

"""Projects as their owner browses them."""

from datetime import datetime
from uuid import UUID

import asyncpg

from schemas.errors import CinemaError, ErrorCode
from schemas.resources.projects import ProjectResource
from stores.database import Connections, session, storable

_COLUMNS = "id, name, created_at, updated_at, deleting_since is not null as deleting"


class ProjectListing:
    """Rows of ``projects`` that the caller may see, as resources."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def get(self, project_id: UUID) -> ProjectResource:
        """The project. Raises ``NOT_FOUND`` if there is none, or it is not the caller's to see."""
        return await self._one(f"select {_COLUMNS} from public.projects where id = $1", project_id)  # noqa: S608 (ours)

    async def rename(self, project_id: UUID, name: str) -> ProjectResource:
        """The project under its new name. Raises ``NOT_FOUND`` like :meth:`get`."""
        statement = f"update public.projects set name = $2 where id = $1 returning {_COLUMNS}"  # noqa: S608 (ours)
        return await self._one(statement, project_id, storable(name))

    async def page(self, most: int, below: tuple[datetime, UUID] | None) -> tuple[ProjectResource, ...]:
        """Up to ``most`` projects, newest first, from right below a row's ``(created_at, id)``."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                f"""
                select {_COLUMNS} from public.projects
                where $2::timestamptz is null or (created_at, id) < ($2::timestamptz, $3::uuid)
                order by created_at desc, id desc limit $1
                """,  # noqa: S608 (ours)
                most,
                *(below or (None, None)),
            )
        return tuple(_resource(row) for row in rows)

    async def _one(self, statement: str, *values: object) -> ProjectResource:
        async with session(self._connections) as connection:
            row = await connection.fetchrow(statement, *values)
        if row is None:
            raise CinemaError(ErrorCode.NOT_FOUND, "This project does not exist.")
        return _resource(row)


def _resource(row: asyncpg.Record) -> ProjectResource:
    return ProjectResource(**dict(row))

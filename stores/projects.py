"""Creators' profiles and projects."""

from uuid import UUID

from schemas.errors import CinemaError, ErrorCode
from schemas.jobs import Project
from stores.database import Connections, model_from, session, storable


class Projects:
    """Rows of ``profiles`` and ``projects``."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def ensure_profile(self, owner_id: UUID) -> None:
        """Makes the creator known, on the default plan, if they are not yet."""
        async with session(self._connections) as connection:
            await connection.execute("insert into public.profiles (id) values ($1) on conflict do nothing", owner_id)

    async def create(self, owner_id: UUID, name: str) -> Project:
        """A new, empty project.

        Raises:
            CinemaError: the creator has no profile (``NOT_FOUND``).
        """
        statement = "insert into public.projects (owner_id, name) values ($1, $2) returning *"
        return await self._one(statement, owner_id, storable(name))

    async def get(self, project_id: UUID) -> Project:
        """The project.

        Raises:
            CinemaError: there is none, or it is not the caller's to see (``NOT_FOUND``).
        """
        return await self._one("select * from public.projects where id = $1", project_id)

    async def keep_order(self, project_id: UUID) -> None:
        """From now on the project's assets are told in the order of their positions."""
        async with session(self._connections) as connection:
            await connection.execute("update public.projects set in_given_order = true where id = $1", project_id)

    async def is_in_given_order(self, project_id: UUID) -> bool:
        """Whether somebody chose the order of the project's assets."""
        async with session(self._connections) as connection:
            return bool(
                await connection.fetchval("select in_given_order from public.projects where id = $1", project_id)
            )

    async def _one(self, statement: str, *values: object) -> Project:
        async with session(self._connections) as connection:
            row = await connection.fetchrow(statement, *values)
        if row is None:
            raise CinemaError(ErrorCode.NOT_FOUND, "This project does not exist.")
        return model_from(row, Project)

"""Raw footage: what was uploaded, where its bytes lie, and whether it can be used."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from schemas.errors import CinemaError, ErrorCode, ErrorInfo
from schemas.jobs import Asset
from schemas.media import AssetKind
from stores.database import Connections, model_from, session, storable, storable_json, transaction


@dataclass(frozen=True)
class IncomingObject:
    """Footage of a project that is about to lie in bucket ``assets``."""

    owner_id: UUID
    project_id: UUID
    object_key: str
    sha256: str


class Assets:
    """Rows of ``assets``."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def add(
        self,
        *,
        owner_id: UUID,
        project_id: UUID,
        name: str,
        kind: AssetKind,
        object_key: str,
        size_bytes: int,
        sha256: str,
        position: int,
    ) -> Asset:
        """Records an asset whose bytes are in bucket ``assets`` already.

        Raises:
            CinemaError: this creator has no such project (``NOT_FOUND``).
        """
        statement = """
            insert into public.assets (owner_id, project_id, name, kind, object_key, size_bytes, sha256, position)
            values ($1, $2, $3, $4, $5, $6, $7, $8) returning *
        """
        values = (owner_id, project_id, storable(name), kind, object_key, size_bytes, sha256, position)
        return await self._one(statement, *values)

    async def for_project(self, project_id: UUID) -> tuple[Asset, ...]:
        """The project's assets in the creator's order."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                "select * from public.assets where project_id = $1 order by position, created_at, id",
                project_id,
            )
        return tuple(model_from(row, Asset) for row in rows)

    async def live_for_project(self, project_id: UUID) -> tuple[Asset, ...]:
        """Those of them whose bytes are kept, which is all that a job may use."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                select * from public.assets where project_id = $1 and expiring_since is null
                order by position, created_at, id
                """,
                project_id,
            )
        return tuple(model_from(row, Asset) for row in rows)

    @asynccontextmanager
    async def storing(self, incoming: IncomingObject) -> AsyncIterator[None]:
        """The right to store these bytes, or to find them stored, and to record an asset of them, within the block.

        Whoever removes bytes that no asset needs any more waits meanwhile, so that what was found is still there when
        it is recorded. Any number may store at once. Held by one connection, in a transaction that writes nothing.

        Raises:
            ConflictError: the project is being deleted (``INVALID_TRANSITION``).
        """
        async with transaction(self._connections) as connection:
            await connection.execute("select pg_advisory_xact_lock_shared(cinema.content_lock($1))", incoming.sha256)
            await announce(self._connections, incoming)
            yield

    async def refuse(self, asset_id: UUID, error: ErrorInfo) -> Asset:
        """Marks the asset as unusable, and why. Raises ``NOT_FOUND`` if there is none."""
        return await self._one(
            "update public.assets set status = 'refused', error = $2 where id = $1 returning *",
            asset_id,
            storable_json(error.model_dump(mode="json")),
        )

    async def accept(self, asset_id: UUID) -> None:
        """Takes back that the asset was refused, if it was."""
        async with session(self._connections) as connection:
            await connection.execute(
                "update public.assets set status = 'ready', error = null where id = $1 and status = 'refused'", asset_id
            )

    async def _one(self, statement: str, *values: object) -> Asset:
        async with session(self._connections) as connection:
            row = await connection.fetchrow(statement, *values)
        if row is None:
            raise CinemaError(ErrorCode.NOT_FOUND, "This asset does not exist.")
        return model_from(row, Asset)


async def announce(connections: Connections, incoming: IncomingObject) -> None:
    """Says where footage will be stored, before it is, so that what a killed process leaves can be found.

    Recording its asset takes that back.
    """
    async with session(connections) as connection:
        await connection.execute(
            """
            insert into public.incoming_objects (owner_id, project_id, object_key, sha256) values ($1, $2, $3, $4)
            on conflict (project_id, object_key) do update set announced_at = clock_timestamp()
            """,
            incoming.owner_id,
            incoming.project_id,
            incoming.object_key,
            incoming.sha256,
        )

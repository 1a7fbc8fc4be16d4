"""Assets as their owner browses and tidies them, those among them that are still being uploaded."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg

from schemas.errors import CinemaError, ErrorCode
from schemas.invalid_input import InvalidInput
from schemas.resources.assets import AssetChange, AssetResource
from stores.database import Connections, session, storable, transaction

#: An upload is an asset from its beginning to its creator, and until its row has become one to us.
_ITEMS = """
    select id, owner_id, project_id, name, kind,
        case when expiring_since is not null then 'expired' else status end as state,
        size_bytes, size_bytes as received_bytes, sha256, position, tags, description, error, created_at, updated_at,
        expires_at
    from public.assets where deleted_at is null
    union all
    select id, owner_id, project_id, name, kind,
        case when status = 'verifying' then 'uploading' else status end,
        length_bytes, received_bytes, sha256, position, tags, description, error, created_at, updated_at,
        case when status in ('uploading', 'verifying') then expires_at end
    from public.uploads where status <> 'ready' and given_up_at is null
"""


#: Which rows of each their creator sees. In this order one is found also while it turns from one into the other.
_SEEN: Final = {"uploads": "status <> 'ready' and given_up_at is null", "assets": "deleted_at is null"}


class AssetListing:
    """Rows of ``assets`` and ``uploads`` that the caller may see, as resources."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def get(self, asset_id: UUID) -> AssetResource:
        """The asset. Raises ``NOT_FOUND`` if there is none, or it is not the caller's to see."""
        async with session(self._connections) as connection:
            row = await connection.fetchrow(f"select * from ({_ITEMS}) as item where id = $1", asset_id)  # noqa: S608 (ours)
        if row is None:
            raise _missing()
        return _resource(row)

    async def of_project(self, project_id: UUID) -> tuple[AssetResource, ...]:
        """The project's assets in their creator's order."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                f"select * from ({_ITEMS}) as item where project_id = $1 order by position, created_at, id",  # noqa: S608 (ours)
                project_id,
            )
        return tuple(_resource(row) for row in rows)


class AssetTidying:
    """What a creator does with their assets; each statement names its owner, who has been seen to be the caller."""

    def __init__(self, connections: Connections, owner_id: UUID) -> None:
        self._connections = connections
        self._owner_id = owner_id

    async def change(self, asset_id: UUID, change: AssetChange) -> None:
        """Gives it what is given; the rest stays.

        Raises:
            CinemaError: there is no such asset (``NOT_FOUND``).
        """
        name, description = (None if text is None else storable(text) for text in (change.name, change.description))
        tags = None if change.tags is None else [storable(tag) for tag in dict.fromkeys(change.tags)]
        async with transaction(self._connections) as connection:
            for table, condition in (
                ("uploads", "status <> 'ready' and given_up_at is null"),
                ("assets", "deleted_at is null"),
            ):
                changed = await connection.fetchval(
                    f"""
                    update public.{table} set name = coalesce($3, name), kind = coalesce($4, kind),
                        tags = coalesce($5::text[], tags), description = coalesce($6, description)
                    where id = $1 and owner_id = $2 and {condition} returning true
                    """,  # noqa: S608 (constants)
                    asset_id,
                    self._owner_id,
                    name,
                    change.kind,
                    tags,
                    description,
                )
                if changed:
                    return
        raise _missing()

    async def reorder(self, project_id: UUID, asset_ids: Sequence[UUID]) -> None:
        """Puts all the project's assets into this order, in which they are told from now on.

        Raises:
            InvalidInput: these are not all of them, each once.
        """
        async with transaction(self._connections) as connection:
            await connection.execute(
                "select from public.projects where id = $1 and owner_id = $2 for update", project_id, self._owner_id
            )
            rows = await connection.fetch(
                f"select id from ({_ITEMS}) as item where project_id = $1 and owner_id = $2",  # noqa: S608 (ours)
                project_id,
                self._owner_id,
            )
            if sorted(asset_ids) != sorted(row["id"] for row in rows):
                raise InvalidInput.of("body.assets", "must name each asset of the project once, and nothing else")
            await connection.execute("update public.projects set in_given_order = true where id = $1", project_id)
            for table in ("uploads", "assets"):
                await connection.execute(
                    f"""
                    update public.{table} as item set position = place.number - 1
                    from unnest($2::uuid[]) with ordinality as place (id, number)
                    where item.id = place.id and item.project_id = $1 and item.position <> place.number - 1
                    """,  # noqa: S608 (constants)
                    project_id,
                    list(asset_ids),
                )

    async def delete(self, asset_id: UUID) -> None:
        """Takes a stored asset out of its creator's sight and out of use, for good.

        Its bytes go once :meth:`stores.retention.Retention.removing_asset` says which.

        Raises:
            CinemaError: there is no such stored asset (``NOT_FOUND``).
            ConflictError: a job that has not settled may use it (``INVALID_TRANSITION``).
        """
        async with session(self._connections) as connection:
            deleted = await connection.fetchval(
                """
                update public.assets set deleted_at = clock_timestamp(),
                    expiring_since = coalesce(expiring_since, clock_timestamp())
                where id = $1 and owner_id = $2 and deleted_at is null returning true
                """,
                asset_id,
                self._owner_id,
            )
        if not deleted:
            raise _missing()


def _resource(row: asyncpg.Record) -> AssetResource:
    return AssetResource(**{name: row[name] for name in AssetResource.model_fields})


def _missing() -> CinemaError:
    return CinemaError(ErrorCode.NOT_FOUND, "This asset does not exist.")

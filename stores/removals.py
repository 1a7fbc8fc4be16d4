"""What is out of use, on its way to being gone: its objects first, then its rows."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg

from stores.database import Connection, Connections, session, transaction
from stores.objects import Bucket

#: Storing a file and recording its asset take no longer, however large it is.
LONGEST_ARRIVAL = timedelta(days=1)


@dataclass(frozen=True)
class StoredObject:
    """Where one object lies, by bucket and key."""

    bucket: Bucket
    key: str


@dataclass(frozen=True)
class OutputRemoval:
    """The objects that an output's row names, and below which prefix all else of it lies."""

    objects: tuple[StoredObject, ...]
    prefix: str


class Removals:
    """Rows of ``assets``, ``job_outputs``, ``analyses`` and ``segments`` that nothing will use any more.

    And ``incoming_objects`` that have come to nothing.

    Removing (``removing_*``) may be repeated until it has come to its end.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def unfinished_assets(self, after: UUID | None, limit: int) -> tuple[UUID, ...]:
        """Assets out of use whose objects may still be there, by id, from the one after ``after``."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                select id from public.assets where expiring_since is not null and expired_at is null
                and ($1::uuid is null or id > $1) order by id limit $2
                """,
                after,
                limit,
            )
        return _ids(rows)

    async def unfinished_outputs(self, after: UUID | None, limit: int) -> tuple[UUID, ...]:
        """The same for outputs."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                select id from public.job_outputs where expiring_since is not null and expired_at is null
                and ($1::uuid is null or id > $1) order by id limit $2
                """,
                after,
                limit,
            )
        return _ids(rows)

    async def unfinished_analyses(self, after: str | None, limit: int) -> tuple[str, ...]:
        """The same for analyses, those among them that a killed worker never finished making."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                select key from public.analyses where not usable and ($1::text is null or key > $1)
                order by key limit $2
                """,
                after,
                limit,
            )
        return tuple(row["key"] for row in rows)

    async def unfinished_segments(self, after: str | None, limit: int) -> tuple[str, ...]:
        """The same for segments, by object key, those among them that a killed worker never finished making."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                select object_key from public.segments where not usable and ($1::text is null or object_key > $1)
                order by object_key limit $2
                """,
                after,
                limit,
            )
        return tuple(row["object_key"] for row in rows)

    @asynccontextmanager
    async def removing_asset(self, asset_id: UUID) -> AsyncIterator[tuple[StoredObject, ...] | None]:
        """Says which objects to remove and, at the end of the block, marks the asset expired.

        ``None`` where somebody else is at it, has done it, or stores the same bytes at this moment: then nothing is
        marked. An error in the block leaves the asset to be tried again.
        """
        async with transaction(self._connections) as connection:
            row = await connection.fetchrow(
                """
                select * from public.assets
                where id = $1 and expiring_since is not null and expired_at is null for update skip locked
                """,
                asset_id,
            )
            if row is None or not await content_alone(connection, row["sha256"]):
                yield None
                return
            kept = await _is_an_asset(connection, row["object_key"])
            yield () if kept else (StoredObject(Bucket.ASSETS, row["object_key"]),)
            await connection.execute("update public.assets set expired_at = clock_timestamp() where id = $1", asset_id)

    async def abandoned_footage(self, limit: int) -> tuple[str, ...]:
        """Object keys of up to ``limit`` files that were to become assets long ago, and have not."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                select distinct object_key from public.incoming_objects
                where announced_at < clock_timestamp() - $1::interval order by object_key limit $2
                """,
                LONGEST_ARRIVAL,
                limit,
            )
        return tuple(row["object_key"] for row in rows)

    @asynccontextmanager
    async def removing_footage(self, object_key: str) -> AsyncIterator[tuple[StoredObject, ...] | None]:
        """The same for footage that has become no asset; ``None`` also where it is being stored at this moment."""
        async with transaction(self._connections) as connection:
            statement = "select * from public.incoming_objects where object_key = $1 for update skip locked"
            rows = await connection.fetch(statement, object_key)
            if not rows or not await content_alone(connection, rows[0]["sha256"]):
                yield None
                return
            kept = await _is_an_asset(connection, object_key)
            yield () if kept else (StoredObject(Bucket.ASSETS, object_key),)
            projects = [row["project_id"] for row in rows]
            await connection.execute(
                "delete from public.incoming_objects where object_key = $1 and project_id = any($2::uuid[])",
                object_key,
                projects,
            )

    @asynccontextmanager
    async def removing_output(self, output_id: UUID) -> AsyncIterator[OutputRemoval | None]:
        """The same for an output, of whose objects those are left that :meth:`unnamed` does not return.

        No attempt can upload to it meanwhile.
        """
        async with transaction(self._connections) as connection:
            row = await connection.fetchrow(
                """
                select o.*, j.project_id, cinema.output_objects(o.files, o.edl_key) as objects
                from public.job_outputs o join public.jobs j on j.id = o.job_id
                where o.id = $1 and o.expiring_since is not null and o.expired_at is null
                for update of o skip locked
                """,
                output_id,
            )
            publishing = "select pg_try_advisory_xact_lock(hashtextextended($1, 0))"
            if row is None or not await connection.fetchval(publishing, f"publish {output_id}"):
                yield None
                return
            prefix = f"{row['owner_id']}/{row['project_id']}/{row['job_id']}/{output_id}"
            yield OutputRemoval(tuple(stored_object(name) for name in row["objects"]), prefix)
            await connection.execute(
                "update public.job_outputs set expired_at = clock_timestamp() where id = $1", output_id
            )

    @asynccontextmanager
    async def removing_analysis(self, key: str) -> AsyncIterator[tuple[StoredObject, ...] | None]:
        """The same for an analysis, whose row goes at the end. ``None`` also where it is being made at this moment."""
        async with transaction(self._connections) as connection:
            making = "select pg_try_advisory_xact_lock(hashtextextended($1, 0))"
            if not await connection.fetchval(making, f"analysis {key}"):
                yield None
                return
            row = await connection.fetchrow(
                "select * from public.analyses where key = $1 and not usable for update skip locked", key
            )
            if row is None:
                yield None
                return
            yield (StoredObject(Bucket.ANALYSIS, row["object_key"]),)
            await connection.execute("delete from public.analyses where key = $1 and not usable", key)

    @asynccontextmanager
    async def removing_segment(self, object_key: str) -> AsyncIterator[tuple[StoredObject, ...] | None]:
        """The same for a segment, by where it lies."""
        async with transaction(self._connections) as connection:
            row = await connection.fetchrow(
                "select * from public.segments where object_key = $1 and not usable for update skip locked", object_key
            )
            making = "select pg_try_advisory_xact_lock(hashtextextended($1, 0))"
            if row is None or not await connection.fetchval(making, f"segment {row['owner_id']} {row['key']}"):
                yield None
                return
            yield (StoredObject(Bucket.OUTPUTS, object_key),)
            await connection.execute("delete from public.segments where object_key = $1 and not usable", object_key)

    async def unnamed(self, objects: Iterable[StoredObject]) -> tuple[StoredObject, ...]:
        """Those of the objects that no live asset, output, segment or analysis names, whosever it is."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                select place from unnest($1::text[]) as place where not exists (
                    select from public.job_outputs
                    where cinema.output_objects(files, edl_key) @> array[place] and expiring_since is null
                ) and not exists (
                    select from public.segments
                    where place like 'outputs/%' and object_key = substr(place, 9) and usable
                ) and not exists (
                    select from public.assets
                    where place like 'assets/%' and object_key = substr(place, 8) and expiring_since is null
                ) and not exists (
                    select from public.analyses
                    where place like 'analysis/%' and object_key = substr(place, 10) and usable
                ) order by place
                """,
                [f"{item.bucket}/{item.key}" for item in objects],
            )
        return tuple(stored_object(row["place"]) for row in rows)


def stored_object(name: str) -> StoredObject:
    """The object of a bucket/key."""
    bucket, _, key = name.partition("/")
    return StoredObject(Bucket(bucket), key)


async def content_alone(connection: Connection, sha256: str) -> bool:
    """Takes the content's lock until the end of the transaction, unless somebody is just storing or removing it."""
    return bool(await connection.fetchval("select pg_try_advisory_xact_lock(cinema.content_lock($1))", sha256))


async def _is_an_asset(connection: Connection, object_key: str) -> bool:
    statement = "select exists (select from public.assets where object_key = $1 and expiring_since is null)"
    return bool(await connection.fetchval(statement, object_key))


def _ids(rows: Sequence[asyncpg.Record]) -> tuple[UUID, ...]:
    return tuple(row["id"] for row in rows)

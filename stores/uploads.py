"""Uploads: begun within a plan's limits, counted as their bytes arrive, and ended as an asset or not at all."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg

from schemas.errors import CinemaError, ErrorCode, ErrorInfo
from schemas.media import AssetKind
from schemas.uploads import NewFile, Upload
from stores.assets import IncomingObject, announce
from stores.database import Connection, Connections, model_from, session, storable, storable_json, transaction

#: Unfinished uploads that a creator may have; a console sends a few at once.
MOST_OPEN = 1_000

_OPEN = "status in ('uploading', 'verifying')"
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


class Uploads:
    """Rows of ``uploads``."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def begin(
        self, owner_id: UUID, project_id: UUID, file: NewFile, *, expires_in: timedelta, folder: str | None = None
    ) -> Upload:
        """Announces a file, which counts towards the creator's total from now on.

        With a ``folder``, of its project's in bucket ``assets``, it goes there past us, under its id.

        Raises:
            CinemaError: there is no such project (``NOT_FOUND``), or the file does not fit the plan
                (``MEDIA_TOO_LARGE``), or there are too many unfinished uploads (``LIMIT_EXCEEDED``).
            ConflictError: the project is being deleted (``INVALID_TRANSITION``).
        """
        upload_id = uuid4()
        async with transaction(self._connections) as connection:
            await _check_limits(connection, owner_id, file.length_bytes, more=file.length_bytes)
            row = await connection.fetchrow(
                """
                insert into public.uploads
                    (owner_id, project_id, name, kind, length_bytes, sha256, metadata, expires_at, id, object_key,
                    position)
                select $1, $2, $3, $4, $5, $6, $7, clock_timestamp() + $8::interval, $9, $10,
                    coalesce(max(position) + 1, 0)
                from (
                    select position from public.assets where project_id = $2
                    union all select position from public.uploads where project_id = $2
                ) as taken
                returning *
                """,
                owner_id,
                project_id,
                storable(file.name),
                file.kind,
                file.length_bytes,
                file.sha256,
                file.metadata,
                expires_in,
                upload_id,
                None if folder is None else f"{owner_id}/{project_id}/{folder}/{upload_id}",
            )
        return _upload(row)

    async def get(self, upload_id: UUID) -> Upload:
        """The upload. Raises ``NOT_FOUND`` if there is none, or it is not the caller's to see."""
        async with session(self._connections) as connection:
            return _upload(await connection.fetchrow("select * from public.uploads where id = $1", upload_id))

    async def note_received(self, upload_id: UUID, received_bytes: int, *, expires_in: timedelta) -> Upload:
        """Counts bytes that are stored for good; with the last of them the file waits to be looked at.

        Raises:
            CinemaError: the upload has ended, or there is none (``NOT_FOUND``).
        """
        async with session(self._connections) as connection:
            row = await connection.fetchrow(
                """
                update public.uploads set received_bytes = $2, expires_at = clock_timestamp() + $3::interval,
                    status = case when $2 = length_bytes then 'verifying' else status end
                where id = $1 and status = 'uploading' returning *
                """,
                upload_id,
                received_bytes,
                expires_in,
            )
        return _upload(row)

    async def note_arrived(self, upload_id: UUID, *, expires_in: timedelta) -> None:
        """Says that all of it lies in the store, past us; where that was said before, or it has ended, it stays so."""
        async with session(self._connections) as connection:
            await connection.execute(
                """
                update public.uploads set received_bytes = length_bytes, status = 'verifying',
                    expires_at = clock_timestamp() + $2::interval
                where id = $1 and status = 'uploading' and object_key is not null
                """,
                upload_id,
                expires_in,
            )

    @asynccontextmanager
    async def completing(self, upload: Upload, kind: AssetKind, sha256: str, object_key: str) -> AsyncIterator[bool]:
        """Makes it an asset that is ready, at the end of a block that puts its bytes where the asset names them.

        ``kind`` is for a creator who said none. Within the block nobody removes bytes with this hash, and the project
        is not deleted. ``False`` where the upload has ended meanwhile: then nothing is changed.

        Raises:
            CinemaError: it does not fit the plan any more (``MEDIA_TOO_LARGE``).
            ConflictError: the project is being deleted (``INVALID_TRANSITION``).
        """
        if upload.object_key is None:
            await announce(self._connections, IncomingObject(upload.owner_id, upload.project_id, object_key, sha256))
        async with transaction(self._connections) as connection:
            # Its length counts already; of bytes that are stored already nothing is added.
            shared = await connection.fetchval(
                "select exists (select from public.assets where object_key = $1 and expired_at is null)", object_key
            )
            more = -upload.length_bytes if shared else 0
            await _check_limits(connection, upload.owner_id, upload.length_bytes, more=more)
            row = await connection.fetchrow(
                """
                with done as (
                    update public.uploads set status = 'ready' where id = $1 and status = 'verifying' returning *
                )
                insert into public.assets
                    (id, owner_id, project_id, name, kind, object_key, size_bytes, sha256, position, created_at, tags,
                    description)
                select id, owner_id, project_id, name, coalesce(kind, $2), $3, length_bytes, $4, position, created_at,
                    tags, description
                from done returning id
                """,
                upload.id,
                kind,
                object_key,
                sha256,
            )
            yield row is not None

    async def extend(self, upload_id: UUID, *, expires_in: timedelta) -> None:
        """Gives an unfinished upload more time, counted from now."""
        async with session(self._connections) as connection:
            await connection.execute(
                f"""
                update public.uploads set expires_at = clock_timestamp() + $2::interval where id = $1 and {_OPEN}
                """,  # noqa: S608 (ours)
                upload_id,
                expires_in,
            )

    async def refuse(self, upload_id: UUID, error: ErrorInfo) -> bool:
        """Ends it, says why, and returns whether this ended it. One that has ended already stays as it is."""
        async with session(self._connections) as connection:
            return bool(
                await connection.fetchval(
                    f"""
                    update public.uploads set status = 'refused', error = $2 where id = $1 and {_OPEN} returning true
                    """,  # noqa: S608 (ours)
                    upload_id,
                    storable_json(error.model_dump(mode="json")),
                )
            )

    async def note_failed_look(self, upload_id: UUID) -> int:
        """Counts a look that failed for no reason of the file's own, and returns how many there were."""
        async with session(self._connections) as connection:
            statement = "update public.uploads set looks = looks + 1 where id = $1 returning looks"
            return int(await connection.fetchval(statement, upload_id) or 0)

    async def remove(self, upload_id: UUID) -> bool:
        """Takes the upload out of its creator's sight; returns whether there was one that has not become an asset.

        The row of one that goes past us stays for a while: somebody may still have leave to send its bytes.
        """
        async with transaction(self._connections) as connection:
            hidden = await connection.fetchval(
                f"""
                update public.uploads set given_up_at = clock_timestamp(),
                    status = case when {_OPEN} then 'expired' else status end
                where id = $1 and status <> 'ready' and object_key is not null returning true
                """,  # noqa: S608 (ours)
                upload_id,
            )
            statement = """
                delete from public.uploads where id = $1 and status <> 'ready' and object_key is null returning true
            """
            return bool(hidden or await connection.fetchval(statement, upload_id))

    async def expire(self) -> None:
        """Ends the uploads whose time is over."""
        async with session(self._connections) as connection:
            await connection.execute(
                f"update public.uploads set status = 'expired' where {_OPEN} and expires_at <= clock_timestamp()"  # noqa: S608 (ours)
            )

    async def verifying(self, most: int) -> tuple[UUID, ...]:
        """Up to ``most`` uploads that are whole and have not been judged, the oldest first."""
        async with session(self._connections) as connection:
            statement = "select id from public.uploads where status = 'verifying' order by updated_at limit $1"
            return _ids(await connection.fetch(statement, most))

    async def sent_past_us(self, most: int) -> tuple[Upload, ...]:
        """Up to ``most`` unfinished uploads whose bytes go past us, those first that expire first."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                select * from public.uploads where status = 'uploading' and object_key is not null
                order by expires_at limit $1
                """,
                most,
            )
        return tuple(_upload(row) for row in rows)

    async def left_behind(self, most: int, *, since: timedelta) -> tuple[str, ...]:
        """Up to ``most`` object keys of uploads past us that came to nothing within this time, the latest first."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                select object_key from public.uploads
                where object_key is not null and status in ('refused', 'expired')
                and updated_at > clock_timestamp() - $2::interval order by updated_at desc limit $1
                """,
                most,
                since,
            )
        return tuple(row["object_key"] for row in rows)

    async def open_among(self, upload_ids: Sequence[UUID]) -> frozenset[UUID]:
        """Those of them that have not ended."""
        async with session(self._connections) as connection:
            statement = f"select id from public.uploads where id = any($1::uuid[]) and {_OPEN}"  # noqa: S608 (ours)
            return frozenset(_ids(await connection.fetch(statement, upload_ids)))

    async def forget(self, ended_before: timedelta) -> int:
        """Removes the rows of uploads that ended longer ago; their assets stay. Returns how many."""
        async with session(self._connections) as connection:
            status = await connection.execute(
                f"delete from public.uploads where not ({_OPEN}) and updated_at < clock_timestamp() - $1::interval",  # noqa: S608 (ours)
                ended_before,
            )
        return int(status.removeprefix("DELETE "))


async def _check_limits(connection: Connection, owner_id: UUID, length_bytes: int, *, more: int) -> None:
    """Whether the plan lets a file of this length in, ``more`` bytes on top of what counts already.

    The profile's lock makes uploads that are begun at once see each other; what there is, is read by a statement of its
    own, as one sees what was there when it began to wait.
    """
    await connection.execute("select from public.profiles where id = $1 for no key update", owner_id)
    row = await connection.fetchrow(
        """
        select plan.max_asset_bytes, plan.max_total_bytes, cinema.stored_bytes(profile.id) as stored,
            (select count(*) from public.uploads where owner_id = profile.id and status in ('uploading', 'verifying'))
            as open
        from public.profiles as profile join public.plans as plan on plan.id = profile.plan_id where profile.id = $1
        """,
        owner_id,
    )
    if row is None:
        raise CinemaError(ErrorCode.NOT_FOUND, "This account does not exist.")
    if row["max_asset_bytes"] is not None and length_bytes > row["max_asset_bytes"]:
        raise _too_large(f"Your plan takes files of up to {amount(row['max_asset_bytes'])}; this one is larger.")
    if row["max_total_bytes"] is not None and row["stored"] + more > row["max_total_bytes"]:
        raise _too_large(f"Your plan stores up to {amount(row['max_total_bytes'])}; delete footage to make room.")
    if more > 0 and row["open"] >= MOST_OPEN:
        raise CinemaError(ErrorCode.LIMIT_EXCEEDED, f"You have {MOST_OPEN} unfinished uploads; finish or end some.")


def amount(size_bytes: int) -> str:
    """A number of bytes as people read it, such as ``50 GiB``."""
    size, unit = float(size_bytes), 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.1f}".removesuffix(".0") + f" {_UNITS[unit]}"


def _too_large(message: str) -> CinemaError:
    return CinemaError(ErrorCode.MEDIA_TOO_LARGE, message)


def _upload(row: asyncpg.Record | None) -> Upload:
    if row is None:
        raise CinemaError(ErrorCode.NOT_FOUND, "This upload does not exist.")
    return model_from(row, Upload)


def _ids(rows: Sequence[asyncpg.Record]) -> tuple[UUID, ...]:
    return tuple(row["id"] for row in rows)

"""What has been kept long enough: announced to its creator, then taken out of use."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from schemas.retention import (
    LISTED_ITEMS,
    ExpiringItem,
    ExpiryNotice,
    Forecast,
    ItemKind,
    RetentionPolicy,
    RetentionStatus,
    SweepCounts,
)
from stores.database import Connection, Connections, session, transaction
from stores.removals import content_alone

EXPIRING = "retention.expiring"

#: Where no plan can make anything due yet, whatever else holds: rows before it are the only ones looked at.
_OLD_ENOUGH = """
    since <= $1::timestamptz + $3::interval - make_interval(days => (select min(retention_days) from public.plans))
"""


@dataclass(frozen=True)
class _Expiring:
    """A table of rows that expire: the function that tells which are due, and the rows that each is held by."""

    table: str
    expiry: str
    holders: str
    held_by: str


_ASSETS = _Expiring("public.assets", "cinema.asset_expiry", "public.projects", "project_id")
_OUTPUTS = _Expiring("public.job_outputs", "cinema.output_expiry", "public.jobs", "job_id")


class Retention:
    """Rows of ``assets``, ``job_outputs`` and ``analyses`` on their way out.

    Claiming (``claim_*``) is the point of no return and safe against everything that begins to use an item: see the
    triggers of migration 0010.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def announce(self, policy: RetentionPolicy, as_of: datetime) -> int:
        """Tells the creators of up to ``batch_size`` projects what will go, once per item; returns how many items.

        An item goes when it is due, and never earlier than ``policy.notice`` from ``as_of``.
        """
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                f"""
                select project_id from (
                    select project_id, due_at from cinema.asset_expiry($2)
                    where expires_at is null and not busy and due_at <= $1::timestamptz + $3::interval and {_OLD_ENOUGH}
                    union all
                    select project_id, due_at from cinema.output_expiry($2)
                    where expires_at is null and not busy and due_at <= $1::timestamptz + $3::interval and {_OLD_ENOUGH}
                ) as due group by project_id order by min(due_at), project_id limit $4
                """,  # noqa: S608 (a constant)
                as_of,
                policy.grace,
                policy.notice,
                policy.batch_size,
            )
        return sum([await self._announce_project(row["project_id"], policy, as_of) for row in rows])

    async def _announce_project(self, project_id: UUID, policy: RetentionPolicy, as_of: datetime) -> int:
        async with transaction(self._connections) as connection:
            # Two sweeps at once, or a job that is just being created: one after the other, each seeing the whole.
            project = await connection.fetchrow("select * from public.projects where id = $1 for update", project_id)
            if project is None:
                return 0
            items = await _announce_items(connection, project_id, policy, as_of)
            told = [item for item in items if item.size_bytes > 0 or item.kind is ItemKind.ASSET]
            if told:
                await connection.execute(
                    """
                    insert into public.notices (owner_id, project_id, kind, body, expires_at)
                    values ($1, $2, $3, $4, $5)
                    """,
                    project["owner_id"],
                    project_id,
                    EXPIRING,
                    _notice(project, told).model_dump(mode="json"),
                    min(item.expires_at for item in told),
                )
            return len(items)

    async def withdraw(self, policy: RetentionPolicy) -> int:
        """Takes back the date of what has been used again, or is kept longer by now; returns how many items."""
        async with session(self._connections) as connection:
            return int(
                await connection.fetchval(
                    """
                    with assets as (
                        update public.assets a set expires_at = null
                        where expires_at is not null and expiring_since is null and not exists (
                            select from cinema.asset_expiry($1) e where e.id = a.id and e.due_at <= a.expires_at
                        ) returning 1
                    ), outputs as (
                        update public.job_outputs o set expires_at = null
                        where expires_at is not null and expiring_since is null and not exists (
                            select from cinema.output_expiry($1) e where e.id = o.id and e.due_at <= o.expires_at
                        ) returning 1
                    )
                    select (select count(*) from assets) + (select count(*) from outputs)
                    """,
                    policy.grace,
                )
            )

    async def claim_assets(self, policy: RetentionPolicy, as_of: datetime) -> tuple[UUID, ...]:
        """Takes up to ``batch_size`` assets whose time has come out of use, for good."""
        return await self._claim(_ASSETS, policy, as_of)

    async def claim_outputs(self, policy: RetentionPolicy, as_of: datetime) -> tuple[UUID, ...]:
        """The same for outputs."""
        return await self._claim(_OUTPUTS, policy, as_of)

    async def _claim(self, expiring: _Expiring, policy: RetentionPolicy, as_of: datetime) -> tuple[UUID, ...]:
        due = f"from {expiring.expiry}($2) where expires_at <= $1 and due_at <= $1 and not busy"
        bounds = as_of, policy.grace, policy.batch_size
        async with transaction(self._connections) as connection:
            holders = await connection.fetch(
                f"""
                select id from {expiring.holders} where id in (
                    select {expiring.held_by} {due} order by expires_at, id limit $3
                ) order by id for update skip locked
                """,  # noqa: S608 (constants)
                *bounds,
            )
            # Under the lock no job can be created or reopened of what they hold: what is not busy now stays so.
            rows = await connection.fetch(
                f"""
                update {expiring.table} set expiring_since = clock_timestamp() where id in (
                    select id {due} and {expiring.held_by} = any($4::uuid[]) order by expires_at, id limit $3
                ) returning id
                """,  # noqa: S608 (constants)
                *bounds,
                [row["id"] for row in holders],
            )
        return _ids(rows)

    async def claim_analyses(self, limit: int) -> tuple[str, ...]:
        """Takes the analyses of up to ``limit`` contents that no live asset has, whosever it was, out of use.

        And the parts that are left of finished ones.
        """
        async with transaction(self._connections) as connection:
            rows = await connection.fetch(
                f"select distinct asset_sha256 from public.analyses where {_UNUSED} limit $1",  # noqa: S608 (a constant)
                limit,
            )
            return await claim_unused_analyses(connection, [row["asset_sha256"] for row in rows])

    async def claim_segments(self, policy: RetentionPolicy, as_of: datetime) -> tuple[str, ...]:
        """Takes up to ``batch_size`` segments out of use, by object key, of which nothing was made for long enough."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                f"""
                update public.segments set usable = false where usable and object_key in (
                    select object_key {_UNUSED_SEGMENTS} order by used_at limit $3
                ) returning object_key
                """,  # noqa: S608 (a constant)
                as_of,
                policy.segments,
                policy.batch_size,
            )
        return tuple(row["object_key"] for row in rows)

    async def preview(self, policy: RetentionPolicy, as_of: datetime) -> SweepCounts:
        """What a sweep would tell and remove, without a look at the objects. Changes nothing."""
        async with session(self._connections) as connection:
            (row,) = await connection.fetch(
                """
                with item as (
                    select 'asset' as kind, expires_at, due_at, size_bytes from cinema.asset_expiry($2) where not busy
                    union all
                    select 'output', expires_at, due_at, size_bytes from cinema.output_expiry($2) where not busy
                ), going as (select * from item where expires_at <= $1 and due_at <= $1)
                select
                    (select count(*) from going where kind = 'output') as outputs,
                    (select count(*) from going where kind = 'asset') as assets,
                    (select coalesce(sum(size_bytes), 0)::bigint from going) as bytes,
                    (select count(*) from item
                        where expires_at is null and due_at <= $1::timestamptz + $3::interval) as noticed
                """,
                as_of,
                policy.grace,
                policy.notice,
            )
            unused = await connection.fetchval(f"select count(*) from public.analyses where {_UNUSED}")  # noqa: S608 (a constant)
            segments = await connection.fetchval(
                f"select count(*) {_UNUSED_SEGMENTS}",
                as_of,
                policy.segments,
            )
        return SweepCounts(**dict(row), analyses=unused, segments=segments)

    async def status(self, policy: RetentionPolicy, as_of: datetime, ahead: timedelta) -> RetentionStatus:
        """What goes within ``ahead``, day by day, if nothing is used again meanwhile. Changes nothing.

        What its creator does not know of yet goes no earlier than ``policy.notice`` from ``as_of``.
        """
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                select kind, date_trunc('day', goes_at, 'UTC') as day,
                    expires_at is not null as announced, count(*) as items, sum(size_bytes)::bigint as size_bytes
                from (
                    select 'asset' as kind, expires_at, due_at, size_bytes from cinema.asset_expiry($1) where not busy
                    union all
                    select 'output', expires_at, due_at, size_bytes from cinema.output_expiry($1) where not busy
                ) as item, coalesce(expires_at, greatest(due_at, $2::timestamptz + $3::interval)) as goes_at
                where goes_at <= $2::timestamptz + $4::interval group by 1, 2, 3 order by 2, 1, 3
                """,
                policy.grace,
                as_of,
                policy.notice,
                ahead,
            )
            unfinished = await connection.fetchval(
                """
                select (select count(*) from public.assets where expiring_since is not null and expired_at is null)
                    + (select count(*) from public.job_outputs where expiring_since is not null and expired_at is null)
                    + (select count(*) from public.analyses where not usable)
                    + (select count(*) from public.segments where not usable)
                """
            )
            unused = await connection.fetchval(f"select count(*) from public.analyses where {_UNUSED}")  # noqa: S608 (a constant)
        return RetentionStatus(
            forecasts=tuple(Forecast.model_validate(dict(row)) for row in rows),
            unfinished=unfinished,
            unused_analyses=unused,
        )


#: Of content that nobody has, or parts of what is finished.
_UNUSED = """
    usable and (not exists (
        select from public.assets where sha256 = analyses.asset_sha256 and expiring_since is null
    ) or exists (
        select from public.analyses whole
        where whole.usable and whole.key = split_part(analyses.object_key, '/', 2)
        and analyses.analyzer = whole.analyzer || '.part'
    ))
"""

#: Segments of which no output was made since $1 less $2, or less what their creator's plan keeps, and none is to be.
_UNUSED_SEGMENTS = """
    from public.segments s
    join public.profiles profile on profile.id = s.owner_id join public.plans plan on plan.id = profile.plan_id
    where s.usable and s.used_at < $1::timestamptz - least($2::interval, make_interval(days => plan.retention_days))
    and not exists (
        select from public.jobs where project_id = s.project_id and not cinema.job_settled(status)
    )
"""


async def claim_unused_analyses(connection: Connection, contents: Sequence[str]) -> tuple[str, ...]:
    """Takes the analyses of these contents out of use where no live asset has that content; in a transaction.

    Parts of finished ones go in any case.

    An asset that is being added with one of these contents is either seen here, or waits and finds its analyses out of
    use.
    """
    free = [content for content in sorted(contents) if await content_alone(connection, content)]
    rows = await connection.fetch(
        f"""
        update public.analyses set usable = false
        where asset_sha256 = any($1::text[]) and {_UNUSED} returning key
        """,  # noqa: S608 (a constant)
        free,
    )
    return tuple(row["key"] for row in rows)


async def _announce_items(
    connection: Connection, project_id: UUID, policy: RetentionPolicy, as_of: datetime
) -> list[ExpiringItem]:
    parameters = (as_of, policy.grace, policy.notice, project_id)
    assets = await connection.fetch(
        """
        update public.assets a set expires_at = greatest(e.due_at, $1::timestamptz + $3::interval)
        from cinema.asset_expiry($2) e
        where e.id = a.id and e.project_id = $4 and e.expires_at is null and not e.busy
            and e.due_at <= $1::timestamptz + $3::interval
        returning a.id, 'asset' as kind, a.name, a.size_bytes, a.expires_at
        """,
        *parameters,
    )
    outputs = await connection.fetch(
        """
        update public.job_outputs o set expires_at = greatest(e.due_at, $1::timestamptz + $3::interval)
        from cinema.output_expiry($2) e
        where e.id = o.id and e.project_id = $4 and e.expires_at is null and not e.busy
            and e.due_at <= $1::timestamptz + $3::interval
        returning o.id, 'output' as kind, o.variant as name, e.size_bytes, o.expires_at
        """,
        *parameters,
    )
    return [ExpiringItem.model_validate(dict(row)) for row in (*assets, *outputs)]


def _notice(project: asyncpg.Record, items: Sequence[ExpiringItem]) -> ExpiryNotice:
    soonest = sorted(items, key=lambda item: (item.expires_at, item.id))
    return ExpiryNotice(
        project_id=project["id"],
        project_name=project["name"],
        expires_at=soonest[0].expires_at,
        assets=sum(item.kind is ItemKind.ASSET for item in items),
        outputs=sum(item.kind is ItemKind.OUTPUT for item in items),
        size_bytes=sum(item.size_bytes for item in items),
        items=tuple(soonest[:LISTED_ITEMS]),
    )


def _ids(rows: Sequence[asyncpg.Record]) -> tuple[UUID, ...]:
    return tuple(row["id"] for row in rows)

"""The log of who did what: rows are added, read by their owner, and forgotten when they are old enough."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from schemas.resources.audit import AuditEntry, Outcome
from stores.database import Connections, model_from, session, storable

LONGEST_RESOURCE: Final = 300
#: Rows forgotten by one statement.
FORGET_BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class Act:
    """A request that would change something, and what came of it. ``address`` is the client's, as text."""

    owner_id: UUID
    token_id: UUID | None
    action: str
    resource: str
    status: int
    request_id: str
    address: str | None


class AuditLog:
    """Rows of ``audit_log``."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def add(self, act: Act) -> None:
        async with session(self._connections) as connection:
            await connection.execute(
                """
                insert into public.audit_log
                    (owner_id, token_id, action, resource, outcome, status, request_id, address)
                values ($1, $2, $3, $4, $5, $6, $7, $8::text::inet)
                """,
                act.owner_id,
                act.token_id,
                act.action,
                storable(act.resource)[:LONGEST_RESOURCE],
                Outcome.of(act.status),
                act.status,
                act.request_id,
                act.address,
            )

    async def page(self, most: int, below: tuple[datetime, UUID] | None) -> tuple[AuditEntry, ...]:
        """Up to ``most`` rows that the caller may see, newest first, from right below ``(created_at, id)``."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                select id, created_at, token_id, action, resource, outcome, status, request_id,
                    host(address) as address
                from public.audit_log
                where $2::timestamptz is null or (created_at, id) < ($2::timestamptz, $3::uuid)
                order by created_at desc, id desc limit $1
                """,
                most,
                *(below or (None, None)),
            )
        return tuple(model_from(row, AuditEntry) for row in rows)

    async def forget(self, kept_for: timedelta) -> int:
        """Deletes rows older than this, at least 30 days, and says how many."""
        forgotten = total = await self._forget_batch(kept_for)
        while forgotten == FORGET_BATCH:
            forgotten = await self._forget_batch(kept_for)
            total += forgotten
        return total

    async def _forget_batch(self, kept_for: timedelta) -> int:
        async with session(self._connections) as connection:
            forgotten: int = await connection.fetchval("select cinema.forget_audit_log($1, $2)", kept_for, FORGET_BATCH)
        return forgotten

"""Webhook deliveries that wait for their workflow to be started, each claimed by one dispatcher at a time."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from schemas.model import Model
from schemas.webhooks import EventType
from stores.database import Connections, model_from, session, storable
from stores.listening import listening

WEBHOOKS_CHANNEL: Final = "cinema_webhooks"

#: Waiting time after a refused start: doubles from one second with each refusal, up to a minute.
FIRST_BACK_OFF = timedelta(seconds=1)
LONGEST_BACK_OFF = timedelta(minutes=1)

LONGEST_ERROR = 1000


class WaitingDelivery(Model):
    """A delivery to start, and what an operator wants to read of it. ``claims`` counts this one too."""

    id: UUID
    owner_id: UUID
    event_id: UUID
    event_type: EventType
    url: str
    claims: int


class WebhookOutbox:
    """Rows of ``webhook_deliveries`` that are ``waiting``. A claim is a lease: it runs out with whoever holds it."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def claim(self, limit: int, lease: timedelta) -> tuple[WaitingDelivery, ...]:
        """Up to ``limit`` deliveries, oldest first, that nobody else gets until ``lease`` is over."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                with due as materialized (
                    select id from public.webhook_deliveries
                    where status = 'waiting' and available_at <= clock_timestamp()
                    order by available_at, created_at limit $1 for update skip locked
                ), claimed as (
                    update public.webhook_deliveries
                    set available_at = clock_timestamp() + $2, claims = claims + 1
                    where id in (select id from due) returning *
                )
                select claimed.id, claimed.owner_id, claimed.event_id, event.type as event_type, endpoint.url,
                    claimed.claims
                from claimed
                join public.webhook_events as event on event.id = claimed.event_id
                join public.webhook_endpoints as endpoint on endpoint.id = claimed.endpoint_id
                order by claimed.created_at, claimed.id
                """,
                limit,
                lease,
            )
        return tuple(model_from(row, WaitingDelivery) for row in rows)

    async def started(self, delivery_id: UUID) -> None:
        """Its workflow runs, or has run: it is never claimed again."""
        async with session(self._connections) as connection:
            await connection.execute(
                """
                update public.webhook_deliveries set status = 'delivering', last_error = null
                where id = $1 and status = 'waiting'
                """,
                delivery_id,
            )

    async def postpone(self, delivery_id: UUID, error: str) -> None:
        """Nobody could be asked to start it: it can be claimed again at once, and nothing is held against it.

        Its owner sees ``error``.
        """
        async with session(self._connections) as connection:
            await connection.execute(
                """
                update public.webhook_deliveries set last_error = $2, available_at = clock_timestamp()
                where id = $1 and status = 'waiting'
                """,
                delivery_id,
                storable(error)[:LONGEST_ERROR],
            )

    async def refuse(self, delivery_id: UUID, error: str) -> int:
        """The start was refused: it can be claimed again after a back-off; how often that has happened by now.

        Its owner sees ``error``.
        """
        async with session(self._connections) as connection:
            refusals: int | None = await connection.fetchval(
                """
                update public.webhook_deliveries
                set last_error = $2,
                    refusals = refusals + 1,
                    available_at = clock_timestamp() + least($3::interval * power(2, least(refusals, 20)), $4)
                where id = $1 and status = 'waiting' returning refusals
                """,
                delivery_id,
                storable(error)[:LONGEST_ERROR],
                FIRST_BACK_OFF,
                LONGEST_BACK_OFF,
            )
        return refusals or 0

    async def wait(self, longest: timedelta) -> bool:
        """Waits until a delivery can be claimed, but no longer than this, and says whether one can.

        Raises:
            TransientError: the connection was lost (``STORE_UNAVAILABLE``).
        """
        async with (
            session(self._connections) as connection,
            listening(connection, WEBHOOKS_CHANNEL) as notifications,
        ):
            due: timedelta | None = await connection.fetchval(
                """
                select min(available_at) - clock_timestamp() from public.webhook_deliveries where status = 'waiting'
                """
            )
            if due is not None and due <= timedelta(0):
                return True
            patience = longest if due is None else min(longest, due)
            woken = await notifications.next(patience) is not None
            return woken or (due is not None and due <= longest)

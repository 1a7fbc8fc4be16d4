"""The delivery log as an owner reads it, tests and replays."""

import asyncio
import time
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from schemas.errors import CinemaError, ErrorCode
from schemas.webhooks import EventType, WebhookAttempt, WebhookDelivery, refused
from stores.database import Connection, Connections, model_from, session, transaction

#: Events put on their way again by one call; a longer outage takes several.
MOST_REPLAYED = 1000

#: How long events are kept, with their deliveries and attempts.
LOG_KEPT_FOR: Final = timedelta(days=30)

#: Events deleted by one statement.
PRUNE_BATCH = 1000

#: Seconds between two looks at a delivery that is waited for.
LOOK_INTERVAL = 0.2

_DELIVERY = """
    select delivery.*, event.type as event_type
    from public.webhook_deliveries as delivery join public.webhook_events as event on event.id = delivery.event_id
"""


class WebhookDeliveries:
    """Rows of ``webhook_events``, ``webhook_deliveries`` and ``webhook_attempts``, each for the owner who asks."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def get(self, owner_id: UUID, delivery_id: UUID) -> WebhookDelivery:
        """Raises ``NOT_FOUND`` if the owner has no such delivery."""
        async with session(self._connections) as connection:
            row = await connection.fetchrow(
                f"{_DELIVERY} where delivery.owner_id = $1 and delivery.id = $2", owner_id, delivery_id
            )
        if row is None:
            raise _missing()
        return model_from(row, WebhookDelivery)

    async def of(
        self, owner_id: UUID, endpoint_id: UUID, *, before: datetime | None = None, limit: int = 50
    ) -> tuple[WebhookDelivery, ...]:
        """The endpoint's latest deliveries, latest first; ``before`` continues an earlier answer."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                f"""
                {_DELIVERY} where delivery.owner_id = $1 and delivery.endpoint_id = $2
                    and delivery.created_at < coalesce($3::timestamptz, 'infinity')
                order by delivery.created_at desc, delivery.id limit $4
                """,
                owner_id,
                endpoint_id,
                before,
                limit,
            )
        return tuple(model_from(row, WebhookDelivery) for row in rows)

    async def attempts(self, owner_id: UUID, delivery_id: UUID) -> tuple[WebhookAttempt, ...]:
        """The delivery's attempts in order."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                "select * from public.webhook_attempts where owner_id = $1 and delivery_id = $2 order by number",
                owner_id,
                delivery_id,
            )
        return tuple(model_from(row, WebhookAttempt) for row in rows)

    async def ping(self, owner_id: UUID, endpoint_id: UUID) -> UUID:
        """Sends a ``test.ping`` to the endpoint, subscribed or not, enabled or not; its delivery."""
        async with transaction(self._connections) as connection:
            await _endpoint_status(connection, owner_id, endpoint_id)
            delivery_id: UUID = await connection.fetchval(
                """
                with event as (
                    insert into public.webhook_events (owner_id, type, data)
                    values ($1, $3, jsonb_build_object('endpoint_id', $2::uuid, 'message', 'This is a test.'))
                    returning id
                )
                insert into public.webhook_deliveries (owner_id, event_id, endpoint_id)
                select $1, id, $2 from event returning id
                """,
                owner_id,
                endpoint_id,
                EventType.TEST_PING,
            )
        return delivery_id

    async def replay(self, owner_id: UUID, delivery_id: UUID) -> UUID:
        """Sends the same event, with the same id, to the same endpoint once more; the new delivery.

        Raises:
            CinemaError: the owner has no such delivery (``NOT_FOUND``); the endpoint is disabled (``WEBHOOK_REFUSED``).
        """
        async with transaction(self._connections) as connection:
            endpoint_id = await connection.fetchval(
                "select endpoint_id from public.webhook_deliveries where owner_id = $1 and id = $2",
                owner_id,
                delivery_id,
            )
            if endpoint_id is None:
                raise _missing()
            await _check_enabled(connection, owner_id, endpoint_id)
            replayed: UUID = await connection.fetchval(
                """
                insert into public.webhook_deliveries (owner_id, event_id, endpoint_id, replay_of)
                select owner_id, event_id, endpoint_id, id from public.webhook_deliveries where id = $1 returning id
                """,
                delivery_id,
            )
        return replayed

    async def replay_missed(self, owner_id: UUID, endpoint_id: UUID, since: datetime) -> int:
        """Sends every event since then that the endpoint is subscribed to and never got, and says how many.

        These are failed deliveries, and events of a time when the endpoint was disabled or did not exist yet. Oldest
        first, at most ``MOST_REPLAYED``: call again for more.

        Raises:
            CinemaError: the owner has no such endpoint (``NOT_FOUND``); it is disabled (``WEBHOOK_REFUSED``).
        """
        async with transaction(self._connections) as connection:
            await _check_enabled(connection, owner_id, endpoint_id)
            count: int = await connection.fetchval(
                """
                with missed as (
                    select event.id, (
                        select id from public.webhook_deliveries as failed
                        where failed.event_id = event.id and failed.endpoint_id = endpoint.id
                        order by created_at desc limit 1
                    ) as failed_id
                    from public.webhook_endpoints as endpoint
                    join public.webhook_events as event
                        on event.owner_id = endpoint.owner_id and event.type = any (endpoint.event_types)
                    where endpoint.id = $2 and event.owner_id = $1 and event.occurred_at >= $3
                        and event.type <> $5
                        and not exists (
                            select from public.webhook_deliveries as other
                            where other.event_id = event.id and other.endpoint_id = endpoint.id
                                and other.status <> 'failed'
                        )
                    order by event.occurred_at limit $4
                ), replayed as (
                    insert into public.webhook_deliveries (owner_id, event_id, endpoint_id, replay_of)
                    select $1, id, $2, failed_id from missed returning id
                )
                select count(*) from replayed
                """,
                owner_id,
                endpoint_id,
                since,
                MOST_REPLAYED,
                EventType.TEST_PING,
            )
        return count

    async def settled(self, owner_id: UUID, delivery_id: UUID, longest: timedelta) -> WebhookDelivery:
        """The delivery once it has settled, or as it is after waiting this long."""
        deadline = time.monotonic() + longest.total_seconds()
        delivery = await self.get(owner_id, delivery_id)
        while not delivery.status.settled and time.monotonic() < deadline:
            await asyncio.sleep(LOOK_INTERVAL)
            delivery = await self.get(owner_id, delivery_id)
        return delivery

    async def prune(self, kept_for: timedelta = LOG_KEPT_FOR) -> int:
        """Deletes events older than this, with their log, except what is under way; how many."""
        pruned = total = await self._prune_batch(kept_for)
        while pruned == PRUNE_BATCH:
            pruned = await self._prune_batch(kept_for)
            total += pruned
        return total

    async def _prune_batch(self, kept_for: timedelta) -> int:
        async with session(self._connections) as connection:
            pruned: int = await connection.fetchval(
                """
                with old as (
                    delete from public.webhook_events where id in (
                        select id from public.webhook_events as event
                        where created_at < clock_timestamp() - $1::interval and not exists (
                            select from public.webhook_deliveries
                            where event_id = event.id and owner_id = event.owner_id and settled_at is null
                                and created_at > clock_timestamp() - $1::interval
                        )
                        order by created_at limit $2 for update skip locked
                    ) returning id
                )
                select count(*) from old
                """,
                kept_for,
                PRUNE_BATCH,
            )
        return pruned


async def _endpoint_status(connection: Connection, owner_id: UUID, endpoint_id: UUID) -> str:
    """Locked, so that two replays at once do not both find the same events missed."""
    status: str | None = await connection.fetchval(
        "select status from public.webhook_endpoints where owner_id = $1 and id = $2 for no key update",
        owner_id,
        endpoint_id,
    )
    if status is None:
        raise CinemaError(ErrorCode.NOT_FOUND, "This webhook endpoint does not exist.")
    return status


async def _check_enabled(connection: Connection, owner_id: UUID, endpoint_id: UUID) -> None:
    if await _endpoint_status(connection, owner_id, endpoint_id) != "enabled":
        raise refused("This webhook endpoint is disabled; enable it before anything is replayed.")


def _missing() -> CinemaError:
    return CinemaError(ErrorCode.NOT_FOUND, "This webhook delivery does not exist.")

"""Deliveries as their owner browses them."""

from datetime import datetime
from uuid import UUID

from schemas.webhooks import DeliveryStatus, WebhookDelivery
from stores.database import Connections, model_from, session


class WebhookListing:
    """Rows of ``webhook_deliveries`` that the caller may see."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def page(
        self, endpoint_id: UUID, most: int, below: tuple[datetime, UUID] | None, status: DeliveryStatus | None = None
    ) -> tuple[WebhookDelivery, ...]:
        """Up to ``most`` of an endpoint's deliveries, newest first, from right below ``(created_at, id)``."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                select delivery.*, event.type as event_type
                from public.webhook_deliveries as delivery
                join public.webhook_events as event on event.id = delivery.event_id
                where delivery.endpoint_id = $1
                    and ($3::timestamptz is null or (delivery.created_at, delivery.id) < ($3::timestamptz, $4::uuid))
                    and ($5::text is null or delivery.status = $5::text)
                order by delivery.created_at desc, delivery.id desc limit $2
                """,
                endpoint_id,
                most,
                *(below or (None, None)),
                status,
            )
        return tuple(model_from(row, WebhookDelivery) for row in rows)

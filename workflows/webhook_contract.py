"""How the delivery of one webhook is started and found."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from activities.webhook_declarations import AttemptedDelivery
from schemas.model import Model
from schemas.webhooks import EventType

DELIVER_WEBHOOK: Final = "DeliverWebhook"

#: Far above the 28 hours that a delivery takes at most, so that none stays for ever.
WEBHOOK_EXECUTION_TIMEOUT = timedelta(days=3)


class DeliverWebhookInput(Model):
    """A row of ``webhook_deliveries``; ``receiver`` is the host, for operators to read."""

    delivery_id: UUID
    owner_id: UUID
    event_type: EventType
    receiver: str


DeliverWebhookResult = AttemptedDelivery


def deliver_webhook_id(delivery_id: UUID) -> str:
    """The workflow id of a delivery: one execution per delivery, whoever starts it."""
    return f"webhook-{delivery_id}"

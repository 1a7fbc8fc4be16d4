"""The activities of webhooks: names, arguments and results, all a workflow may know of them."""

from uuid import UUID

from activities.declarations import Declaration, TaskQueue
from schemas.model import Model
from schemas.webhooks import DeliveryStatus


class AttemptDelivery(Model):
    """Make one request. If it fails, the next one comes after ``wait_s``; without it, this is the last.

    A receiver that asks for more time (``Retry-After``) may put the next one off up to ``longest_wait_s``.
    """

    delivery_id: UUID
    owner_id: UUID
    wait_s: float | None
    longest_wait_s: float


class AttemptedDelivery(Model):
    """``status`` and ``error`` are the delivery's. Without ``next_wait_s``, the time to the next, it has settled."""

    status: DeliveryStatus
    error: str | None = None
    next_wait_s: float | None = None


class AbandonDelivery(Model):
    """Fail the delivery, because no attempt could even be made."""

    delivery_id: UUID
    error: str


ATTEMPT_DELIVERY = Declaration("attempt_delivery", TaskQueue.JOBS, AttemptDelivery, AttemptedDelivery)
ABANDON_DELIVERY = Declaration("abandon_delivery", TaskQueue.JOBS, AbandonDelivery, type(None))

"""Webhook endpoints and their deliveries as the API's clients see them."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from annotated_types import Len
from pydantic import Field

from schemas.model import Model
from schemas.moments import Moment
from schemas.webhooks import (
    DeliveryStatus,
    DisabledReason,
    EndpointStatus,
    EventType,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)


class EndpointChange(Model):
    """What the endpoint is sent from now on."""

    event_types: Annotated[
        tuple[EventType, ...],
        Len(1, len(EventType)),
        Field(examples=[[EventType.JOB_COMPLETED, EventType.JOB_FAILED]]),
    ]


class EndpointResource(Model):
    """Where events are sent. ``failing_since`` is the first failure after the last success."""

    id: UUID
    url: str = Field(examples=["https://example.com/hooks/cinema"])
    description: str
    event_types: tuple[EventType, ...]
    status: EndpointStatus
    disabled_reason: DisabledReason | None
    disabled_notice: str | None
    disabled_at: datetime | None
    failing_since: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, endpoint: WebhookEndpoint) -> Self:
        return cls.model_validate(endpoint.model_dump(exclude={"owner_id"}))


class EndpointWithSecret(Model):
    """An endpoint and its new secret, in the only answer that shows it."""

    endpoint: EndpointResource
    secret: str = Field(examples=["whsec_…"], description="What the receiver verifies requests with.")


class RotationOrder(Model):
    at_once: bool = Field(
        False,  # noqa: FBT003 (a default)
        description="The old secret signs no more, instead of for another day: it has leaked.",
    )


class RecoveryOrder(Model):
    since: Moment = Field(
        description="Everything that was missed from then on is sent.", examples=["2026-02-01T00:00:00Z"]
    )


class Recovery(Model):
    """How many events are on their way; at most 1,000 at once, so ask again while it is that many."""

    events: int


class DeliveryResource(Model):
    """One event on its way to one endpoint; a replay is a new delivery of the same event."""

    id: UUID
    event_id: UUID
    event_type: EventType
    endpoint_id: UUID
    replay_of: UUID | None
    status: DeliveryStatus
    attempts: int = Field(description="How many were made.")
    next_attempt_at: datetime | None
    last_error: str | None
    created_at: datetime
    settled_at: datetime | None

    @classmethod
    def of(cls, delivery: WebhookDelivery) -> Self:
        return cls.model_validate(delivery.model_dump(exclude={"owner_id"}))


class AttemptResource(Model):
    """One request. Without ``duration_ms`` it is under way, or whoever made it was interrupted."""

    number: int
    started_at: datetime
    duration_ms: int | None
    status_code: int | None
    response: str | None = Field(description="How the receiver's answer began.")
    error: str | None

    @classmethod
    def of(cls, attempt: WebhookAttempt) -> Self:
        return cls.model_validate(attempt.model_dump(exclude={"delivery_id"}))


class DeliveryWithAttempts(Model):
    """A delivery and every request that was made for it, in order."""

    delivery: DeliveryResource
    attempts: tuple[AttemptResource, ...]

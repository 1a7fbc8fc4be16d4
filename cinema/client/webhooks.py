"""Webhooks: endpoints, their secrets, what was sent to them, and sending it again."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from cinema.client.asking import asked, done, query
from cinema.client.steps import Flow, Send
from schemas.resources.page import Page
from schemas.resources.webhooks import (
    DeliveryResource,
    DeliveryWithAttempts,
    EndpointChange,
    EndpointResource,
    EndpointWithSecret,
    Recovery,
    RecoveryOrder,
    RotationOrder,
)
from schemas.webhooks import DeliveryStatus, EventType, NewEndpoint


def create(
    url: str, event_types: Sequence[EventType] | None = None, *, description: str = ""
) -> Flow[EndpointWithSecret]:
    """Have these events sent to an address, all if none is named. Its secret is in this answer alone."""
    new = NewEndpoint(url=url, description=description)
    if event_types is not None:
        new = NewEndpoint(url=url, description=description, event_types=tuple(event_types))
    return asked(Send(method="POST", url="/webhooks", model=new), EndpointWithSecret)


def list_endpoints() -> Flow[Page[EndpointResource]]:
    """All endpoints, oldest first."""
    return asked(Send(method="GET", url="/webhooks"), Page[EndpointResource])


def get(endpoint_id: UUID) -> Flow[EndpointResource]:
    """Read an endpoint."""
    return asked(Send(method="GET", url=f"/webhooks/{endpoint_id}"), EndpointResource)


def change(endpoint_id: UUID, event_types: Sequence[EventType]) -> Flow[EndpointResource]:
    """Have an endpoint sent these events from now on."""
    model = EndpointChange(event_types=tuple(event_types))
    return asked(Send(method="PATCH", url=f"/webhooks/{endpoint_id}", model=model), EndpointResource)


def delete(endpoint_id: UUID) -> Flow[None]:
    """Remove an endpoint with its secrets and its log."""
    return done(Send(method="DELETE", url=f"/webhooks/{endpoint_id}"))


def enable(endpoint_id: UUID) -> Flow[EndpointResource]:
    """Send an endpoint events again, from now on."""
    return asked(Send(method="POST", url=f"/webhooks/{endpoint_id}/enable"), EndpointResource, repeatable=True)


def disable(endpoint_id: UUID) -> Flow[EndpointResource]:
    """Send an endpoint nothing."""
    return asked(Send(method="POST", url=f"/webhooks/{endpoint_id}/disable"), EndpointResource, repeatable=True)


def rotate(endpoint_id: UUID, *, at_once: bool = False) -> Flow[EndpointWithSecret]:
    """Give an endpoint a new secret, which is in this answer alone; the old one signs for a day, unless ``at_once``."""
    order = RotationOrder(at_once=at_once)
    return asked(Send(method="POST", url=f"/webhooks/{endpoint_id}/rotate", model=order), EndpointWithSecret)


def test(endpoint_id: UUID) -> Flow[DeliveryResource]:
    """Send an endpoint a test, once; :func:`delivery` tells what came of it."""
    return asked(Send(method="POST", url=f"/webhooks/{endpoint_id}/test"), DeliveryResource)


def recover(endpoint_id: UUID, since: datetime) -> Flow[Recovery]:
    """Send an endpoint all that it missed since then; at most 1,000 events at once."""
    order = RecoveryOrder(since=since)
    return asked(Send(method="POST", url=f"/webhooks/{endpoint_id}/recover", model=order), Recovery)


def deliveries(
    endpoint_id: UUID, *, status: DeliveryStatus | None = None, limit: int = 50, cursor: str | None = None
) -> Flow[Page[DeliveryResource]]:
    """A page of what was sent to an endpoint, newest first; its ``next_cursor`` is the ``cursor`` of the next."""
    wanted = query(status=status, limit=limit, cursor=cursor)
    return asked(Send(method="GET", url=f"/webhooks/{endpoint_id}/deliveries", query=wanted), Page[DeliveryResource])


def delivery(delivery_id: UUID) -> Flow[DeliveryWithAttempts]:
    """Read a delivery and every request that was made for it."""
    return asked(Send(method="GET", url=f"/webhooks/deliveries/{delivery_id}"), DeliveryWithAttempts)


def replay(delivery_id: UUID) -> Flow[DeliveryResource]:
    """Send the event of a delivery once more."""
    return asked(Send(method="POST", url=f"/webhooks/deliveries/{delivery_id}/replay"), DeliveryResource)

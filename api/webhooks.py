"""Webhooks: endpoints, their secrets, what was sent to them, and sending it again."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.callers import Authenticated, Caller, Context
from api.context import WebhookRules
from api.cursors import Cursor, Limit, below, page_of
from api.problems import problem_responses
from schemas.errors import CinemaError
from schemas.invalid_input import InvalidInput
from schemas.resources.page import Page
from schemas.resources.webhooks import (
    AttemptResource,
    DeliveryResource,
    DeliveryWithAttempts,
    EndpointChange,
    EndpointResource,
    EndpointWithSecret,
    Recovery,
    RecoveryOrder,
    RotationOrder,
)
from schemas.webhooks import DeliveryPolicy, DeliveryStatus, NewEndpoint, checked_url
from stores import Connections, Projects
from stores.webhook_deliveries import WebhookDeliveries
from stores.webhook_listing import WebhookListing
from stores.webhooks import SECRET_OVERLAP, WebhookEndpoints

OnlyStatus = Annotated[DeliveryStatus | None, Query(description="Only deliveries in this state.")]

_CONFLICT = problem_responses(HTTPStatus.CONFLICT)


def router(rules: WebhookRules) -> APIRouter:
    """``/webhooks``, the orders below each, and ``/webhooks/deliveries/{delivery_id}``."""
    routes = APIRouter(prefix="/webhooks", tags=["webhooks"])
    _add_endpoints(routes, rules)
    _add_orders(routes, rules)
    _add_deliveries(routes, rules)
    return routes


def _add_endpoints(routes: APIRouter, rules: WebhookRules) -> None:
    @routes.post("", status_code=HTTPStatus.CREATED, summary="Add an endpoint", responses=_CONFLICT)
    async def create(
        new: NewEndpoint, caller: Authenticated, context: Context, response: Response
    ) -> EndpointWithSecret:
        """Its secret is in this answer alone. There may be twenty."""
        _check_url(new.url, rules.policy)
        await Projects(context.database).ensure_profile(caller.owner_id)
        endpoint, secret = await _endpoints(context.database, rules).add(caller.owner_id, new)
        response.headers["Location"] = f"/webhooks/{endpoint.id}"
        return EndpointWithSecret(endpoint=EndpointResource.of(endpoint), secret=secret)

    @routes.get("", name="list", summary="List endpoints, oldest first")
    async def list_endpoints(caller: Authenticated) -> Page[EndpointResource]:
        """All on one page, as there are few."""
        found = await _endpoints(caller.connections, rules).of(caller.owner_id)
        return Page(items=tuple(EndpointResource.of(endpoint) for endpoint in found), next_cursor=None)

    @routes.get("/{endpoint_id}", summary="Read an endpoint")
    async def read(endpoint_id: UUID, caller: Authenticated) -> EndpointResource:
        return EndpointResource.of(await _endpoints(caller.connections, rules).get(caller.owner_id, endpoint_id))

    @routes.patch("/{endpoint_id}", summary="Change what an endpoint is sent")
    async def update(
        endpoint_id: UUID, change: EndpointChange, caller: Authenticated, context: Context
    ) -> EndpointResource:
        endpoints = _endpoints(context.database, rules)
        return EndpointResource.of(await endpoints.subscribe(caller.owner_id, endpoint_id, change.event_types))

    @routes.delete("/{endpoint_id}", status_code=HTTPStatus.NO_CONTENT, summary="Remove an endpoint")
    async def remove(endpoint_id: UUID, caller: Authenticated, context: Context) -> None:
        """With its secrets and its log; deliveries under way end without another attempt."""
        await _endpoints(context.database, rules).remove(caller.owner_id, endpoint_id)


def _add_orders(routes: APIRouter, rules: WebhookRules) -> None:
    @routes.post("/{endpoint_id}/enable", summary="Send an endpoint events again")
    async def enable(endpoint_id: UUID, caller: Authenticated, context: Context) -> EndpointResource:
        """From now on; what it missed is sent when `recover` asks for it."""
        return EndpointResource.of(await _endpoints(context.database, rules).enable(caller.owner_id, endpoint_id))

    @routes.post("/{endpoint_id}/disable", summary="Send an endpoint nothing")
    async def disable(endpoint_id: UUID, caller: Authenticated, context: Context) -> EndpointResource:
        return EndpointResource.of(await _endpoints(context.database, rules).disable(caller.owner_id, endpoint_id))

    @routes.post("/{endpoint_id}/rotate", summary="Give an endpoint a new secret", responses=_CONFLICT)
    async def rotate(
        endpoint_id: UUID, order: RotationOrder, caller: Authenticated, context: Context
    ) -> EndpointWithSecret:
        """The new secret is in this answer alone; for a day each request is signed with the old one too."""
        overlap = timedelta(0) if order.at_once else SECRET_OVERLAP
        endpoint, secret = await _endpoints(context.database, rules).rotate(caller.owner_id, endpoint_id, overlap)
        return EndpointWithSecret(endpoint=EndpointResource.of(endpoint), secret=secret)

    @routes.post("/{endpoint_id}/test", status_code=HTTPStatus.ACCEPTED, summary="Send an endpoint a test")
    async def test(endpoint_id: UUID, caller: Authenticated, context: Context) -> DeliveryResource:
        """A `test.ping`, tried once, also where the endpoint is disabled. Read the delivery to see what came of it."""
        delivery_id = await WebhookDeliveries(context.database).ping(caller.owner_id, endpoint_id)
        return await _delivery(caller, delivery_id)

    @routes.post(
        "/{endpoint_id}/recover",
        status_code=HTTPStatus.ACCEPTED,
        summary="Send an endpoint all that it missed",
        responses=_CONFLICT,
    )
    async def recover(endpoint_id: UUID, order: RecoveryOrder, caller: Authenticated, context: Context) -> Recovery:
        """What failed, and what happened while it was disabled; oldest first."""
        deliveries = WebhookDeliveries(context.database)
        return Recovery(events=await deliveries.replay_missed(caller.owner_id, endpoint_id, order.since))


def _add_deliveries(routes: APIRouter, rules: WebhookRules) -> None:
    @routes.get("/{endpoint_id}/deliveries", name="list_deliveries", summary="List deliveries, newest first")
    async def list_deliveries(
        endpoint_id: UUID,
        caller: Authenticated,
        status: OnlyStatus = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[DeliveryResource]:
        await _endpoints(caller.connections, rules).get(caller.owner_id, endpoint_id)
        found = await WebhookListing(caller.connections).page(endpoint_id, limit + 1, below(cursor), status)
        return page_of([DeliveryResource.of(delivery) for delivery in found], limit)

    @routes.get("/deliveries/{delivery_id}", summary="Read a delivery and its attempts")
    async def read_delivery(delivery_id: UUID, caller: Authenticated) -> DeliveryWithAttempts:
        delivery = await _delivery(caller, delivery_id)
        made = await WebhookDeliveries(caller.connections).attempts(caller.owner_id, delivery_id)
        return DeliveryWithAttempts(delivery=delivery, attempts=tuple(AttemptResource.of(attempt) for attempt in made))

    @routes.post(
        "/deliveries/{delivery_id}/replay",
        status_code=HTTPStatus.ACCEPTED,
        summary="Send an event once more",
        responses=_CONFLICT,
    )
    async def replay(delivery_id: UUID, caller: Authenticated, context: Context) -> DeliveryResource:
        """The same event, with the same `webhook-id`, as a delivery of its own."""
        replayed = await WebhookDeliveries(context.database).replay(caller.owner_id, delivery_id)
        return await _delivery(caller, replayed)


def _endpoints(connections: Connections, rules: WebhookRules) -> WebhookEndpoints:
    return WebhookEndpoints(connections, rules.seal, rules.policy)


async def _delivery(caller: Caller, delivery_id: UUID) -> DeliveryResource:
    return DeliveryResource.of(await WebhookDeliveries(caller.connections).get(caller.owner_id, delivery_id))


def _check_url(url: str, policy: DeliveryPolicy) -> None:
    try:
        checked_url(url, policy)
    except CinemaError as error:
        raise InvalidInput.of("body.url", error.message) from error

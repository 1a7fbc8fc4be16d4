"""The activities that deliver webhooks: one request each, written down before and after."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
from pydantic import ValidationError
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.bulkhead import Bulkhead
from activities.heartbeat import alive
from activities.webhook_declarations import (
    ABANDON_DELIVERY,
    ATTEMPT_DELIVERY,
    AbandonDelivery,
    AttemptDelivery,
    AttemptedDelivery,
)
from activities.webhook_posting import GONE, Answer, WebhookPoster, signed_headers
from activities.webhook_sending import WebhookSending
from schemas.errors import CinemaError
from schemas.webhooks import EVENT, PAYLOAD_VERSION, checked_url, webhook_id
from stores.webhook_attempts import AttemptOutcome, BegunAttempt, WebhookAttempts
from stores.webhooks import WebhookEndpoints

#: Requests under way at once in one worker: a receiver may take 15 s, and jobs' light work needs slots too.
MOST_AT_ONCE = 8
MOST_AT_ONCE_PER_OWNER = 2

#: How long a request that found no room stands back, in seconds; a random part keeps the crowd from coming together.
BUSY_DELAY = (1.0, 4.0)


class WebhookActivities:
    """Requests to receivers, a bounded number at a time."""

    def __init__(self, database: asyncpg.Pool, sending: WebhookSending, poster: WebhookPoster | None = None) -> None:
        self._attempts = WebhookAttempts(database)
        self._endpoints = WebhookEndpoints(database, sending.seal, sending.policy)
        self._policy = sending.policy
        self._poster = poster or WebhookPoster(sending.policy, sending.ca_file)
        self._bulkhead = Bulkhead(most=MOST_AT_ONCE, most_per_owner=MOST_AT_ONCE_PER_OWNER)

    @activity.defn(name=ATTEMPT_DELIVERY.name)
    async def attempt_delivery(self, asked: AttemptDelivery) -> AttemptedDelivery:
        if not self._bulkhead.admits(asked.owner_id):
            raise _busy()
        with self._bulkhead.occupied(asked.owner_id):
            begun = await self._attempts.begin(asked.delivery_id)
            if begun is None:
                return await self._settled(asked.delivery_id)
            async with alive():
                answer = await self._send(begun)
            return await self._finish(asked, begun, answer)

    @activity.defn(name=ABANDON_DELIVERY.name)
    async def abandon_delivery(self, asked: AbandonDelivery) -> None:
        await self._attempts.give_up(asked.delivery_id, asked.error)

    async def _send(self, begun: BegunAttempt) -> Answer:
        try:
            url = checked_url(begun.url, self._policy)
        except CinemaError as error:
            # What was allowed when the endpoint was added may not be any more.
            return Answer(timedelta(0), error=error.message)
        body = payload(begun)
        secrets = await self._endpoints.secrets(begun.endpoint_id)
        return await self._poster.post(
            url, body, signed_headers(webhook_id(begun.event_id), body, secrets, datetime.now(UTC))
        )

    async def _finish(self, asked: AttemptDelivery, begun: BegunAttempt, answer: Answer) -> AttemptedDelivery:
        wait = _next_wait(asked, answer)
        status = await self._attempts.finish(
            asked.delivery_id,
            begun,
            AttemptOutcome(
                duration=answer.duration,
                status_code=answer.status_code,
                response=answer.response,
                error=answer.error,
                gone=answer.status_code == GONE,
                next_wait=wait,
            ),
        )
        if status.settled or wait is None:
            return AttemptedDelivery(status=status, error=answer.error)
        return AttemptedDelivery(status=status, error=answer.error, next_wait_s=wait.total_seconds())

    async def _settled(self, delivery_id: UUID) -> AttemptedDelivery:
        status, error = await self._attempts.outcome(delivery_id)
        return AttemptedDelivery(status=status, error=error)


def payload(begun: BegunAttempt) -> str:
    """What the receiver gets: the same bytes for the same event, as long as the payload's version is the same.

    Raises:
        ApplicationError: The event does not fit its schema; no retry can help.
    """
    try:
        event = EVENT.validate_python(
            {
                "id": webhook_id(begun.event_id),
                "version": PAYLOAD_VERSION,
                "timestamp": begun.occurred_at,
                "type": begun.event_type,
                "data": begun.data,
            }
        )
    except ValidationError as error:
        raise ApplicationError(
            f"Event {begun.event_id} does not fit its schema.", type="invalid_event", non_retryable=True
        ) from error
    return EVENT.dump_json(event).decode()


def _next_wait(asked: AttemptDelivery, answer: Answer) -> timedelta | None:
    """As scheduled, or later if the receiver asked for it, within the delivery's time."""
    if asked.wait_s is None:
        return None
    scheduled = timedelta(seconds=asked.wait_s)
    if answer.retry_after is None:
        return scheduled
    return max(scheduled, min(answer.retry_after, timedelta(seconds=asked.longest_wait_s)))


def _busy() -> ApplicationError:
    return ApplicationError(
        "This worker is sending as many webhooks as it may.",
        type="webhooks_busy",
        next_retry_delay=timedelta(seconds=random.uniform(*BUSY_DELAY)),  # noqa: S311 (spreads load)
        category=ApplicationErrorCategory.BENIGN,
    )

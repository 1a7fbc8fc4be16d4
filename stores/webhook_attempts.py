"""What happens to a delivery under way: each attempt is written down before it is made, and its outcome after."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from schemas.model import Model
from schemas.webhooks import DeliveryStatus, DisabledReason, EventType
from stores.database import Connection, Connections, model_from, session, storable, transaction

#: An endpoint that has answered nothing but errors for so long is disabled.
FAILING_LIMIT: Final = timedelta(days=5)

LONGEST_RESPONSE = 512
LONGEST_ERROR = 1000

ENDPOINT_DISABLED = "The endpoint is disabled."
_GONE_NOTICE = "Disabled because the receiver answered 410 Gone."
_FAILING_NOTICE = "Disabled because every delivery has failed since {since:%Y-%m-%d %H:%M} UTC."


class BegunAttempt(Model):
    """The attempt with this number may be made: what to send, and where."""

    number: int
    owner_id: UUID
    endpoint_id: UUID
    url: str
    event_id: UUID
    event_type: EventType
    occurred_at: datetime
    data: dict[str, Any]


@dataclass(frozen=True)
class AttemptOutcome:
    """What came of an attempt; ``error`` says in a sentence why it failed, ``None`` that it did not.

    ``gone``: the receiver wants nothing more. ``next_wait``: how long until the next attempt, ``None`` after the last.
    """

    duration: timedelta
    status_code: int | None = None
    response: str | None = None
    error: str | None = None
    gone: bool = False
    next_wait: timedelta | None = None


class WebhookAttempts:
    """Rows of ``webhook_attempts``, and what they make of their delivery and its endpoint."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def begin(self, delivery_id: UUID) -> BegunAttempt | None:
        """Writes down that an attempt is made; ``None`` if there is nothing to attempt (any more).

        A disabled endpoint gets tests alone; any other delivery to it fails here.
        """
        async with transaction(self._connections) as connection:
            row = await connection.fetchrow(
                """
                update public.webhook_deliveries as delivery
                set status = 'delivering', attempts = attempts + 1, next_attempt_at = null
                from public.webhook_events as event, public.webhook_endpoints as endpoint
                where delivery.id = $1 and delivery.settled_at is null
                    and event.id = delivery.event_id and endpoint.id = delivery.endpoint_id
                    and (endpoint.status = 'enabled' or event.type = $2)
                returning delivery.attempts as number, delivery.owner_id, delivery.endpoint_id, endpoint.url,
                    delivery.event_id, event.type as event_type, event.occurred_at, event.data
                """,
                delivery_id,
                EventType.TEST_PING,
            )
            if row is None:
                await _fail(connection, delivery_id, ENDPOINT_DISABLED)
                return None
            begun = model_from(row, BegunAttempt)
            await connection.execute(
                "insert into public.webhook_attempts (delivery_id, owner_id, number) values ($1, $2, $3)",
                delivery_id,
                begun.owner_id,
                begun.number,
            )
            return begun

    async def finish(self, delivery_id: UUID, begun: BegunAttempt, outcome: AttemptOutcome) -> DeliveryStatus:
        """Writes the outcome down, and what follows from it; the status the delivery has then.

        An attempt that failed and was overtaken by a later one changes its own row alone.
        """
        async with transaction(self._connections) as connection:
            # The endpoint first, as its removal does.
            await _judge_endpoint(connection, begun, outcome)
            await connection.execute(
                """
                update public.webhook_attempts set duration_ms = $3, status_code = $4, response = $5, error = $6
                where delivery_id = $1 and number = $2
                """,
                delivery_id,
                begun.number,
                max(0, round(outcome.duration.total_seconds() * 1000)),
                outcome.status_code,
                _bounded(outcome.response, LONGEST_RESPONSE),
                _bounded(outcome.error, LONGEST_ERROR),
            )
            await _move_on(connection, delivery_id, begun.number, outcome)
        status, _ = await self.outcome(delivery_id)
        return status

    async def outcome(self, delivery_id: UUID) -> tuple[DeliveryStatus, str | None]:
        """The delivery's status and why it failed; one that was removed has failed."""
        async with session(self._connections) as connection:
            row = await connection.fetchrow(
                "select status, last_error from public.webhook_deliveries where id = $1", delivery_id
            )
        if row is None:
            return DeliveryStatus.FAILED, "The endpoint or its project was removed."
        return DeliveryStatus(row["status"]), row["last_error"]

    async def give_up(self, delivery_id: UUID, error: str) -> None:
        """Fails the delivery, unless it has settled."""
        async with session(self._connections) as connection:
            await _fail(connection, delivery_id, error)


async def _judge_endpoint(connection: Connection, begun: BegunAttempt, outcome: AttemptOutcome) -> None:
    """Tests say nothing about how reliable an endpoint is, except that it is gone."""
    if outcome.gone:
        await _disable(connection, begun.endpoint_id, DisabledReason.GONE, _GONE_NOTICE)
    elif outcome.error is None:
        await connection.execute(
            "update public.webhook_endpoints set failing_since = null where id = $1 and failing_since is not null",
            begun.endpoint_id,
        )
    elif begun.event_type is not EventType.TEST_PING:
        await _note_failure(connection, begun, outcome)


async def _note_failure(connection: Connection, begun: BegunAttempt, outcome: AttemptOutcome) -> None:
    row = await connection.fetchrow(
        """
        update public.webhook_endpoints set failing_since = coalesce(failing_since, clock_timestamp())
        where id = $1 and status = 'enabled'
        returning failing_since as since, failing_since <= clock_timestamp() - $2::interval as too_long
        """,
        begun.endpoint_id,
        FAILING_LIMIT,
    )
    if row is not None and row["too_long"] and outcome.next_wait is None:
        notice = _FAILING_NOTICE.format(since=row["since"])
        await _disable(connection, begun.endpoint_id, DisabledReason.FAILING, notice)


async def _disable(connection: Connection, endpoint_id: UUID, reason: DisabledReason, notice: str) -> None:
    await connection.execute(
        """
        update public.webhook_endpoints
        set status = 'disabled', disabled_reason = $2, disabled_notice = $3, disabled_at = clock_timestamp()
        where id = $1 and status = 'enabled'
        """,
        endpoint_id,
        reason,
        notice,
    )


async def _move_on(connection: Connection, delivery_id: UUID, number: int, outcome: AttemptOutcome) -> None:
    if outcome.error is None:
        await connection.execute(
            """
            update public.webhook_deliveries
            set status = 'delivered', settled_at = clock_timestamp(), next_attempt_at = null, last_error = null
            where id = $1 and status <> 'delivered'
            """,
            delivery_id,
        )
    else:
        wait = None if outcome.gone else outcome.next_wait
        await connection.execute(
            """
            update public.webhook_deliveries set
                last_error = $3,
                status = case when $4::interval is null then 'failed' else status end,
                settled_at = case when $4::interval is null then clock_timestamp() end,
                next_attempt_at = clock_timestamp() + $4::interval
            where id = $1 and attempts = $2 and settled_at is null
            """,
            delivery_id,
            number,
            _bounded(outcome.error, LONGEST_ERROR),
            wait,
        )


async def _fail(connection: Connection, delivery_id: UUID, error: str) -> None:
    await connection.execute(
        """
        update public.webhook_deliveries
        set status = 'failed', settled_at = clock_timestamp(), next_attempt_at = null, last_error = $2
        where id = $1 and settled_at is null
        """,
        delivery_id,
        _bounded(error, LONGEST_ERROR),
    )


def _bounded(text: str | None, longest: int) -> str | None:
    return None if text is None else storable(text)[:longest]

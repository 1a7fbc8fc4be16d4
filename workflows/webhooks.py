"""The workflow of one webhook delivery: attempts with growing pauses for a good day, until one succeeds."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.webhook_declarations import (
        ABANDON_DELIVERY,
        ATTEMPT_DELIVERY,
        AbandonDelivery,
        AttemptDelivery,
        AttemptedDelivery,
    )
    from schemas.webhooks import DeliveryStatus, EventType
    from workflows.calls import call
    from workflows.limits import HEARTBEAT_TIMEOUT, LIGHT, ActivityLimits
    from workflows.webhook_contract import DELIVER_WEBHOOK, DeliverWebhookInput, DeliverWebhookResult

#: From one attempt to the next: the schedule that Standard Webhooks suggests, ended after 24.5 h plus jitter.
WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=7),
)

#: Each wait is longer by a random part up to this share, so that what failed together does not come back together.
JITTER = 0.1

#: Receivers may put attempts off (``Retry-After``), but no attempt is made later than this.
GIVE_UP_AFTER = timedelta(hours=28)

#: One request takes 15 s at most; what fails besides is the database, or room in the worker, and both come back.
ATTEMPT = ActivityLimits(
    start_to_close=timedelta(minutes=1),
    retry=RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1), maximum_attempts=500
    ),
    heartbeat=HEARTBEAT_TIMEOUT,
)

UNATTEMPTED = "No attempt could be made, for reasons on our side; it can be replayed."
CALLED_OFF = "An operator called the delivery off; it can be replayed."


@workflow.defn(name=DELIVER_WEBHOOK)
class DeliverWebhook:
    """Delivers one event to one endpoint, at least once; a test is tried once alone."""

    @workflow.init
    def __init__(self, order: DeliverWebhookInput) -> None:
        self._order = order
        self._started = workflow.now()
        self._log: list[str] = []

    @workflow.run
    async def run(self, order: DeliverWebhookInput) -> DeliverWebhookResult:
        waits = () if order.event_type is EventType.TEST_PING else WAITS
        try:
            return await self._attempt_until_settled(waits)
        except asyncio.CancelledError:
            await self._abandon(CALLED_OFF)
            raise

    async def _attempt_until_settled(self, waits: Sequence[timedelta]) -> AttemptedDelivery:
        attempted = await self._attempt(1, waits)
        number = 1
        while attempted.next_wait_s is not None:
            number += 1
            await workflow.sleep(attempted.next_wait_s, summary=f"until attempt {number}")
            attempted = await self._attempt(number, waits)
        return attempted

    async def _attempt(self, number: int, waits: Sequence[timedelta]) -> AttemptedDelivery:
        wait = waits[number - 1] if number <= len(waits) else None
        left = self._started + GIVE_UP_AFTER - workflow.now()
        next_wait = None if wait is None or left <= timedelta(0) else min(_jittered(wait), left)
        asked = AttemptDelivery(
            delivery_id=self._order.delivery_id,
            owner_id=self._order.owner_id,
            wait_s=None if next_wait is None else next_wait.total_seconds(),
            longest_wait_s=max(timedelta(0), left).total_seconds(),
        )
        summary = f"{self._order.event_type} to {self._order.receiver}, attempt {number}"
        try:
            attempted = await call(ATTEMPT_DELIVERY, asked, ATTEMPT, summary=summary)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise asyncio.CancelledError from error
            attempted = await self._unattempted(asked)
        self._note(number, attempted)
        return attempted

    async def _unattempted(self, asked: AttemptDelivery) -> AttemptedDelivery:
        """Our own trouble: go on with the schedule, as if the receiver had failed."""
        if asked.wait_s is None:
            return await self._abandon(UNATTEMPTED)
        return AttemptedDelivery(status=DeliveryStatus.DELIVERING, error=UNATTEMPTED, next_wait_s=asked.wait_s)

    async def _abandon(self, reason: str) -> AttemptedDelivery:
        abandoned = AbandonDelivery(delivery_id=self._order.delivery_id, error=reason)
        await call(ABANDON_DELIVERY, abandoned, LIGHT, summary=reason)
        return AttemptedDelivery(status=DeliveryStatus.FAILED, error=reason)

    def _note(self, number: int, attempted: AttemptedDelivery) -> None:
        """What an operator reads in the Web UI."""
        line = f"- attempt {number}, {_clock(workflow.now())}: {attempted.error or attempted.status}"
        if attempted.next_wait_s is not None:
            line += f" Next at {_clock(workflow.now() + timedelta(seconds=attempted.next_wait_s))}."
        self._log.append(line)
        heading = f"**{attempted.status}**: {self._order.event_type} to `{self._order.receiver}`"
        workflow.set_current_details("\n".join([heading, "", *self._log]))


def _jittered(wait: timedelta) -> timedelta:
    return wait * (1 + JITTER * workflow.random().random())


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"

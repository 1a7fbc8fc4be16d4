"""Starts the workflow of every webhook delivery that waits, and forgets old ones. Part of the dispatcher."""

import asyncio
import time
from datetime import timedelta
from urllib.parse import urlsplit

import structlog
from temporalio.client import Client
from temporalio.common import (
    Priority,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from cinema.start_failures import Outage, refuses_entry
from schemas.errors import TransientError
from stores import Pool
from stores.webhook_attempts import WebhookAttempts
from stores.webhook_deliveries import WebhookDeliveries
from stores.webhook_outbox import WaitingDelivery, WebhookOutbox
from stores.webhooks import drop_expired_secrets
from workflows.contract import JOBS_QUEUE, OWNER, summary_line
from workflows.webhook_contract import (
    DELIVER_WEBHOOK,
    WEBHOOK_EXECUTION_TIMEOUT,
    DeliverWebhookInput,
    deliver_webhook_id,
)

#: Deliveries claimed at once, and how long nobody else gets them: far longer than starting them takes.
BATCH = 20
LEASE = timedelta(seconds=20)

#: Deliveries claimed while Temporal is away: one shows that it is back, and all others stay ready to be claimed.
PROBE = 1

#: Longest wait for one answer of Temporal.
START_TIMEOUT = timedelta(seconds=2)

#: Longest sleep without a look at the outbox, in case a notification was lost.
LONGEST_SLEEP = timedelta(seconds=5)

#: Wait before the database is tried again after it could not be reached.
DATABASE_PAUSE_SECONDS = 1.0

#: Starts that Temporal may refuse before a delivery is given up: it would refuse the next as well.
MOST_REFUSALS = 5

#: What owners read in the log; the reason may name machines of ours and stays in ours.
NOT_STARTED = "It cannot be started at the moment; it is tried again by itself."
GIVEN_UP = "It could not be started, for reasons on our side; it can be replayed."

#: Jobs' own light work (3 on the default plan) goes first where slots are scarce.
PRIORITY_KEY = 4

#: How often old events and replaced secrets are deleted.
TIDY_EVERY_SECONDS = 3600.0

log = structlog.get_logger("cinema.webhook_dispatch")


class WebhookDispatcher:
    """Moves deliveries to Temporal: at least once each, and Temporal makes it exactly once. Any number may run."""

    def __init__(self, pool: Pool, client: Client, lease: timedelta = LEASE) -> None:
        self._pool = pool
        self._outbox = WebhookOutbox(pool)
        self._attempts = WebhookAttempts(pool)
        self._client = client
        self._lease = lease
        self._outage = Outage()
        self._tidied_at = float("-inf")

    async def run(self) -> None:
        """Dispatch until cancelled, through any outage of the database or of Temporal."""
        while True:
            try:
                await self._tidy_when_due()
                found = await self.dispatch_due()
                if self._outage.lasts:
                    await asyncio.sleep(self._outage.pause)
                elif not found:
                    await self._outbox.wait(LONGEST_SLEEP)
            except TransientError as error:
                log.warning("webhook deliveries cannot be read", error=error.message)
                await asyncio.sleep(DATABASE_PAUSE_SECONDS)

    async def dispatch_due(self) -> int:
        """Start what is due, and return how many deliveries that were; one at most while Temporal is away.

        Raises:
            TransientError: the database cannot be reached; what was claimed comes back when its lease ends.
        """
        deliveries = await self._outbox.claim(PROBE if self._outage.lasts else BATCH, self._lease)
        async with asyncio.TaskGroup() as group:
            starts = [group.create_task(self._dispatch(delivery)) for delivery in deliveries]
        away = next((error for start in starts if (error := start.result()) is not None), None)
        if away is not None:
            self._outage.noticed(away)
        elif deliveries:
            self._outage.over()
        return len(deliveries)

    async def _dispatch(self, delivery: WaitingDelivery) -> Exception | None:
        """Whatever is wrong with one delivery must not keep the others waiting; only an outage is told."""
        with structlog.contextvars.bound_contextvars(webhook_delivery=str(delivery.id)):
            try:
                await self._start(delivery)
            except (RPCError, RuntimeError, ValueError, TypeError) as error:
                return await self._failed(delivery, error)
            await self._outbox.started(delivery.id)
            return None

    async def _failed(self, delivery: WaitingDelivery, error: Exception) -> Exception | None:
        reason = f"{type(error).__name__}: {error}"
        refused = refuses_entry(error)
        if refused and delivery.claims >= MOST_REFUSALS:
            log.error("this delivery can never be started as it is; given up", error=reason)
            await self._attempts.give_up(delivery.id, GIVEN_UP)
            return None
        log.warning("the delivery cannot be started; trying again later", error=reason)
        await self._outbox.release(delivery.id, NOT_STARTED)
        return None if refused else error

    async def _start(self, delivery: WaitingDelivery) -> None:
        receiver = urlsplit(delivery.url).hostname or ""
        try:
            await self._client.start_workflow(
                DELIVER_WEBHOOK,
                DeliverWebhookInput(
                    delivery_id=delivery.id,
                    owner_id=delivery.owner_id,
                    event_type=delivery.event_type,
                    receiver=receiver,
                ),
                id=deliver_webhook_id(delivery.id),
                task_queue=JOBS_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                execution_timeout=WEBHOOK_EXECUTION_TIMEOUT,
                search_attributes=TypedSearchAttributes([SearchAttributePair(OWNER, str(delivery.owner_id))]),
                static_summary=summary_line(f"{delivery.event_type} to {receiver}"),
                memo={"event": str(delivery.event_id), "owner": str(delivery.owner_id)},
                priority=Priority(priority_key=PRIORITY_KEY, fairness_key=str(delivery.owner_id)),
                rpc_timeout=START_TIMEOUT,
            )
        except WorkflowAlreadyStartedError:
            log.info("the delivery has run already")

    async def _tidy_when_due(self) -> None:
        if time.monotonic() - self._tidied_at < TIDY_EVERY_SECONDS:
            return
        self._tidied_at = time.monotonic()
        events, secrets = await WebhookDeliveries(self._pool).prune(), await drop_expired_secrets(self._pool)
        if events or secrets:
            log.info("forgot old webhook events and replaced secrets", events=events, secrets=secrets)

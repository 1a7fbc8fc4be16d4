"""Starts the workflow of every webhook delivery that waits, and forgets old ones. Part of the dispatcher."""

import asyncio
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

from cinema.dispatch_loop import DATABASE_PAUSE_SECONDS, LEASE, START_TIMEOUT, DispatchLoop, TemporalAway
from cinema.start_failures import refuses_entry
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

#: Starts that Temporal may refuse before a delivery is given up: it would refuse the next as well.
MOST_REFUSALS = 5

#: What owners read in the log; the reason may name machines of ours and stays in ours.
NOT_STARTED = "It cannot be started at the moment; it is tried again by itself."
GIVEN_UP = "It could not be started, for reasons on our side; it can be replayed."

#: Jobs' own light work (3 on the default plan) goes first where slots are scarce.
PRIORITY_KEY = 4

#: How often old events and replaced secrets are deleted.
FORGET_EVERY_SECONDS = 3600.0

log = structlog.get_logger("cinema.webhook_dispatch")


class WebhookDispatcher(DispatchLoop[WaitingDelivery]):
    """Moves deliveries to Temporal."""

    def __init__(self, pool: Pool, client: Client, lease: timedelta = LEASE) -> None:
        self._outbox = WebhookOutbox(pool)
        super().__init__(self._outbox, lease)
        self._attempts = WebhookAttempts(pool)
        self._client = client

    async def _dispatch(self, delivery: WaitingDelivery) -> TemporalAway | None:
        with structlog.contextvars.bound_contextvars(webhook_delivery=str(delivery.id)):
            try:
                await self._start(delivery)
            except (RPCError, RuntimeError, ValueError, TypeError) as error:
                return await self._failed(delivery, error)
            await self._outbox.started(delivery.id)
            return None

    async def _failed(self, delivery: WaitingDelivery, error: Exception) -> TemporalAway | None:
        reason = f"{type(error).__name__}: {error}"
        if not refuses_entry(error):
            log.warning("the delivery cannot be started; trying again later", error=reason)
            await self._outbox.postpone(delivery.id, NOT_STARTED)
            return TemporalAway(error)
        if await self._outbox.refuse(delivery.id, NOT_STARTED) < MOST_REFUSALS:
            log.warning("the delivery was refused; trying again later", error=reason)
            return None
        log.error("this delivery can never be started as it is; given up", error=reason)
        await self._attempts.give_up(delivery.id, GIVEN_UP)
        return None

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


async def keep_forgetting(pool: Pool) -> None:
    """Delete old events and replaced secrets now and again, until cancelled."""
    while True:
        try:
            events, secrets = await WebhookDeliveries(pool).prune(), await drop_expired_secrets(pool)
        except TransientError as error:
            log.warning("old webhook events cannot be deleted at the moment", error=error.message)
            await asyncio.sleep(DATABASE_PAUSE_SECONDS)
            continue
        if events or secrets:
            log.info("forgot old webhook events and replaced secrets", events=events, secrets=secrets)
        await asyncio.sleep(FORGET_EVERY_SECONDS)

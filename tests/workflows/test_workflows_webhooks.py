"""The delivery workflow through its whole schedule, on a server that skips the waiting."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.declarations import TaskQueue
from activities.webhook_declarations import (
    ABANDON_DELIVERY,
    ATTEMPT_DELIVERY,
    AbandonDelivery,
    AttemptDelivery,
    AttemptedDelivery,
)
from schemas.webhooks import DeliveryStatus, EventType
from tests.conftest import TEMPORAL
from workflows.plugin import cinema_plugin
from workflows.webhook_contract import DELIVER_WEBHOOK, DeliverWebhookInput, DeliverWebhookResult, deliver_webhook_id
from workflows.webhooks import CALLED_OFF, GIVE_UP_AFTER, JITTER, UNATTEMPTED, WAITS, DeliverWebhook

pytestmark = pytest.mark.temporal

SUCCESS = AttemptedDelivery(status=DeliveryStatus.DELIVERED)


@pytest.fixture(scope="module")
async def environment() -> AsyncIterator[WorkflowEnvironment]:
    server: Path = TEMPORAL.with_name("temporal-test-server")
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(server), plugins=[cinema_plugin()]
    ) as started:
        yield started


class Receiving:
    """Stands in for the activities: fails so many times, asks for time as told, and notes when it was called."""

    def __init__(
        self, environment: WorkflowEnvironment, *, failures: int, retry_after: timedelta | None = None
    ) -> None:
        self._environment = environment
        self._failures = failures
        self._retry_after = retry_after
        self.broken = False
        self.asked: list[AttemptDelivery] = []
        self.times: list[datetime] = []
        self.abandoned: list[str] = []
        self.called = asyncio.Event()

    @activity.defn(name=ATTEMPT_DELIVERY.name)
    async def attempt(self, asked: AttemptDelivery) -> AttemptedDelivery:
        self.asked.append(asked)
        self.times.append(await self._environment.get_current_time())
        self.called.set()
        if self.broken:
            raise ApplicationError("Out of order.", non_retryable=True)
        if len(self.asked) > self._failures:
            return SUCCESS
        if asked.wait_s is None:
            return AttemptedDelivery(status=DeliveryStatus.FAILED, error="The receiver answered 500.")
        wait = asked.wait_s
        if self._retry_after is not None:
            wait = max(wait, min(self._retry_after.total_seconds(), asked.longest_wait_s))
        return AttemptedDelivery(status=DeliveryStatus.DELIVERING, error="The receiver answered 500.", next_wait_s=wait)

    @activity.defn(name=ABANDON_DELIVERY.name)
    async def abandon(self, asked: AbandonDelivery) -> None:
        self.abandoned.append(asked.error)

    @property
    def waits(self) -> list[timedelta]:
        return [later - earlier for earlier, later in zip(self.times, self.times[1:], strict=False)]


async def start(
    client: Client, event_type: EventType = EventType.JOB_COMPLETED
) -> WorkflowHandle[DeliverWebhook, DeliverWebhookResult]:
    order = DeliverWebhookInput(delivery_id=uuid4(), owner_id=uuid4(), event_type=event_type, receiver="hooks.example")
    return await client.start_workflow(
        DELIVER_WEBHOOK,
        order,
        id=deliver_webhook_id(order.delivery_id),
        task_queue=TaskQueue.JOBS,
        result_type=DeliverWebhookResult,
    )


def worker(client: Client, receiving: Receiving) -> Worker:
    return Worker(
        client,
        task_queue=TaskQueue.JOBS,
        workflows=[DeliverWebhook],
        activities=[receiving.attempt, receiving.abandon],
    )


async def deliver(
    environment: WorkflowEnvironment, receiving: Receiving, event_type: EventType = EventType.JOB_COMPLETED
) -> DeliverWebhookResult:
    async with worker(environment.client, receiving):
        return await (await start(environment.client, event_type)).result()


async def test_what_is_accepted_at_once_is_sent_once(environment: WorkflowEnvironment) -> None:
    receiving = Receiving(environment, failures=0)
    assert await deliver(environment, receiving) == SUCCESS
    assert len(receiving.asked) == 1


async def test_attempts_follow_the_schedule_for_a_day_and_then_end(environment: WorkflowEnvironment) -> None:
    receiving = Receiving(environment, failures=100)
    result = await deliver(environment, receiving)
    assert (result.status, result.error) == (DeliveryStatus.FAILED, "The receiver answered 500.")
    assert len(receiving.waits) == len(WAITS)
    for waited, scheduled in zip(receiving.waits, WAITS, strict=True):
        assert scheduled <= waited <= scheduled * (1 + JITTER) + timedelta(seconds=30)
    assert timedelta(hours=24) <= receiving.times[-1] - receiving.times[0] <= GIVE_UP_AFTER
    assert [asked.wait_s is None for asked in receiving.asked] == [False] * len(WAITS) + [True]


async def test_it_stops_at_the_first_success(environment: WorkflowEnvironment) -> None:
    receiving = Receiving(environment, failures=3)
    assert (await deliver(environment, receiving)).status is DeliveryStatus.DELIVERED
    assert len(receiving.asked) == 4


async def test_a_receiver_may_ask_for_time_but_not_for_ever(environment: WorkflowEnvironment) -> None:
    receiving = Receiving(environment, failures=100, retry_after=timedelta(hours=12))
    assert (await deliver(environment, receiving)).status is DeliveryStatus.FAILED
    assert receiving.waits[0] >= timedelta(hours=12)
    assert receiving.times[-1] - receiving.times[0] <= GIVE_UP_AFTER + timedelta(minutes=1)
    assert len(receiving.asked) < len(WAITS)


async def test_a_test_is_tried_once(environment: WorkflowEnvironment) -> None:
    receiving = Receiving(environment, failures=100)
    assert (await deliver(environment, receiving, EventType.TEST_PING)).status is DeliveryStatus.FAILED
    assert len(receiving.asked) == 1


async def test_trouble_of_our_own_does_not_end_the_schedule(environment: WorkflowEnvironment) -> None:
    receiving = Receiving(environment, failures=0)
    receiving.broken = True
    result = await deliver(environment, receiving)
    assert (result.status, result.error) == (DeliveryStatus.FAILED, UNATTEMPTED)
    assert receiving.abandoned == [UNATTEMPTED]
    assert len(receiving.asked) == len(WAITS) + 1


async def test_an_operator_who_calls_it_off_leaves_it_failed() -> None:
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(TEMPORAL), plugins=[cinema_plugin()]
    ) as real:
        receiving = Receiving(real, failures=100)
        async with worker(real.client, receiving):
            handle = await start(real.client)
            await receiving.called.wait()
            await handle.cancel()
            with pytest.raises(WorkflowFailureError) as called_off:
                await handle.result()
        assert isinstance(called_off.value.cause, CancelledError)
        assert receiving.abandoned == [CALLED_OFF]


async def test_operators_read_how_each_attempt_went(environment: WorkflowEnvironment) -> None:
    receiving = Receiving(environment, failures=1)
    async with worker(environment.client, receiving):
        handle = await start(environment.client)
        await handle.result()
        details = (await handle.query("__temporal_workflow_metadata")).current_details
    assert "**delivered**: job.completed to `hooks.example`" in details
    assert "attempt 1, " in details
    assert "The receiver answered 500. Next at " in details

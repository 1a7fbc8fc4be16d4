"""Webhooks from a status change to a receiver: real Postgres, real Temporal, real TLS, and real kills."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from standardwebhooks import Webhook
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.declarations import TaskQueue
from activities.webhook_posting import WebhookPoster
from activities.webhook_sending import WebhookSending
from activities.webhooks import MOST_AT_ONCE_PER_OWNER, WebhookActivities
from cinema.commands import webhooks as commands
from cinema.stack.child import Child, ChildSpec
from cinema.webhook_dispatch import MOST_REFUSALS, WebhookDispatcher
from schemas.edl import Variant
from schemas.errors import ErrorCode, ErrorInfo
from schemas.jobs import Job, JobRequest, JobStatus
from schemas.webhooks import (
    EVENT,
    DeliveryPolicy,
    DeliveryStatus,
    DisabledReason,
    EventType,
    NewEndpoint,
    WebhookDelivery,
    WebhookEndpoint,
)
from stores import Jobs, Pool, Projects
from stores.sealing import Seal, new_key
from stores.webhook_attempts import WebhookAttempts
from stores.webhook_deliveries import WebhookDeliveries
from stores.webhook_outbox import WebhookOutbox
from stores.webhooks import WebhookEndpoints
from tests.activities.receiver import answer, new_authority, receiving
from tests.cinema.conftest import RestartableTemporal
from tests.conftest import TEMPORAL
from workflows.contract import OWNER
from workflows.plugin import cinema_plugin
from workflows.webhook_contract import DELIVER_WEBHOOK, DeliverWebhookInput, deliver_webhook_id
from workflows.webhooks import WAITS, DeliverWebhook

pytestmark = pytest.mark.temporal

KEY = new_key()
DEVELOPMENT = DeliveryPolicy(allow_http=True, allow_private=True)
PATIENCE = timedelta(seconds=90)


@pytest.fixture
async def owner_id(pool: Pool) -> UUID:
    owner = uuid4()
    await Projects(pool).ensure_profile(owner)
    return owner


@pytest.fixture
def endpoints(pool: Pool) -> WebhookEndpoints:
    return WebhookEndpoints(pool, Seal([KEY]), DEVELOPMENT)


@pytest.fixture
async def client(temporal_server: RestartableTemporal) -> Client:
    return await Client.connect(temporal_server.address, plugins=[cinema_plugin()])


@asynccontextmanager
async def delivering(
    pool: Pool, client: Client, *, ca: Path | None = None, dispatchers: int = 1
) -> AsyncIterator[None]:
    """Dispatchers and a worker for the time of the block."""
    sending = WebhookSending(Seal([KEY]), DEVELOPMENT, ca)
    activities = WebhookActivities(pool, sending, WebhookPoster(DEVELOPMENT, ca))
    async with AsyncExitStack() as stack:
        for _ in range(dispatchers):
            dispatching = asyncio.create_task(WebhookDispatcher(pool, client).run())
            stack.push_async_callback(_ended, dispatching)
        await stack.enter_async_context(
            Worker(
                client,
                task_queue=TaskQueue.JOBS,
                workflows=[DeliverWebhook],
                activities=[activities.attempt_delivery, activities.abandon_delivery],
                graceful_shutdown_timeout=timedelta(seconds=1),
            )
        )
        yield


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def a_job(pool: Pool, owner_id: UUID) -> Job:
    project = await Projects(pool).create(owner_id, "Kitchen talk")
    return await Jobs(pool).create(owner_id, project.id, JobRequest(variants=(Variant.HOOK_CUT,)))


async def settled(pool: Pool, endpoint: WebhookEndpoint) -> list[WebhookDelivery]:
    """The endpoint's deliveries, oldest first, once all have settled."""
    deliveries = WebhookDeliveries(pool)
    found = await deliveries.of(endpoint.owner_id, endpoint.id)
    return [await deliveries.settled(endpoint.owner_id, one.id, PATIENCE) for one in reversed(found)]


async def test_every_change_reaches_the_receiver_once_signed_and_over_tls(
    pool: Pool, client: Client, endpoints: WebhookEndpoints, owner_id: UUID, tmp_path: Path
) -> None:
    authority = new_authority(tmp_path)
    tls = authority.server(tmp_path, "localhost")
    async with receiving(tls=tls) as receiver, delivering(pool, client, ca=authority.ca_file, dispatchers=2):
        endpoint, secret = await endpoints.add(owner_id, NewEndpoint(url=f"https://localhost:{receiver.port}/hook"))
        job = await a_job(pool, owner_id)
        await Jobs(pool).set_status(job.id, JobStatus.ANALYSING)
        error = ErrorInfo(code=ErrorCode.NO_SPEECH, message="Nobody says a word.", retryable=False)
        await Jobs(pool).fail(job.id, error)
        await receiver.until(3)
        log = await settled(pool, endpoint)
    assert {delivery.status for delivery in log} == {DeliveryStatus.DELIVERED}
    assert len(receiver.requests) == 3
    assert set(receiver.server_names) == {"localhost"}
    events = [EVENT.validate_python(Webhook(secret).verify(one.body, one.headers)) for one in receiver.requests]
    assert {event.type for event in events} == {"job.started", "output.failed", "job.failed"}
    assert len({one.headers["webhook-id"] for one in receiver.requests}) == 3
    for event, request in zip(events, receiver.requests, strict=True):
        assert event.id == request.headers["webhook-id"]
        assert len(request.body) < 20_000
    failed = next(event for event in events if event.type == "job.failed")
    assert failed.data.message == "Nobody says a word."
    assert await found_by_operators(client, owner_id, 3) == {deliver_webhook_id(delivery.id) for delivery in log}


async def found_by_operators(client: Client, owner_id: UUID, count: int) -> set[str]:
    """The owner's workflows, once there are so many; visibility lags a little behind."""
    async with asyncio.timeout(60):
        while len(found := [one.id async for one in client.list_workflows(f"{OWNER.name} = '{owner_id}'")]) < count:
            await asyncio.sleep(0.1)
    assert len(found) == count
    return set(found)


async def test_a_failed_delivery_comes_again_with_the_same_id_and_a_new_signature(
    pool: Pool, client: Client, endpoints: WebhookEndpoints, owner_id: UUID
) -> None:
    async with receiving(answer(500, "sorry"), answer(204)) as receiver, delivering(pool, client):
        endpoint, old = await endpoints.add(owner_id, NewEndpoint(url=receiver.url))
        await Jobs(pool).set_status((await a_job(pool, owner_id)).id, JobStatus.ANALYSING)
        await receiver.until(1)
        _, new = await endpoints.rotate(owner_id, endpoint.id)
        (delivery,) = await settled(pool, endpoint)
    first, second = receiver.requests
    assert second.at - first.at >= timedelta(seconds=5)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    Webhook(old).verify(first.body, first.headers)
    assert len(second.headers["webhook-signature"].split(" ")) == 2, "during a rotation both secrets sign"
    for secret in (old, new):
        Webhook(secret).verify(second.body, second.headers)
    made = await WebhookDeliveries(pool).attempts(owner_id, delivery.id)
    assert [(one.number, one.status_code, one.response) for one in made] == [(1, 500, "sorry"), (2, 204, "")]


async def test_after_a_day_of_failures_the_log_says_failed_and_tells_all_of_them(
    pool: Pool, endpoints: WebhookEndpoints, owner_id: UUID
) -> None:
    server = str(TEMPORAL.with_name("temporal-test-server"))
    environment = WorkflowEnvironment.start_time_skipping(test_server_existing_path=server, plugins=[cinema_plugin()])
    async with receiving(answer(500, "still no")) as receiver, await environment as skipping:
        endpoint, _ = await endpoints.add(owner_id, NewEndpoint(url=receiver.url))
        await Jobs(pool).set_status((await a_job(pool, owner_id)).id, JobStatus.ANALYSING)
        (waiting,) = await WebhookDeliveries(pool).of(owner_id, endpoint.id)
        order = DeliverWebhookInput(
            delivery_id=waiting.id, owner_id=owner_id, event_type=waiting.event_type, receiver="127.0.0.1"
        )
        async with delivering(pool, skipping.client, dispatchers=0):
            await skipping.client.execute_workflow(
                DELIVER_WEBHOOK, order, id=deliver_webhook_id(waiting.id), task_queue=TaskQueue.JOBS
            )
    failed = await WebhookDeliveries(pool).get(owner_id, waiting.id)
    assert (failed.status, failed.last_error) == (DeliveryStatus.FAILED, "The receiver answered 500.")
    made = await WebhookDeliveries(pool).attempts(owner_id, waiting.id)
    assert [one.status_code for one in made] == [500] * (len(WAITS) + 1)
    assert len({one.headers["webhook-id"] for one in receiver.requests}) == 1
    assert (await endpoints.get(owner_id, endpoint.id)).failing_since is not None


async def test_410_disables_the_endpoint(
    pool: Pool, client: Client, endpoints: WebhookEndpoints, owner_id: UUID
) -> None:
    async with receiving(answer(410)) as receiver, delivering(pool, client):
        endpoint, _ = await endpoints.add(owner_id, NewEndpoint(url=receiver.url))
        job = await a_job(pool, owner_id)
        await Jobs(pool).set_status(job.id, JobStatus.ANALYSING)
        (delivery,) = await settled(pool, endpoint)
        assert delivery.status is DeliveryStatus.FAILED
        await Jobs(pool).cancel(job.id)
        assert len(await WebhookDeliveries(pool).of(owner_id, endpoint.id)) == 1
    assert (await endpoints.get(owner_id, endpoint.id)).disabled_reason is DisabledReason.GONE
    assert len(receiver.requests) == 1


async def test_a_receiver_that_asks_for_time_gets_it(
    pool: Pool, client: Client, endpoints: WebhookEndpoints, owner_id: UUID
) -> None:
    throttled = answer(429, headers=[("Retry-After", "3600")])
    async with receiving(throttled) as receiver, delivering(pool, client):
        endpoint, _ = await endpoints.add(owner_id, NewEndpoint(url=receiver.url))
        await Jobs(pool).set_status((await a_job(pool, owner_id)).id, JobStatus.ANALYSING)
        await receiver.until(1)
        async with asyncio.timeout(60):
            while (found := await WebhookDeliveries(pool).of(owner_id, endpoint.id))[0].next_attempt_at is None:
                await asyncio.sleep(0.1)
    (delivery,) = found
    assert delivery.next_attempt_at is not None
    wait = delivery.next_attempt_at - datetime.now(UTC)
    assert timedelta(minutes=58) < wait <= timedelta(hours=1)
    assert delivery.last_error == "The receiver answered 429."
    await client.get_workflow_handle(deliver_webhook_id(delivery.id)).terminate()


async def test_a_dispatcher_that_died_after_starting_a_delivery_does_not_send_it_twice(
    pool: Pool, client: Client, endpoints: WebhookEndpoints, owner_id: UUID
) -> None:
    async with receiving() as receiver:
        endpoint, _ = await endpoints.add(owner_id, NewEndpoint(url=receiver.url))
        await WebhookDeliveries(pool).ping(owner_id, endpoint.id)
        (claimed,) = await WebhookOutbox(pool).claim(1, timedelta(0))
        await WebhookDispatcher(pool, client)._start(claimed)
        async with delivering(pool, client, dispatchers=2):
            (delivery,) = await settled(pool, endpoint)
        assert await WebhookOutbox(pool).claim(1, timedelta(0)) == ()
    assert delivery.status is DeliveryStatus.DELIVERED
    assert len(receiver.requests) == 1


async def test_one_owners_slow_receivers_leave_room_for_others(
    pool: Pool, client: Client, endpoints: WebhookEndpoints, owner_id: UUID
) -> None:
    open_now, most = 0, 0
    release = asyncio.Event()

    async def tarpit(writer: asyncio.StreamWriter) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await release.wait()
        await answer(200)(writer)
        open_now -= 1

    other = uuid4()
    await Projects(pool).ensure_profile(other)
    deliveries = WebhookDeliveries(pool)
    async with receiving(tarpit) as slow, receiving() as quick, delivering(pool, client):
        stuck, _ = await endpoints.add(owner_id, NewEndpoint(url=slow.url))
        free, _ = await endpoints.add(other, NewEndpoint(url=quick.url))
        for _ in range(8):
            await deliveries.ping(owner_id, stuck.id)
        await slow.until(MOST_AT_ONCE_PER_OWNER)
        ping = await deliveries.ping(other, free.id)
        assert (await deliveries.settled(other, ping, PATIENCE)).status is DeliveryStatus.DELIVERED
        assert open_now == most == MOST_AT_ONCE_PER_OWNER
        release.set()
        assert {one.status for one in await settled(pool, stuck)} == {DeliveryStatus.DELIVERED}
    assert most == MOST_AT_ONCE_PER_OWNER
    assert len(slow.requests) == 8


def environment(temporal_address: str, dsn: str, home: Path) -> dict[str, str]:
    """For our own programs: where everything is, and that they may deliver to this machine."""
    return {
        "CINEMA_HOME": str(home),
        "CINEMA_POSTGRES_DSN": dsn,
        "CINEMA_TEMPORAL_ADDRESS": temporal_address,
        "CINEMA_WEBHOOK_KEYS": KEY,
        "CINEMA_WEBHOOK_ALLOW_HTTP": "true",
        "CINEMA_WEBHOOK_ALLOW_PRIVATE": "true",
        "COLUMNS": "200",
    }


@pytest.fixture
def service(
    temporal_server: RestartableTemporal, postgres_dsn: str, tmp_path: Path, start: Callable[[ChildSpec], Child]
) -> Callable[..., Child]:
    """Makes processes as the stack runs them; they are stopped when the test ends."""
    variables = environment(temporal_server.address, postgres_dsn, tmp_path)

    def make(name: str, *arguments: str) -> Child:
        return start(ChildSpec(name=name, command=(sys.executable, "-m", *arguments), environment=variables))

    return make


async def test_a_worker_killed_in_mid_delivery_is_replaced_and_the_event_comes_again(
    pool: Pool, endpoints: WebhookEndpoints, owner_id: UUID, service: Callable[..., Child]
) -> None:
    release = asyncio.Event()

    async def silent(_writer: asyncio.StreamWriter) -> None:
        await release.wait()

    dispatcher = service("dispatcher", "cinema.dispatcher")
    workers = [service(name, "cinema.worker", "--queue", TaskQueue.JOBS) for name in ("worker-1", "worker-2")]
    await asyncio.gather(dispatcher.start(60), workers[0].start(60))
    async with receiving(silent, answer(200)) as receiver:
        endpoint, secret = await endpoints.add(owner_id, NewEndpoint(url=receiver.url))
        await WebhookDeliveries(pool).ping(owner_id, endpoint.id)
        await receiver.until(1)
        assert workers[0].status.pid is not None
        os.kill(workers[0].status.pid, signal.SIGKILL)
        await workers[1].start(60)
        await receiver.until(2)
        (delivery,) = await settled(pool, endpoint)
        release.set()
    assert delivery.status is DeliveryStatus.DELIVERED
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    assert len({request.body for request in receiver.requests}) == 1
    Webhook(secret).verify(receiver.requests[-1].body, receiver.requests[-1].headers)
    made = await WebhookDeliveries(pool).attempts(owner_id, delivery.id)
    assert made[0].duration_ms is None, "the interrupted attempt stays in the log"
    assert made[-1].status_code == 200


async def test_deliveries_wait_while_temporal_is_away(pool: Pool, endpoints: WebhookEndpoints, owner_id: UUID) -> None:
    endpoint, _ = await endpoints.add(owner_id, NewEndpoint(url="https://hooks.example/"))
    ping = await WebhookDeliveries(pool).ping(owner_id, endpoint.id)
    nowhere = await Client.connect("127.0.0.1:9", plugins=[cinema_plugin()], lazy=True)
    dispatcher = WebhookDispatcher(pool, nowhere)
    for _ in range(3 * MOST_REFUSALS):
        assert await dispatcher.dispatch_due() == 1, "it is ready for whoever finds Temporal back"
    waiting = await WebhookDeliveries(pool).get(owner_id, ping)
    assert waiting.status is DeliveryStatus.WAITING
    assert waiting.last_error == "It cannot be started at the moment; it is tried again by itself."
    await endpoints.remove(owner_id, endpoint.id)


async def test_an_outage_is_not_held_against_a_delivery_and_refusals_are(
    pool: Pool, endpoints: WebhookEndpoints, owner_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, _ = await endpoints.add(owner_id, NewEndpoint(url="https://hooks.example/"))
    ping = await WebhookDeliveries(pool).ping(owner_id, endpoint.id)
    nowhere = await Client.connect("127.0.0.1:9", plugins=[cinema_plugin()], lazy=True)
    dispatcher = WebhookDispatcher(pool, nowhere)
    for _ in range(3 * MOST_REFUSALS):
        await dispatcher.dispatch_due()

    async def refuses(*_: object, **__: object) -> None:
        raise ValueError("this cannot be encoded")

    monkeypatch.setattr(nowhere, "start_workflow", refuses)
    statuses = []
    for _ in range(MOST_REFUSALS):
        await pool.execute("update webhook_deliveries set available_at = now() where id = $1", ping)
        assert await dispatcher.dispatch_due() == 1
        statuses.append((await WebhookDeliveries(pool).get(owner_id, ping)).status)
    assert statuses == [*[DeliveryStatus.WAITING] * (MOST_REFUSALS - 1), DeliveryStatus.FAILED]
    await endpoints.remove(owner_id, endpoint.id)


@pytest.fixture
def operator(
    postgres_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Awaitable[str]]:
    """Runs a command without starting a process for it, and returns what it prints."""
    for name, value in environment("127.0.0.1:9", postgres_dsn, tmp_path).items():
        monkeypatch.setenv(name, value)

    async def run(command: Callable[..., int], *arguments: object, **options: object) -> str:
        assert await asyncio.to_thread(command, *arguments, **options) == 0
        return capsys.readouterr().out

    return run


class CommandLine:
    """``cinema webhooks`` as an operator runs it."""

    def __init__(self, home: Path, variables: dict[str, str]) -> None:
        self._home = home
        self._variables = variables

    async def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "cinema", "webhooks", *arguments],
            env={**os.environ, **self._variables},
            cwd=self._home,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


async def test_operators_add_and_test_an_endpoint_from_the_command_line(
    pool: Pool, client: Client, temporal_server: RestartableTemporal, postgres_dsn: str, tmp_path: Path
) -> None:
    cinema = CommandLine(tmp_path, environment(temporal_server.address, postgres_dsn, tmp_path / "home"))
    async with receiving(answer(200, "\x1b[31mthanks"), answer(500, "no")) as receiver, delivering(pool, client):
        added = json.loads((await cinema("add", receiver.url, "--events", "job.failed", "--json")).stdout)
        endpoint, secret = added["endpoint"]["id"], added["secret"]
        tested = await cinema("test", endpoint)
        assert tested.returncode == 0, tested.stdout + tested.stderr
        assert "thanks" in tested.stdout
        assert "\x1b[31m" not in tested.stdout, "what a receiver answers does not steer a terminal"
        assert Webhook(secret).verify(receiver.requests[0].body, receiver.requests[0].headers)["type"] == "test.ping"
        failed = await cinema("test", endpoint)
        assert failed.returncode == 1
        assert "The receiver answered 500." in failed.stdout


async def test_operators_rotate_replay_and_remove(
    pool: Pool,
    owner_id: UUID,
    endpoints: WebhookEndpoints,
    operator: Callable[..., Awaitable[str]],
) -> None:
    endpoint, secret = await endpoints.add(owner_id, NewEndpoint(url="https://hooks.example/", description="mine"))
    delivery = await WebhookDeliveries(pool).ping(owner_id, endpoint.id)
    await WebhookAttempts(pool).give_up(delivery, "Given up.")
    shown = await operator(commands.show, owner_id, as_json=False)
    assert str(endpoint.id) in shown
    assert "https://hooks.example/" in shown
    rotated = json.loads(await operator(commands.rotate, owner_id, endpoint.id, at_once=False, as_json=True))
    assert await endpoints.secrets(endpoint.id) == (rotated["secret"], secret)
    log = json.loads(await operator(commands.deliveries, owner_id, endpoint.id, limit=5, as_json=True))
    assert [(one["id"], one["status"]) for one in log] == [(str(delivery), "failed")]
    assert "Given up." in await operator(commands.attempts, owner_id, delivery, as_json=False)
    await operator(commands.replay, owner_id, delivery)
    assert len(await WebhookDeliveries(pool).of(owner_id, endpoint.id)) == 2
    await operator(commands.disable, owner_id, endpoint.id)
    assert "Disabled by its owner." in await operator(commands.show, owner_id, as_json=False)
    assert "recover" in await operator(commands.enable, owner_id, endpoint.id)
    assert (await operator(commands.recover, owner_id, endpoint.id, hours=24)).startswith("0 events")
    await operator(commands.subscribe, owner_id, endpoint.id, (EventType.JOB_FAILED,))
    assert (await endpoints.get(owner_id, endpoint.id)).event_types == (EventType.JOB_FAILED,)
    await operator(commands.remove, owner_id, endpoint.id)
    assert await operator(commands.show, owner_id, as_json=False) == "There are no webhook endpoints.\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("add", "ftp://example.com"), "no URL"),
        (("add", "https://example.com/", "--events", "job.exploded"), "job.exploded is no event"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    postgres_dsn: str, tmp_path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    refused = await CommandLine(tmp_path, environment("127.0.0.1:9", postgres_dsn, tmp_path))(*arguments)
    assert refused.returncode in {1, 2}
    assert reason in refused.stderr

"""Endpoints, their secrets, the events of every status change, and the log, on a real Postgres."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from schemas.edl import Variant
from schemas.errors import CinemaError, ConflictError, ErrorCode
from schemas.jobs import Job, JobRequest, JobStatus, Project
from schemas.webhooks import (
    EVENT,
    DeliveryPolicy,
    DeliveryStatus,
    DisabledReason,
    EndpointStatus,
    EventType,
    NewEndpoint,
    WebhookEndpoint,
)
from stores import ActingAs, Jobs, Outputs, Pool, Projects
from stores.sealing import Seal, new_key
from stores.webhook_attempts import FAILING_LIMIT, AttemptOutcome, BegunAttempt, WebhookAttempts
from stores.webhook_deliveries import WebhookDeliveries
from stores.webhook_outbox import WebhookOutbox
from stores.webhooks import MOST_ENDPOINTS, WebhookEndpoints, drop_expired_secrets
from tests.stores.samples import delivered, failure

pytestmark = pytest.mark.postgres

HOOK = NewEndpoint(url="https://example.com/hook")
LEASE = timedelta(seconds=30)
NOW = timedelta(0)
FAILED = AttemptOutcome(timedelta(milliseconds=20), status_code=500, response="no", error="The receiver answered 500.")
ACCEPTED = AttemptOutcome(timedelta(milliseconds=20), status_code=200, response="ok")
AGAIN = AttemptOutcome(timedelta(seconds=15), error="No answer within 15 s.", next_wait=timedelta(minutes=5))


@pytest.fixture
def endpoints(pool: Pool) -> WebhookEndpoints:
    return WebhookEndpoints(pool, Seal([new_key()]), DeliveryPolicy())


@pytest.fixture
async def endpoint(endpoints: WebhookEndpoints, owner_id: UUID) -> WebhookEndpoint:
    added, _ = await endpoints.add(owner_id, HOOK)
    return added


async def stranger(pool: Pool) -> UUID:
    owner = uuid4()
    await Projects(pool).ensure_profile(owner)
    return owner


async def events(pool: Pool) -> list[dict[str, Any]]:
    """Every event in order, checked against the schema that receivers are promised."""
    rows = await pool.fetch("select * from webhook_events order by occurred_at")
    for row in rows:
        EVENT.validate_python(
            {
                "id": f"evt_{row['id'].hex}",
                "version": 1,
                "timestamp": row["occurred_at"],
                "type": row["type"],
                "data": row["data"],
            }
        )
    return [{"type": row["type"], **row["data"]} for row in rows]


async def finish(outputs: Outputs, output_id: UUID) -> None:
    await outputs.plan(output_id, "edl.json")
    await outputs.complete(output_id, await outputs.begin_attempt(output_id), delivered())


async def attempt(pool: Pool, outcome: AttemptOutcome, event_type: EventType | None = None) -> DeliveryStatus:
    """Make the next waiting delivery's attempt with this outcome."""
    claimed = await WebhookOutbox(pool).claim(100, NOW)
    chosen = next(one for one in claimed if event_type in {None, one.event_type})
    begun = await WebhookAttempts(pool).begin(chosen.id)
    assert isinstance(begun, BegunAttempt)
    return await WebhookAttempts(pool).finish(chosen.id, begun, outcome)


# Endpoints and secrets


async def test_a_secret_is_shown_once_and_never_lies_open_in_the_database(
    pool: Pool, endpoints: WebhookEndpoints, owner_id: UUID
) -> None:
    endpoint, secret = await endpoints.add(owner_id, HOOK)
    assert secret.startswith("whsec_")
    assert await endpoints.secrets(endpoint.id) == (secret,)
    stored = await pool.fetchval("select string_agg(t::text, '') from webhook_secrets as t")
    assert secret.removeprefix("whsec_") not in stored
    assert "secret" not in (await endpoints.get(owner_id, endpoint.id)).model_dump_json()


async def test_secrets_sealed_with_another_key_say_so(pool: Pool, endpoint: WebhookEndpoint) -> None:
    elsewhere = WebhookEndpoints(pool, Seal([new_key()]), DeliveryPolicy())
    with pytest.raises(CinemaError, match="a key that this process does not have"):
        await elsewhere.secrets(endpoint.id)


async def test_a_key_can_be_replaced_without_losing_secrets(pool: Pool, owner_id: UUID) -> None:
    old, new = new_key(), new_key()
    endpoint, secret = await WebhookEndpoints(pool, Seal([old]), DeliveryPolicy()).add(owner_id, HOOK)
    assert await WebhookEndpoints(pool, Seal([new, old]), DeliveryPolicy()).secrets(endpoint.id) == (secret,)


async def test_after_a_rotation_both_secrets_sign_until_the_overlap_ends(
    pool: Pool, endpoints: WebhookEndpoints, owner_id: UUID
) -> None:
    endpoint, first = await endpoints.add(owner_id, HOOK)
    _, second = await endpoints.rotate(owner_id, endpoint.id)
    assert await endpoints.secrets(endpoint.id) == (second, first)
    left = await pool.fetchval("select max(expires_at) - now() from webhook_secrets")
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)
    await pool.execute("update webhook_secrets set expires_at = now() where expires_at is not null")
    assert await endpoints.secrets(endpoint.id) == (second,)
    assert await drop_expired_secrets(pool) == 1
    assert await pool.fetchval("select count(*) from webhook_secrets") == 1


async def test_a_secret_that_leaked_is_replaced_at_once(endpoints: WebhookEndpoints, owner_id: UUID) -> None:
    endpoint, _ = await endpoints.add(owner_id, HOOK)
    _, second = await endpoints.rotate(owner_id, endpoint.id, NOW)
    assert await endpoints.secrets(endpoint.id) == (second,)


async def test_secrets_do_not_pile_up(endpoints: WebhookEndpoints, endpoint: WebhookEndpoint) -> None:
    with pytest.raises(CinemaError, match="too many new secrets"):
        for _ in range(10):
            await endpoints.rotate(endpoint.owner_id, endpoint.id)
    assert len(await endpoints.secrets(endpoint.id)) == 5
    await endpoints.rotate(endpoint.owner_id, endpoint.id, NOW)
    assert len(await endpoints.secrets(endpoint.id)) == 1


async def test_endpoints_are_limited_also_when_added_at_once(endpoints: WebhookEndpoints, owner_id: UUID) -> None:
    answers = await asyncio.gather(
        *(endpoints.add(owner_id, HOOK) for _ in range(MOST_ENDPOINTS + 5)), return_exceptions=True
    )
    refusals = [answer for answer in answers if isinstance(answer, CinemaError)]
    assert {refusal.code for refusal in refusals} == {ErrorCode.WEBHOOK_REFUSED}
    assert len(await endpoints.of(owner_id)) == MOST_ENDPOINTS


async def test_a_url_that_is_not_allowed_adds_nothing(endpoints: WebhookEndpoints, owner_id: UUID) -> None:
    with pytest.raises(CinemaError, match="public address"):
        await endpoints.add(owner_id, NewEndpoint(url="https://127.0.0.1/"))
    assert await endpoints.of(owner_id) == ()


async def test_nobody_touches_the_endpoint_of_another(
    pool: Pool, endpoints: WebhookEndpoints, endpoint: WebhookEndpoint
) -> None:
    other = await stranger(pool)
    deliveries = WebhookDeliveries(pool)
    ping = await deliveries.ping(endpoint.owner_id, endpoint.id)
    for call in (
        endpoints.get(other, endpoint.id),
        endpoints.rotate(other, endpoint.id),
        endpoints.enable(other, endpoint.id),
        endpoints.disable(other, endpoint.id),
        endpoints.subscribe(other, endpoint.id, [EventType.JOB_FAILED]),
        endpoints.remove(other, endpoint.id),
        deliveries.ping(other, endpoint.id),
        deliveries.get(other, ping),
        deliveries.replay(other, ping),
        deliveries.replay_missed(other, endpoint.id, datetime.now(UTC)),
    ):
        with pytest.raises(CinemaError) as refused:
            await call
        assert refused.value.code is ErrorCode.NOT_FOUND
    assert await deliveries.of(other, endpoint.id) == ()
    assert await deliveries.attempts(other, ping) == ()


async def test_row_level_security_shows_owners_their_own_and_nobody_a_secret(
    pool: Pool, job: Job, endpoint: WebhookEndpoint
) -> None:
    await Jobs(pool).set_status(job.id, JobStatus.ANALYSING)
    await attempt(pool, ACCEPTED)
    tables = ("webhook_endpoints", "webhook_events", "webhook_deliveries", "webhook_attempts")
    for viewer, expected in ((endpoint.owner_id, 1), (await stranger(pool), 0)):
        view = ActingAs(pool, viewer)
        for table in tables:
            async with view.acquire() as connection:
                assert await connection.fetchval(f"select count(*) from {table}") == expected, table
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with view.acquire() as connection:
                await connection.fetch("select * from webhook_secrets")
        for table in tables:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with view.acquire() as connection:
                    await connection.execute(f"delete from {table}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with view.acquire() as connection:
                await connection.execute(
                    "select cinema.emit_webhook_event($1, null, 'test.ping', '{}')", endpoint.owner_id
                )
    assert len(await WebhookDeliveries(ActingAs(pool, endpoint.owner_id)).of(endpoint.owner_id, endpoint.id)) == 1


# Events


@pytest.mark.usefixtures("endpoint")
async def test_each_transition_is_one_event(pool: Pool, job: Job) -> None:
    jobs, outputs = Jobs(pool), Outputs(pool)
    for stage in (JobStatus.ANALYSING, JobStatus.ANALYSING, JobStatus.PLANNING, JobStatus.RENDERING):
        await jobs.set_status(job.id, stage)
    first, second = job.outputs
    await finish(outputs, first.id)
    await outputs.fail(second.id, failure())
    await outputs.fail(second.id, failure("Another reason."))
    await jobs.settle(job.id)
    await jobs.settle(job.id)
    found = await events(pool)
    assert [event["type"] for event in found] == ["job.started", "output.completed", "output.failed", "job.partial"]
    assert found[2]["error"] == {"code": "encoder_failed", "message": "The encoder stopped.", "retryable": True}
    assert found[3]["message"] == "1 of the job's 2 outputs are ready."
    assert [output["status"] for output in found[3]["outputs"]] == ["completed", "failed"]
    assert await pool.fetchval("select count(*) from webhook_deliveries") == 4


@pytest.mark.usefixtures("endpoint")
async def test_a_retried_job_starts_and_ends_again(pool: Pool, job: Job) -> None:
    jobs = Jobs(pool)
    await jobs.set_status(job.id, JobStatus.ANALYSING)
    await jobs.fail(job.id, failure())
    await jobs.reopen(job.id, [], "retry")
    await jobs.set_status(job.id, JobStatus.RENDERING)
    await jobs.cancel(job.id)
    assert [event["type"] for event in await events(pool)] == [
        *("job.started", "output.failed", "output.failed", "job.failed"),
        *("job.started", "output.cancelled", "output.cancelled", "job.cancelled"),
    ]


@pytest.mark.usefixtures("endpoint")
async def test_exactly_one_event_when_everybody_ends_the_same_output_at_once(pool: Pool, job: Job) -> None:
    outputs = Outputs(pool)
    output = job.outputs[0]
    await outputs.plan(output.id, "edl.json")
    number = await outputs.begin_attempt(output.id)
    answers = await asyncio.gather(
        *(outputs.complete(output.id, number, delivered()) for _ in range(5)),
        *(outputs.fail(output.id, failure()) for _ in range(5)),
        *(outputs.cancel(output.id) for _ in range(5)),
        return_exceptions=True,
    )
    assert {type(answer) for answer in answers if isinstance(answer, Exception)} <= {ConflictError}
    assert len(await events(pool)) == 1
    ended = await outputs.get(output.id)
    assert (await events(pool))[0]["type"] == f"output.{ended.status}"


@pytest.mark.usefixtures("endpoint")
async def test_a_superseded_attempt_and_a_rolled_back_change_tell_nobody(pool: Pool, job: Job) -> None:
    outputs = Outputs(pool)
    output = job.outputs[0]
    await outputs.plan(output.id, "edl.json")
    late = await outputs.begin_attempt(output.id)
    await outputs.begin_attempt(output.id)
    with pytest.raises(ConflictError):
        await outputs.complete(output.id, late, delivered())
    with pytest.raises(ZeroDivisionError):
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("update jobs set status = 'cancelled' where id = $1", job.id)
            raise ZeroDivisionError
    assert await events(pool) == []


async def test_owners_without_endpoints_cost_nothing(pool: Pool, job: Job) -> None:
    await Jobs(pool).cancel(job.id)
    assert await events(pool) == []


async def test_an_endpoint_gets_what_it_is_subscribed_to_while_it_is_enabled(
    pool: Pool, job: Job, endpoints: WebhookEndpoints
) -> None:
    failures, _ = await endpoints.add(
        job.owner_id, NewEndpoint(url="https://a.example/", event_types=(EventType.JOB_FAILED,))
    )
    disabled, _ = await endpoints.add(job.owner_id, HOOK)
    await endpoints.disable(job.owner_id, disabled.id)
    await Jobs(pool).set_status(job.id, JobStatus.ANALYSING)
    await Jobs(pool).fail(job.id, failure())
    (delivery,) = await WebhookDeliveries(pool).of(job.owner_id, failures.id)
    assert delivery.event_type is EventType.JOB_FAILED
    assert await WebhookDeliveries(pool).of(job.owner_id, disabled.id) == ()


@pytest.mark.usefixtures("endpoint")
async def test_a_notice_of_expiry_is_an_event(pool: Pool, project: Project) -> None:
    await pool.execute(
        """
        insert into notices (owner_id, project_id, kind, body, expires_at)
        values ($1, $2, 'retention.expiring', '{}', now() + interval '7 days')
        """,
        project.owner_id,
        project.id,
    )
    (event,) = await events(pool)
    assert event["type"] == "retention.expiring"
    assert event["project_id"] == str(project.id)


@pytest.mark.usefixtures("endpoint")
async def test_a_project_takes_its_events_with_it(pool: Pool, job: Job) -> None:
    await Jobs(pool).cancel(job.id)
    await attempt(pool, ACCEPTED)
    await pool.execute("delete from jobs where id = $1", job.id)
    await pool.execute("delete from projects where id = $1", job.project_id)
    for table in ("webhook_events", "webhook_deliveries", "webhook_attempts"):
        assert await pool.fetchval(f"select count(*) from {table}") == 0
    assert await pool.fetchval("select count(*) from webhook_endpoints") == 1


# Dispatch, attempts and what follows from them


async def test_each_delivery_is_claimed_by_one(pool: Pool, owner_id: UUID, endpoint: WebhookEndpoint) -> None:
    deliveries, outbox = WebhookDeliveries(pool), WebhookOutbox(pool)
    wanted = {await deliveries.ping(owner_id, endpoint.id) for _ in range(20)}
    claims = await asyncio.gather(*(outbox.claim(5, LEASE) for _ in range(8)))
    claimed = [delivery.id for claim in claims for delivery in claim]
    assert len(claimed) == len(set(claimed)) == 20
    assert set(claimed) == wanted
    assert await outbox.claim(5, LEASE) == ()


async def test_a_claim_runs_out_with_whoever_held_it(pool: Pool, owner_id: UUID, endpoint: WebhookEndpoint) -> None:
    outbox = WebhookOutbox(pool)
    await WebhookDeliveries(pool).ping(owner_id, endpoint.id)
    (first,) = await outbox.claim(5, timedelta(milliseconds=100))
    assert await outbox.claim(5, LEASE) == ()
    assert await outbox.wait(timedelta(seconds=20))
    (second,) = await outbox.claim(5, LEASE)
    assert (first.id, second.claims) == (second.id, 2)
    await outbox.started(second.id)
    assert not await outbox.wait(timedelta(milliseconds=50))


async def test_a_new_delivery_wakes_the_dispatcher(pool: Pool, owner_id: UUID, endpoint: WebhookEndpoint) -> None:
    waiting = asyncio.create_task(WebhookOutbox(pool).wait(timedelta(seconds=60)))
    await asyncio.sleep(0.3)
    await WebhookDeliveries(pool).ping(owner_id, endpoint.id)
    assert await asyncio.wait_for(waiting, 20)


async def test_the_log_tells_every_attempt(pool: Pool, job: Job, endpoint: WebhookEndpoint) -> None:
    await Jobs(pool).set_status(job.id, JobStatus.ANALYSING)
    deliveries = WebhookDeliveries(pool)
    assert await attempt(pool, AGAIN) is DeliveryStatus.DELIVERING
    (delivery,) = await deliveries.of(job.owner_id, endpoint.id)
    assert delivery.last_error == "No answer within 15 s."
    assert delivery.next_attempt_at is not None
    begun = await WebhookAttempts(pool).begin(delivery.id)
    assert begun is not None
    assert await WebhookAttempts(pool).finish(delivery.id, begun, ACCEPTED) is DeliveryStatus.DELIVERED
    first, second = await deliveries.attempts(job.owner_id, delivery.id)
    assert (first.duration_ms, first.status_code, first.error) == (15_000, None, "No answer within 15 s.")
    assert (second.number, second.status_code, second.response, second.error) == (2, 200, "ok", None)
    assert await WebhookAttempts(pool).begin(delivery.id) is None, "what was delivered is not delivered again"


async def test_an_answer_nobody_can_store_is_stored_as_far_as_it_can(
    pool: Pool, job: Job, endpoint: WebhookEndpoint
) -> None:
    await Jobs(pool).set_status(job.id, JobStatus.ANALYSING)
    await attempt(pool, AttemptOutcome(NOW, status_code=500, response="\0\ud800" + "x" * 9999, error="e" * 9999))
    (delivery,) = await WebhookDeliveries(pool).of(job.owner_id, endpoint.id)
    (made,) = await WebhookDeliveries(pool).attempts(job.owner_id, delivery.id)
    assert made.response is not None
    assert made.response.startswith("\ufffd\ufffdxxx")
    assert len(made.response) == 512


@pytest.mark.usefixtures("endpoint")
async def test_an_attempt_that_was_overtaken_changes_only_its_own_line(pool: Pool, job: Job) -> None:
    attempts = WebhookAttempts(pool)
    await Jobs(pool).set_status(job.id, JobStatus.ANALYSING)
    (claimed,) = await WebhookOutbox(pool).claim(1, LEASE)
    late = await attempts.begin(claimed.id)
    current = await attempts.begin(claimed.id)
    assert late is not None
    assert current is not None
    assert await attempts.finish(claimed.id, late, FAILED) is DeliveryStatus.DELIVERING
    assert await attempts.finish(claimed.id, current, ACCEPTED) is DeliveryStatus.DELIVERED


async def test_a_receiver_that_is_gone_gets_nothing_more(pool: Pool, job: Job, endpoints: WebhookEndpoints) -> None:
    endpoint, _ = await endpoints.add(job.owner_id, HOOK)
    await Jobs(pool).cancel(job.id)
    gone = AttemptOutcome(NOW, status_code=410, error="Gone.", gone=True, next_wait=timedelta(minutes=5))
    assert await attempt(pool, gone) is DeliveryStatus.FAILED
    disabled = await endpoints.get(job.owner_id, endpoint.id)
    assert (disabled.status, disabled.disabled_reason) == (EndpointStatus.DISABLED, DisabledReason.GONE)
    for waiting in await WebhookOutbox(pool).claim(100, NOW):
        assert await WebhookAttempts(pool).begin(waiting.id) is None
    log = await WebhookDeliveries(pool).of(job.owner_id, endpoint.id)
    assert {delivery.status for delivery in log} == {DeliveryStatus.FAILED}


async def test_an_endpoint_that_fails_for_days_is_disabled_with_a_notice(
    pool: Pool, job: Job, endpoints: WebhookEndpoints
) -> None:
    endpoint, _ = await endpoints.add(job.owner_id, HOOK)
    await Jobs(pool).cancel(job.id)
    await attempt(pool, FAILED)
    failing = await endpoints.get(job.owner_id, endpoint.id)
    assert failing.status is EndpointStatus.ENABLED
    assert failing.failing_since is not None
    await pool.execute("update webhook_endpoints set failing_since = failing_since - $1::interval", FAILING_LIMIT)
    await attempt(pool, FAILED)
    disabled = await endpoints.get(job.owner_id, endpoint.id)
    assert disabled.disabled_reason is DisabledReason.FAILING
    assert disabled.disabled_notice is not None
    assert "every delivery has failed since" in disabled.disabled_notice
    enabled = await endpoints.enable(job.owner_id, endpoint.id)
    assert (enabled.status, enabled.failing_since, enabled.disabled_notice) == (EndpointStatus.ENABLED, None, None)


async def test_one_success_ends_a_time_of_failures(pool: Pool, job: Job, endpoints: WebhookEndpoints) -> None:
    endpoint, _ = await endpoints.add(job.owner_id, HOOK)
    await Jobs(pool).cancel(job.id)
    await attempt(pool, FAILED)
    await attempt(pool, ACCEPTED)
    assert (await endpoints.get(job.owner_id, endpoint.id)).failing_since is None


async def test_a_failed_test_is_not_held_against_an_endpoint(
    pool: Pool, endpoints: WebhookEndpoints, endpoint: WebhookEndpoint
) -> None:
    await WebhookDeliveries(pool).ping(endpoint.owner_id, endpoint.id)
    await attempt(pool, FAILED)
    assert (await endpoints.get(endpoint.owner_id, endpoint.id)).failing_since is None


async def test_a_disabled_endpoint_can_still_be_tested(
    pool: Pool, endpoints: WebhookEndpoints, endpoint: WebhookEndpoint
) -> None:
    await endpoints.disable(endpoint.owner_id, endpoint.id)
    await WebhookDeliveries(pool).ping(endpoint.owner_id, endpoint.id)
    assert await attempt(pool, ACCEPTED) is DeliveryStatus.DELIVERED


async def test_an_endpoint_removed_in_mid_delivery_ends_it(
    pool: Pool, endpoints: WebhookEndpoints, endpoint: WebhookEndpoint
) -> None:
    delivery = await WebhookDeliveries(pool).ping(endpoint.owner_id, endpoint.id)
    begun = await WebhookAttempts(pool).begin(delivery)
    assert begun is not None
    await endpoints.remove(endpoint.owner_id, endpoint.id)
    assert await WebhookAttempts(pool).finish(delivery, begun, ACCEPTED) is DeliveryStatus.FAILED
    assert await WebhookAttempts(pool).begin(delivery) is None
    assert await pool.fetchval("select count(*) from webhook_secrets") == 0


# Replays and the end of the log


async def test_a_replay_is_the_same_event_once_more(pool: Pool, job: Job, endpoint: WebhookEndpoint) -> None:
    deliveries = WebhookDeliveries(pool)
    await Jobs(pool).set_status(job.id, JobStatus.ANALYSING)
    await attempt(pool, ACCEPTED)
    (original,) = await deliveries.of(job.owner_id, endpoint.id)
    replayed = await deliveries.get(job.owner_id, await deliveries.replay(job.owner_id, original.id))
    assert (replayed.event_id, replayed.replay_of) == (original.event_id, original.id)
    assert replayed.status is DeliveryStatus.WAITING


async def test_what_was_missed_is_replayed_once(pool: Pool, job: Job, endpoints: WebhookEndpoints) -> None:
    endpoint, _ = await endpoints.add(job.owner_id, HOOK)
    deliveries, since = WebhookDeliveries(pool), datetime.now(UTC) - timedelta(hours=1)
    await Jobs(pool).set_status(job.id, JobStatus.ANALYSING)
    await attempt(pool, FAILED)
    await endpoints.disable(job.owner_id, endpoint.id)
    await Jobs(pool).cancel(job.id)
    with pytest.raises(CinemaError, match="disabled"):
        await deliveries.replay_missed(job.owner_id, endpoint.id, since)
    await endpoints.enable(job.owner_id, endpoint.id)
    counts = await asyncio.gather(*(deliveries.replay_missed(job.owner_id, endpoint.id, since) for _ in range(4)))
    assert sorted(counts) == [0, 0, 0, 4], "one that failed, and three of the time when it was disabled"
    assert await deliveries.replay_missed(job.owner_id, endpoint.id, datetime.now(UTC)) == 0


async def test_old_events_are_forgotten_but_not_what_is_under_way(
    pool: Pool, job: Job, endpoint: WebhookEndpoint
) -> None:
    deliveries = WebhookDeliveries(pool)
    request = JobRequest(variants=(Variant.HOOK_CUT,))
    other = await Jobs(pool).create(job.owner_id, job.project_id, request)
    await Jobs(pool).set_status(job.id, JobStatus.ANALYSING)
    await attempt(pool, ACCEPTED)
    await Jobs(pool).set_status(other.id, JobStatus.ANALYSING)
    assert await deliveries.prune() == 0
    await pool.execute("update webhook_events set created_at = created_at - interval '31 days'")
    assert await deliveries.prune() == 1
    assert len(await deliveries.of(job.owner_id, endpoint.id)) == 1

"""The Python client's analytics, estimates, share links, tokens and webhooks, against the real API."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from cinema.client import AsyncClient, CinemaError, Client, ConflictError, ErrorCode, InvalidInput
from schemas.edl import Variant
from schemas.jobs import Job, JobRequest
from schemas.media import AssetKind
from schemas.resources.analytics import Granularity
from schemas.scopes import Scope
from schemas.webhooks import DeliveryStatus, EndpointStatus, EventType
from stores import Assets, Jobs, Pool
from tests.api.delivered_output import delivered_job
from tests.api.gateway import Gateway, serving
from tests.stores.conftest import dsn, pool

__all__ = ["dsn", "pool"]

pytestmark = pytest.mark.postgres


@pytest.fixture
async def gateway(pool: Pool, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with serving(pool, tmp_path / "objects") as served:
        yield served


@pytest.fixture
def owner_id() -> UUID:
    return uuid4()


@pytest.fixture
async def client(gateway: Gateway, owner_id: UUID) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(gateway.url, gateway.issuer.token(owner_id)) as client:
        yield client


@pytest.fixture
async def job(gateway: Gateway, owner_id: UUID) -> Job:
    """A job that was called off when one of its outputs had been made."""
    async with gateway.client(owner_id) as creator:
        made = await delivered_job(gateway, creator)
    await Jobs(gateway.pool).cancel(made.id)
    return await Jobs(gateway.pool).get(made.id)


async def test_totals_of_everything_of_a_project_and_of_a_job(client: AsyncClient, job: Job) -> None:
    today = datetime.now(UTC).date()
    told = await client.analytics.over(today - timedelta(days=6), today, granularity=Granularity.WEEK)
    assert told.totals.outputs.completed == 1
    assert told.granularity is Granularity.WEEK
    assert (await client.analytics.over(project_id=job.project_id)).totals == told.totals
    measured = await client.analytics.of_job(job.id)
    assert [output.metrics is not None for output in measured.outputs] == [True, False]
    with pytest.raises(InvalidInput):
        await client.analytics.over(today, today - timedelta(days=1))


async def test_an_estimate_orders_nothing(gateway: Gateway, client: AsyncClient, owner_id: UUID) -> None:
    project = await client.projects.create("Kitchen talk")
    with pytest.raises(ConflictError):
        await client.projects.estimate(project.id)
    await Assets(gateway.pool).add(
        owner_id=owner_id,
        project_id=project.id,
        name="talk.mp4",
        kind=AssetKind.A_ROLL,
        object_key="talk",
        size_bytes=40_000_000,
        sha256="ab" * 32,
        position=0,
    )
    told = await client.projects.estimate(project.id, JobRequest(variants=(Variant.HOOK_CUT,)))
    assert [output.variant for output in told.outputs] == [Variant.HOOK_CUT]
    assert 0 < told.finished_s.low <= told.finished_s.high
    assert (await client.jobs.list()).items == ()


async def test_a_share_link_is_made_opened_and_revoked(client: AsyncClient, job: Job) -> None:
    video, queued = (output.id for output in job.outputs)
    link = await client.shares.create(video, password="open sesame", max_views=2)
    with pytest.raises(CinemaError) as asks:
        await client.shares.open(link.url)
    with pytest.raises(CinemaError) as wrong:
        await client.shares.open(link.url, password="open barley")
    assert {asks.value.code, wrong.value.code} == {ErrorCode.FORBIDDEN}
    shown = await client.shares.open(link.url, password="open sesame")
    assert (shown.title, shown.variant) == ("Kitchen talk", Variant.HOOK_CUT)
    (listed,) = (await client.shares.list(video)).items
    assert (listed.id, listed.has_password, listed.views) == (link.id, True, 1)
    await client.shares.revoke(link.id)
    with pytest.raises(CinemaError) as gone:
        await client.shares.open(link.url, password="open sesame")
    assert gone.value.code is ErrorCode.NOT_FOUND
    with pytest.raises(ConflictError):
        await client.shares.create(queued)
    with pytest.raises(InvalidInput):
        await client.shares.create(video, password="short")


async def test_a_programs_token_may_what_it_was_made_for_until_it_is_revoked(
    gateway: Gateway, client: AsyncClient
) -> None:
    issued = await client.tokens.create("Nightly import", [Scope.PROJECTS_READ])
    assert (await client.tokens.list()).items == (await client.tokens.get(issued.token.id),)
    async with AsyncClient(gateway.url, issued.secret) as program:
        assert (await program.projects.list()).items == ()
        for refused in (program.projects.create("Kitchen talk"), program.tokens.list()):
            with pytest.raises(CinemaError) as error:
                await refused
            assert error.value.code is ErrorCode.FORBIDDEN
        assert (await client.tokens.revoke(issued.token.id)).revoked_at is not None
        with pytest.raises(CinemaError) as revoked:
            await program.projects.list()
    assert revoked.value.code is ErrorCode.UNAUTHENTICATED


async def test_webhooks_are_added_changed_tried_and_removed(client: AsyncClient) -> None:
    added = await client.webhooks.create("https://example.com/hooks", [EventType.JOB_COMPLETED], description="CMS")
    endpoint = added.endpoint
    assert endpoint.event_types == (EventType.JOB_COMPLETED,)
    assert EventType.TEST_PING not in (await client.webhooks.create("https://example.org")).endpoint.event_types
    assert (await client.webhooks.list()).items[0] == endpoint
    changed = await client.webhooks.change(endpoint.id, [EventType.JOB_FAILED])
    assert (await client.webhooks.get(endpoint.id)) == changed
    assert (await client.webhooks.rotate(endpoint.id, at_once=True)).secret != added.secret
    assert (await client.webhooks.disable(endpoint.id)).status is EndpointStatus.DISABLED
    assert (await client.webhooks.enable(endpoint.id)).status is EndpointStatus.ENABLED
    tried = await client.webhooks.test(endpoint.id)
    (listed,) = (await client.webhooks.deliveries(endpoint.id, status=DeliveryStatus.WAITING)).items
    told = await client.webhooks.delivery(tried.id)
    assert (told.delivery, told.attempts) == (listed, ())
    assert (await client.webhooks.recover(endpoint.id, datetime.now(UTC) - timedelta(hours=1))).events == 0
    assert (await client.webhooks.replay(tried.id)).replay_of == tried.id
    await client.webhooks.delete(endpoint.id)
    with pytest.raises(CinemaError) as gone:
        await client.webhooks.get(endpoint.id)
    assert gone.value.code is ErrorCode.NOT_FOUND


async def test_the_same_without_asyncio(gateway: Gateway, owner_id: UUID) -> None:
    def work() -> str:
        with Client(gateway.url, gateway.issuer.token(owner_id)) as client:
            assert client.analytics.over().totals.outputs.completed == 0
            assert client.webhooks.list().items == ()
            return client.tokens.create("Nightly import", [Scope.JOBS_READ]).secret

    assert (await asyncio.to_thread(work)).startswith("cin_")

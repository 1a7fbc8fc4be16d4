"""``cinema webhooks``: endpoints, their secrets, and what was delivered to them."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from cinema.connections import database, installed
from cinema.owner import local_owner
from cinema.printing import printable
from cinema.settings import Settings, load_settings
from cinema.stack.layout import Layout
from cinema.webhook_sending import delivery_policy, webhook_seal
from schemas.model import Model
from schemas.webhooks import (
    DeliveryStatus,
    EndpointStatus,
    EventType,
    NewEndpoint,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from stores import Projects
from stores.webhook_deliveries import WebhookDeliveries
from stores.webhooks import SECRET_OVERLAP, WebhookEndpoints

#: How long a test waits for its one attempt: the request's own limit, and what starting its workflow may take.
TEST_PATIENCE = timedelta(seconds=45)

COLOURS = {
    EndpointStatus.ENABLED: "green",
    EndpointStatus.DISABLED: "red",
    DeliveryStatus.WAITING: "yellow",
    DeliveryStatus.DELIVERING: "yellow",
    DeliveryStatus.DELIVERED: "green",
    DeliveryStatus.FAILED: "red",
}

Answer = TypeVar("Answer")


class EndpointWithSecret(Model):
    """What ``add`` and ``rotate`` print with ``--json``: the only time the secret is shown."""

    endpoint: WebhookEndpoint
    secret: str


class DeliveryReport(Model):
    """What ``test`` and ``attempts`` print with ``--json``."""

    delivery: WebhookDelivery
    attempts: tuple[WebhookAttempt, ...]


@dataclass(frozen=True)
class _Desk:
    """One owner's webhooks."""

    owner_id: UUID
    endpoints: WebhookEndpoints
    deliveries: WebhookDeliveries
    projects: Projects


def add(owner: UUID | None, wanted: NewEndpoint, *, as_json: bool) -> int:
    async def work(desk: _Desk) -> EndpointWithSecret:
        await desk.projects.ensure_profile(desk.owner_id)
        endpoint, secret = await desk.endpoints.add(desk.owner_id, wanted)
        return EndpointWithSecret(endpoint=endpoint, secret=secret)

    return _show_secret(_at_desk(owner, work), as_json=as_json)


def rotate(owner: UUID | None, endpoint_id: UUID, *, at_once: bool, as_json: bool) -> int:
    async def work(desk: _Desk) -> EndpointWithSecret:
        overlap = timedelta(0) if at_once else SECRET_OVERLAP
        endpoint, secret = await desk.endpoints.rotate(desk.owner_id, endpoint_id, overlap)
        return EndpointWithSecret(endpoint=endpoint, secret=secret)

    return _show_secret(_at_desk(owner, work), as_json=as_json)


def show(owner: UUID | None, *, as_json: bool) -> int:
    endpoints = _at_desk(owner, lambda desk: desk.endpoints.of(desk.owner_id))
    if as_json:
        _print_json(endpoints)
    elif not endpoints:
        sys.stdout.write("There are no webhook endpoints.\n")
    else:
        Console().print(_endpoint_table(endpoints))
    return 0


def subscribe(owner: UUID | None, endpoint_id: UUID, event_types: tuple[EventType, ...]) -> int:
    endpoint = _at_desk(owner, lambda desk: desk.endpoints.subscribe(desk.owner_id, endpoint_id, event_types))
    sys.stdout.write(f"{endpoint.url} gets {', '.join(endpoint.event_types)}.\n")
    return 0


def enable(owner: UUID | None, endpoint_id: UUID) -> int:
    endpoint = _at_desk(owner, lambda desk: desk.endpoints.enable(desk.owner_id, endpoint_id))
    sys.stdout.write(f"{endpoint.url} gets events from now on. What it missed: cinema webhooks recover {endpoint.id}\n")
    return 0


def disable(owner: UUID | None, endpoint_id: UUID) -> int:
    endpoint = _at_desk(owner, lambda desk: desk.endpoints.disable(desk.owner_id, endpoint_id))
    sys.stdout.write(f"{endpoint.url} gets no events until it is enabled.\n")
    return 0


def remove(owner: UUID | None, endpoint_id: UUID) -> int:
    _at_desk(owner, lambda desk: desk.endpoints.remove(desk.owner_id, endpoint_id))
    sys.stdout.write(f"The endpoint {endpoint_id}, its secrets and its log are gone.\n")
    return 0


def send_test(owner: UUID | None, endpoint_id: UUID, *, as_json: bool) -> int:
    """Exit status 0 if the receiver accepted the test, 1 if it did not."""

    async def work(desk: _Desk) -> DeliveryReport:
        delivery_id = await desk.deliveries.ping(desk.owner_id, endpoint_id)
        await desk.deliveries.settled(desk.owner_id, delivery_id, TEST_PATIENCE)
        return await _report(desk, delivery_id)

    report = _at_desk(owner, work)
    _show_report(report, as_json=as_json)
    return 0 if report.delivery.status is DeliveryStatus.DELIVERED else 1


def deliveries(owner: UUID | None, endpoint_id: UUID, *, limit: int, as_json: bool) -> int:
    async def work(desk: _Desk) -> tuple[WebhookDelivery, ...]:
        await desk.endpoints.get(desk.owner_id, endpoint_id)
        return await desk.deliveries.of(desk.owner_id, endpoint_id, limit=limit)

    found = _at_desk(owner, work)
    if as_json:
        _print_json(found)
    elif not found:
        sys.stdout.write("Nothing has been delivered to this endpoint, or tried to.\n")
    else:
        Console().print(_delivery_table(found))
    return 0


def attempts(owner: UUID | None, delivery_id: UUID, *, as_json: bool) -> int:
    _show_report(_at_desk(owner, lambda desk: _report(desk, delivery_id)), as_json=as_json)
    return 0


def replay(owner: UUID | None, delivery_id: UUID) -> int:
    replayed = _at_desk(owner, lambda desk: desk.deliveries.replay(desk.owner_id, delivery_id))
    sys.stdout.write(f"The same event is on its way again: cinema webhooks attempts {replayed}\n")
    return 0


def recover(owner: UUID | None, endpoint_id: UUID, *, hours: float) -> int:
    since = datetime.now(UTC) - timedelta(hours=hours)
    count = _at_desk(owner, lambda desk: desk.deliveries.replay_missed(desk.owner_id, endpoint_id, since))
    sys.stdout.write(f"{count} events that the endpoint missed are on their way.\n")
    return 0


def _at_desk(owner: UUID | None, work: Callable[[_Desk], Coroutine[Any, Any, Answer]]) -> Answer:
    """Do this for the owner, by default the one of this home folder."""
    settings = installed(load_settings())
    return asyncio.run(_work(settings, owner or local_owner(Layout(settings.home)), work))


async def _work(settings: Settings, owner_id: UUID, work: Callable[[_Desk], Coroutine[Any, Any, Answer]]) -> Answer:
    async with database(settings) as pool:
        endpoints = WebhookEndpoints(pool, webhook_seal(settings), delivery_policy(settings))
        return await work(_Desk(owner_id, endpoints, WebhookDeliveries(pool), Projects(pool)))


async def _report(desk: _Desk, delivery_id: UUID) -> DeliveryReport:
    return DeliveryReport(
        delivery=await desk.deliveries.get(desk.owner_id, delivery_id),
        attempts=await desk.deliveries.attempts(desk.owner_id, delivery_id),
    )


def _show_secret(made: EndpointWithSecret, *, as_json: bool) -> int:
    if as_json:
        sys.stdout.write(made.model_dump_json(indent=2) + "\n")
    else:
        sys.stdout.write(
            f"endpoint {made.endpoint.id}\nsecret   {made.secret}\n"
            "Keep the secret with the receiver now: it is not shown again.\n"
        )
    return 0


def _show_report(report: DeliveryReport, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")
        return
    console = Console()
    delivery = report.delivery
    console.print(f"{delivery.event_type}, delivery {delivery.id}: {_coloured(delivery.status)}", highlight=False)
    console.print("; ".join(_story(delivery)), markup=False, highlight=False)
    if delivery.status is DeliveryStatus.WAITING:
        console.print("Nobody has begun to deliver it: is the dispatcher running, and Temporal?")
    if report.attempts:
        console.print(_attempt_table(report.attempts))


def _print_json(models: Iterable[Model]) -> None:
    sys.stdout.write("[" + ",\n".join(model.model_dump_json(indent=2) for model in models) + "]\n")


def _endpoint_table(endpoints: Iterable[WebhookEndpoint]) -> Table:
    table = Table(Column("endpoint", no_wrap=True), "state", "url", "events", "notice")
    for endpoint in endpoints:
        failing = f"failing since {_moment(endpoint.failing_since)}" if endpoint.failing_since else ""
        table.add_row(
            str(endpoint.id),
            _coloured(endpoint.status),
            escape(endpoint.url),
            "\n".join(endpoint.event_types),
            endpoint.disabled_notice or failing,
        )
    return table


def _delivery_table(found: Iterable[WebhookDelivery]) -> Table:
    table = Table(*(Column(name, no_wrap=True) for name in ("delivery", "event", "state")), "what happened")
    for delivery in found:
        state = _coloured(delivery.status)
        table.add_row(str(delivery.id), delivery.event_type, state, escape("\n".join(_story(delivery))))
    return table


def _story(delivery: WebhookDelivery) -> Iterable[str]:
    yield _moment(delivery.created_at)
    yield f"{delivery.attempts} attempt{'' if delivery.attempts == 1 else 's'}"
    if delivery.next_attempt_at is not None:
        yield f"next {_moment(delivery.next_attempt_at)}"
    if delivery.last_error is not None:
        yield delivery.last_error


def _attempt_table(made: Iterable[WebhookAttempt]) -> Table:
    table = Table("attempt", "at", "took", "status", "error", "answer begins")
    for attempt in made:
        took = "interrupted or under way" if attempt.duration_ms is None else f"{attempt.duration_ms} ms"
        status = "" if attempt.status_code is None else str(attempt.status_code)
        table.add_row(
            str(attempt.number),
            _moment(attempt.started_at),
            took,
            status,
            escape(attempt.error or ""),
            escape(printable(attempt.response or "").replace("\n", " ")),
        )
    return table


def _coloured(status: EndpointStatus | DeliveryStatus) -> str:
    return f"[{COLOURS[status]}]{status}[/]"


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"

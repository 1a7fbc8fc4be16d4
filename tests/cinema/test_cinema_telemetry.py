"""What an operator may ask of one process, and what leaves it in traces."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import Counter
from prometheus_client.parser import text_string_to_metric_families

from activities.identity import JOB_PREFIX
from cinema.settings import Settings
from cinema.stack.ports import port_of
from cinema.telemetry import descriptor
from cinema.telemetry.endpoint import watched
from cinema.telemetry.probes import Probes
from cinema.telemetry.tracing import ENDPOINTS, WithoutContent, start_tracing, tracing
from schemas.errors import TransientError
from stores.health import Check
from workflows.contract import direct_job_id

pytestmark = pytest.mark.unit

COUNTED = Counter("cinema_test", "Counted by a test.")


async def well() -> None:
    """A dependency that answers."""


async def away() -> None:
    raise TransientError.store("It is away.")


class Process:
    """What probes are asked about, to be changed while they are answered."""

    def __init__(self, **needs: Check) -> None:
        self.works = True
        self.stopping = asyncio.Event()
        self.probes = Probes(alive=lambda: self.works, needs=needs, stopping=self.stopping)


@asynccontextmanager
async def asked(process: Process, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the endpoint, on a socket handed in as the supervisor does it."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{port_of(listener)}"
    monkeypatch.setenv(descriptor.DESCRIPTOR, str(listener.detach()))
    async with watched(Settings(), process.probes), httpx.AsyncClient(base_url=url, timeout=60) as client:
        yield client


async def test_a_process_that_works_is_live_and_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asked(Process(postgres=well, temporal=well), monkeypatch) as client:
        assert (await client.get("/livez")).json() == {"status": "ok", "checks": {"work": "ok"}}
        ready = await client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["checks"] == {"postgres": "ok", "temporal": "ok", "work": "ok"}


async def test_without_a_dependency_it_is_live_and_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asked(Process(postgres=away, temporal=well), monkeypatch) as client:
        assert (await client.get("/livez")).status_code == 200
        ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["checks"] == {"postgres": "unavailable", "temporal": "ok", "work": "ok"}


async def test_while_it_drains_it_is_live_and_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process(postgres=well)
    async with asked(process, monkeypatch) as client:
        process.stopping.set()
        assert (await client.get("/livez")).status_code == 200
        ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["checks"]["work"] == "stopping"


async def test_a_process_whose_work_has_ended_is_not_live(monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process(postgres=well)
    async with asked(process, monkeypatch) as client:
        process.works = False
        assert (await client.get("/livez")).status_code == 503


async def test_its_metrics_are_prometheus_text(monkeypatch: pytest.MonkeyPatch) -> None:
    COUNTED.inc(2)
    async with asked(Process(), monkeypatch) as client:
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    assert [sample.value for sample in samples if sample.name == "cinema_test_total"] == [2]


def test_only_what_is_ours_leaves_in_a_span() -> None:
    sent = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(WithoutContent(sent)))
    address = "http://127.0.0.1/objects/wedding.mp4?signature=5ec2e7"
    attributes = {"http.url": address, "http.route": "/objects/{key}", "cinema.output": "o-1"}
    with (
        pytest.raises(TransientError),
        provider.get_tracer("test").start_as_current_span("GET /objects/{key}", attributes=attributes),
    ):
        raise TransientError.store("wedding.mp4 is no longer in the project.")
    (span,) = sent.get_finished_spans()
    assert span.attributes == {"http.route": "/objects/{key}", "cinema.output": "o-1"}
    assert not span.status.is_ok
    assert span.events[0].attributes == {"exception.type": "schemas.errors.TransientError"}
    assert "wedding" not in span.to_json()
    assert "5ec2e7" not in span.to_json()


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {ENDPOINTS[1]: "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"},
        {ENDPOINTS[1]: "http://127.0.0.1:9", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_nothing_is_traced_unless_somebody_receives_it(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name in ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    start_tracing("test")
    assert not tracing()


def test_the_job_of_a_workflow_is_told_from_its_id() -> None:
    job_id = uuid4()
    assert direct_job_id(job_id) == f"{JOB_PREFIX}{job_id}"

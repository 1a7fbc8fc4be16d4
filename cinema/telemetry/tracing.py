"""Traces, sent by OTLP over HTTP to the receiver that the standard ``OTEL_*`` variables name, and not made without one.

One trace holds all of a job: whoever makes it, the dispatcher, its workflow and each activity, wherever they run. The
outbox row carries it to the dispatcher; from there Temporal's own interceptor does (``workflows.plugin``).
"""

import os
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from uuid import UUID, uuid4

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, SpanKind, Status
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes

from cinema.exits import before_leaving

#: Either of these names a receiver (OpenTelemetry specification, OTLP exporter configuration).
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

#: What a span may tell, by the beginning of an attribute's name: ids, routes, codes and amounts, all of our own making.
#: Everything else stays here, as it may hold what a creator wrote or a signed address.
KEPT = (
    "cinema.",
    "temporal",
    "http.method",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "http.status_code",
    "error.type",
    "exception.type",
)

#: How long the end of a process may wait for a receiver that does not answer.
LAST_SECONDS = 3.0

_tracer = trace.get_tracer("cinema")


def start_tracing(service: str) -> None:
    """Have this process's spans exported as those of ``cinema-{service}``, if a receiver is named."""
    if not _wanted(os.environ):
        return
    provider = TracerProvider(resource=_resource(service))
    provider.add_span_processor(BatchSpanProcessor(WithoutContent(OTLPSpanExporter())))
    trace.set_tracer_provider(provider)
    before_leaving(lambda: _send_the_rest(provider))


def tracing() -> bool:
    """Whether spans of this process go anywhere."""
    return isinstance(trace.get_tracer_provider(), TracerProvider)


@contextmanager
def command_span(name: str) -> Iterator[Span]:
    """The span of a whole command: whatever it makes belongs to its trace."""
    with _tracer.start_as_current_span(name) as span:
        yield span


@contextmanager
def dispatch_span(job_id: UUID, traceparent: str | None) -> Iterator[Span]:
    """Go on with the trace of whoever made the job, or begin one where that was not traced."""
    carrier = {} if traceparent is None else {"traceparent": traceparent}
    with _tracer.start_as_current_span(
        "dispatch job",
        context=TraceContextTextMapPropagator().extract(carrier),
        kind=SpanKind.CONSUMER,
        attributes={"cinema.job": str(job_id)},
    ) as span:
        yield span


def _send_the_rest(provider: TracerProvider) -> None:
    sending = threading.Thread(target=provider.shutdown, daemon=True)
    sending.start()
    sending.join(LAST_SECONDS)


def _wanted(environment: Mapping[str, str]) -> bool:
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if environment.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp":
        return False
    return any(environment.get(name) for name in ENDPOINTS)


def _resource(service: str) -> Resource:
    """Who sends: one name per kind of process unless ``OTEL_SERVICE_NAME`` gives another, and one id per process."""
    return Resource.create(
        {
            "service.name": os.environ.get("OTEL_SERVICE_NAME") or f"cinema-{service}",
            "service.namespace": "cinema",
            "service.version": version("cinema-ai"),
            "service.instance.id": str(uuid4()),
            "host.name": socket.gethostname(),
            "process.pid": os.getpid(),
        }
    )


class WithoutContent(SpanExporter):
    """The last gate: whatever made a span, only what is ``KEPT`` leaves, and no sentence of an error.

    Messages of errors name creators' files, and addresses of requests carry signatures.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([_without_content(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _without_content(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_kept(span.attributes),
        events=[Event(event.name, _kept(event.attributes), event.timestamp) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _kept(attributes: Attributes) -> Attributes:
    return {name: value for name, value in (attributes or {}).items() if name.startswith(KEPT)}

"""The current trace in the form in which it is kept with a row."""

from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_TRACEPARENT = "traceparent"


def current_traceparent() -> str | None:
    """The W3C ``traceparent`` of the span that runs now, or ``None`` where nothing is traced."""
    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get(_TRACEPARENT)

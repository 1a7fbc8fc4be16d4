"""Structured logs on standard error: one JSON object per line, or lines for a person on a terminal.

Everything that logs through the standard library (Temporal's SDK, uvicorn, asyncpg) takes the same road. Ids bound with
``structlog.contextvars`` (workflow, job, output, attempt) are on every line written while they are bound.
"""

import logging
import sys

import structlog
from opentelemetry import trace
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

from activities.identity import job_of
from cinema.settings import Environment, LogFormat, Settings

#: These say at INFO what concerns nobody: one line per HTTP request, per poll.
QUIETER = ("httpx", "httpcore", "uvicorn.access", "temporalio.worker._activity")

#: What libraries add to a line for their own purposes.
NOISE = ("color_message", "__temporal_error_identifier")

#: Temporal's names for the ids on its lines, and ours.
TEMPORAL_IDS = {"workflow_id": "workflow", "activity_type": "activity", "attempt": "activity_attempt"}

#: Frames of a traceback that are kept, from both ends.
MOST_FRAMES = 20


def configure_logs(settings: Settings, *, service: str) -> None:
    """Set up logging for this process; ``service`` is its name on each line."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _Dress(service),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderer(log_format(settings))],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for name in QUIETER:
        logging.getLogger(name).setLevel(logging.WARNING)


def log_format(settings: Settings) -> LogFormat:
    """The format asked for, or the one that suits who reads."""
    if settings.log_format is not None:
        return settings.log_format
    for_people = settings.environment is Environment.DEVELOPMENT and sys.stderr.isatty()
    return LogFormat.CONSOLE if for_people else LogFormat.JSON


def _renderer(chosen: LogFormat) -> list[Processor]:
    if chosen is LogFormat.CONSOLE:
        return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    # Local variables are left out: they may be anything, secrets included.
    tracebacks = ExceptionDictTransformer(show_locals=False, max_frames=MOST_FRAMES)
    return [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer(default=str)]


class _Dress:
    """Puts service, trace and the ids that Temporal's lines carry on a line; takes off what is for terminals."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("service", self._service)
        for name in NOISE:
            event.pop(name, None)
        temporal = {**event.pop("temporal_workflow", {}), **event.pop("temporal_activity", {})}
        for theirs, ours in TEMPORAL_IDS.items():
            if theirs in temporal:
                event.setdefault(ours, temporal[theirs])
        if (job := job_of(str(event.get("workflow", "")))) is not None:
            event.setdefault("job", job)
        event.update(_trace_ids())
        return event


def _trace_ids() -> dict[str, str]:
    """The span that runs now, in the hexadecimal form in which every trace viewer looks it up."""
    current = trace.get_current_span().get_span_context()
    if not current.is_valid:
        return {}
    return {"trace_id": trace.format_trace_id(current.trace_id), "span_id": trace.format_span_id(current.span_id)}

"""Which job, output and attempt a piece of work is of: said on every log line and on the span of the work."""

from opentelemetry import trace
from structlog.contextvars import bind_contextvars

#: What comes before the job's id in the id of its workflow (``workflows.contract.direct_job_id``).
JOB_PREFIX = "job-"


def identify(**ids: str | int) -> None:
    """Bind ids to whatever is logged from here on in this task, and put them on the span that runs, as ``cinema.*``."""
    bind_contextvars(**ids)
    trace.get_current_span().set_attributes({f"cinema.{name}": value for name, value in ids.items()})


def job_of(workflow_id: str) -> str | None:
    """The id of the job whose workflow this is; ``None`` for other workflows."""
    return workflow_id.removeprefix(JOB_PREFIX) if workflow_id.startswith(JOB_PREFIX) else None

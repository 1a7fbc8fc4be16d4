"""Log lines, ours and the libraries', are JSON with the ids that are bound."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider

from cinema.logs import configure_logs, log_format
from cinema.settings import Environment, LogFormat, Settings

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _untouched_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_both_roads_carry_bound_ids(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_format=LogFormat.JSON), service="worker-render")
    with structlog.contextvars.bound_contextvars(job="j-1", output="o-1", attempt=2):
        structlog.get_logger("ours").info("rendering", frames=10)
        logging.getLogger("theirs").warning("watch %s", "out")
    ours, theirs = lines(capsys)
    assert ours["event"] == "rendering"
    assert ours["frames"] == 10
    assert theirs["event"] == "watch out"
    for line in (ours, theirs):
        assert (line["job"], line["output"], line["attempt"]) == ("j-1", "o-1", 2)
        assert line["service"] == "worker-render"
        assert str(line["timestamp"]).endswith("Z")


def test_temporal_ids_become_ours(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_format=LogFormat.JSON), service="worker-jobs")
    extra = {"temporal_activity": {"workflow_id": "job-7", "activity_type": "plan_output", "attempt": 3}}
    logging.getLogger("temporalio.activity").warning("failed", extra=extra)
    (line,) = lines(capsys)
    assert (line["workflow"], line["activity"], line["activity_attempt"]) == ("job-7", "plan_output", 3)
    assert line["job"] == "7"


def test_a_line_of_a_workflow_names_its_job(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_format=LogFormat.JSON), service="worker-jobs")
    extra = {"temporal_workflow": {"workflow_id": "job-7", "workflow_type": "DirectJob", "attempt": 1}}
    logging.getLogger("temporalio.workflow").warning("planning", extra=extra)
    (line,) = lines(capsys)
    assert (line["workflow"], line["job"]) == ("job-7", "7")


def test_a_line_within_a_span_names_its_trace(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_format=LogFormat.JSON), service="worker-jobs")
    with TracerProvider().get_tracer("test").start_as_current_span("work") as span:
        structlog.get_logger("ours").info("inside")
    structlog.get_logger("ours").info("outside")
    inside, outside = lines(capsys)
    context = span.get_span_context()
    assert (inside["trace_id"], inside["span_id"]) == (f"{context.trace_id:032x}", f"{context.span_id:016x}")
    assert "trace_id" not in outside


def test_tracebacks_tell_no_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_format=LogFormat.JSON), service="api")

    def fail() -> None:
        password = "hunter2"
        raise ValueError(len(password))

    try:
        fail()
    except ValueError:
        logging.getLogger("theirs").exception("it failed")
    written = capsys.readouterr().err
    assert "ValueError" in written
    assert "hunter2" not in written.replace('password = "hunter2"', "")


def test_production_is_json_wherever_it_is_read() -> None:
    assert log_format(Settings(environment=Environment.PRODUCTION)) is LogFormat.JSON

"""What an operator sees of a real job on a real stack: one trace, the metrics of every part, and who is well."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from demo.small import make_small_talk, write_variation
from tests.system.conftest import Stack
from tests.system.otlp_receiver import ReceivedSpan, Receiver

pytestmark = [pytest.mark.system, pytest.mark.timeout(1800)]

#: What no operator's tool gets to know.
FILE_NAME, TITLE = "wedding-of-ada.mp4", "Ada says yes"

#: Where a job's trace begins, and what its parts tell last.
ROOT = "cinema direct"
ENDS = {ROOT, "RunActivity:render_output", "RunActivity:settle_job", "CompleteWorkflow:DirectJob"}

Labels = dict[str, str]


def until(condition: Callable[[], object], what: str, seconds: float = 1500) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def job(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A job with one output that cannot be made, whose workflow has to be replayed by another worker midway."""
    folder = tmp_path_factory.mktemp("watching")
    make_small_talk(folder / "talk.mp4")
    # Of its own, so that no video of another test's is there.
    write_variation(folder / "talk.mp4", folder / FILE_NAME, b"watched")
    variants = "hook_cut,vertical_reel,short_highlight"
    seen = len(stack.traces.named("StartActivity:render_output"))
    worker = stack.pid_of("worker-jobs")
    order = ("--title", TITLE, "--outputs", variants, "-o", folder / "out", "--json")
    with stack.started("direct", folder / FILE_NAME, *order) as process:
        until(lambda: len(stack.traces.named("StartActivity:render_output")) > seen, "rendering begins")
        os.kill(worker, signal.SIGTERM)
        out, err = process.communicate(timeout=1500)
    assert process.returncode == 3, err
    report: dict[str, Any] = json.loads(out)
    return report


@pytest.fixture(scope="module")
def trace(job: dict[str, Any], traces: Receiver) -> list[ReceivedSpan]:
    """All spans of the job's trace, once none of them is still on its way."""

    def ended() -> list[ReceivedSpan]:
        workflow = f"job-{job['job_id']}"
        named = traces.named("CompleteWorkflow:DirectJob")
        return [span for span in named if span.attributes["temporalWorkflowID"] == workflow]

    until(ended, "the workflow's end is traced")
    (end,) = ended()

    def arrived() -> list[ReceivedSpan]:
        return [span for span in traces.spans if span.trace_id == end.trace_id]

    def is_whole() -> bool:
        ids, names = {span.span_id for span in arrived()}, {span.name for span in arrived()}
        return names >= ENDS and all(span.parent_id in ids for span in arrived() if span.name != ROOT)

    until(is_whole, "every part has told of its work", seconds=300)
    return arrived()


def test_one_trace_connects_the_command_with_every_piece_of_work(
    job: dict[str, Any], trace: list[ReceivedSpan]
) -> None:
    parents = {span.span_id: span.parent_id for span in trace}
    (root,) = (span for span in trace if not span.parent_id)
    assert (root.name, root.service) == (ROOT, "cinema-direct")
    assert all(span.parent_id in parents for span in trace if span is not root)
    assert {span.service for span in trace} == {
        f"cinema-{part}" for part in ("direct", "dispatcher", "worker-jobs", "worker-analysis", "worker-render")
    }
    done = {span.name.removeprefix("RunActivity:") for span in trace if span.name.startswith("RunActivity:")}
    assert {"load_job", "probe_asset", "analyse_pass", "plan_output", "render_output", "settle_job"} <= done
    assert {span.attributes["cinema.job"] for span in trace if "cinema.job" in span.attributes} == {job["job_id"]}


def test_the_work_in_child_processes_is_part_of_it(job: dict[str, Any], trace: list[ReceivedSpan]) -> None:
    renders = {span.span_id: span for span in trace if span.name == "RunActivity:render_output"}
    children = [span for span in trace if span.name == "child activities.render_child"]
    completed = {output["id"] for output in job["outputs"] if output["status"] == "completed"}
    assert {renders[child.parent_id].attributes["cinema.output"] for child in children} == completed
    assert {render.attributes["cinema.attempt"] for render in renders.values()} >= {"1"}
    for child in children:
        assert float(child.attributes["cinema.child.cpu_seconds"]) > 0
        assert int(child.attributes["cinema.child.written_bytes"]) > 0


def test_a_replay_adds_nothing_to_the_trace(trace: list[ReceivedSpan]) -> None:
    assert Counter(span.name for span in trace)["RunWorkflow:DirectJob"] == 1
    assert len({span.span_id for span in trace}) == len(trace)
    began = Counter(span.name.removeprefix("StartActivity:") for span in trace if span.name.startswith("StartAct"))
    assert began["render_output"] == 2
    assert began["settle_job"] == 1


def test_no_word_of_the_creator_is_in_it(trace: list[ReceivedSpan]) -> None:
    said = "\n".join(span.text for span in trace)
    assert FILE_NAME not in said
    assert TITLE not in said


def test_log_lines_lead_to_the_trace(stack: Stack, trace: list[ReceivedSpan]) -> None:
    lines = [json.loads(line) for line in (stack.home / "logs" / "dispatcher.log").read_text().splitlines()]
    started = [line for line in lines if line["event"] == "workflow started"]
    assert trace[0].trace_id in {line["trace_id"] for line in started}


def scraped(stack: Stack) -> dict[str, list[tuple[Labels, float]]]:
    """All samples of all parts by name, found where Prometheus finds them."""
    found: dict[str, list[tuple[Labels, float]]] = {}
    for group in json.loads((stack.home / "prometheus-targets.json").read_text()):
        (target,) = group["targets"]
        exposition = httpx.get(f"http://{target}/metrics", timeout=60).raise_for_status().text
        for family in text_string_to_metric_families(exposition):
            for sample in family.samples:
                found.setdefault(sample.name, []).append(({**sample.labels, **group["labels"]}, sample.value))
    return found


@pytest.mark.usefixtures("job")
def test_metrics_tell_what_was_done(stack: Stack) -> None:
    found = scraped(stack)

    def total(name: str, **labels: str) -> float:
        return sum(value for has, value in found[name] if labels.items() <= has.items())

    assert total("cinema_renders_total", variant="vertical_reel", service="worker-render") >= 1
    assert total("cinema_render_speed_ratio_count", variant="hook_cut") >= 1
    assert total("cinema_render_stage_seconds_total", variant="hook_cut", stage="encode") > 0
    assert total("cinema_artifacts_total", analyzer="transcript") >= 1
    assert total("cinema_activity_duration_seconds_count", activity="settle_job", outcome="ok") >= 1
    assert total("cinema_child_cpu_seconds_total", module="activities.render_child") > 0
    assert total("cinema_jobs_settled_total", status="partial") >= 1
    assert total("cinema_outbox_waiting", service="dispatcher") == 0
    assert total("cinema_queue_pollers", queue="cinema-render", kind="activity") >= 1
    assert total("cinema_workload_source_up") == 2
    assert total("cinema_database_connections_max", service="api") > 0
    assert total("cinema_disk_free_bytes", folder="objects", service="worker-render") > 0
    assert total("temporal_activity_schedule_to_start_latency_seconds_count", task_queue="cinema-render") >= 1
    assert total("temporal_worker_task_slots_available", task_queue="cinema-render", worker_type="ActivityWorker") >= 1
    assert {has["service"] for has, _ in found["cinema_build_info"]} >= {"api", "dispatcher", "worker-render"}


def test_every_part_of_ours_is_well(stack: Stack) -> None:
    for name in ("api", "dispatcher", "worker-jobs", "worker-analysis", "worker-render"):
        until(lambda name=name: stack.part(name)["health"] == {"live": True, "missing": []}, f"{name} is well")


def test_a_worker_that_hangs_is_not_live_although_it_runs(stack: Stack) -> None:
    pid = stack.pid_of("worker-render")
    os.kill(pid, signal.SIGSTOP)
    try:
        hanging = stack.part("worker-render")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert (hanging["state"], hanging["health"]["live"]) == ("ready", False)
    until(lambda: stack.part("worker-render")["health"]["live"], "it is live again")
    assert stack.pid_of("worker-render") == pid


def test_without_temporal_every_part_lives_and_says_what_it_misses(stack: Stack) -> None:
    pid = stack.pid_of("temporal")
    os.kill(pid, signal.SIGSTOP)
    try:
        health = stack.part("worker-analysis")["health"]
    finally:
        os.kill(pid, signal.SIGCONT)
    assert health == {"live": True, "missing": ["temporal"]}
    until(lambda: stack.part("worker-analysis")["health"]["missing"] == [], "it is ready again")

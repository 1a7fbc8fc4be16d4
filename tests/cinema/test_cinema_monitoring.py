"""Dashboard and alerts ask for nothing that no process tells, and every alert is explained to whoever is on call."""

import json
import re
import shutil
import subprocess
import urllib.request
from datetime import timedelta
from typing import Any
from uuid import uuid4

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import activities.metrics
import api.edge.auditing  # noqa: F401 (declares what the API tells)
import cinema.telemetry.workload  # noqa: F401 (declares what dispatchers tell)
from cinema.telemetry.metrics import BuildInfo, DiskMetrics, PoolMetrics, register
from cinema.telemetry.temporal_runtime import measured_runtime
from schemas.errors import OF_MATERIAL, ErrorCode
from stores import Pool
from tests.cinema.conftest import RestartableTemporal
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.temporal

DASHBOARD = REPOSITORY / "deploy" / "grafana" / "cinema.json"
PROMETHEUS = REPOSITORY / "deploy" / "prometheus"
RUNBOOK = REPOSITORY / "docs" / "operating.md"

#: What Prometheus itself adds to each scrape.
OF_PROMETHEUS = {"up"}

#: What Grafana puts into a query.
GRAFANA_VARIABLES = {"$__rate_interval": "5m"}


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def queries() -> list[str]:
    """Every query of the dashboard and every condition of an alert, as Prometheus gets it."""
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    asked = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    for name, value in GRAFANA_VARIABLES.items():
        asked = [query.replace(name, value) for query in asked]
    return asked + [rule["expr"] for rule in rules()]


def selectors(query: str) -> list[promql_parser.VectorSelector]:
    """What a query reads; fails where it is no query."""
    found: list[promql_parser.VectorSelector] = []

    def visit(node: promql_parser.Expr) -> None:
        match node:
            case promql_parser.VectorSelector():
                found.append(node)
            case promql_parser.MatrixSelector():
                found.append(node.vector_selector)

    promql_parser.walk(promql_parser.parse(query), visit)
    return found


def told(exposition: str) -> set[str]:
    """The names under which Prometheus keeps what is told, whether or not anything has happened yet."""
    names: set[str] = set()
    for family in text_string_to_metric_families(exposition):
        match family.type:
            case "counter":
                names.add(f"{family.name}_total")
            case "histogram":
                names |= {f"{family.name}_{part}" for part in ("bucket", "sum", "count")}
            case "info":
                names.add(f"{family.name}_info")
            case _:
                names.add(family.name)
    return names


@activity.defn(name="work")
async def work() -> None:
    """Something to measure."""


@workflow.defn(name="Clumsy")
class Clumsy:
    """Its first task fails as a defect in workflow code does."""

    clumsy = True

    @workflow.run
    async def run(self) -> None:
        if Clumsy.clumsy:
            Clumsy.clumsy = False
            raise ValueError("a defect")
        await workflow.execute_activity(work, start_to_close_timeout=timedelta(seconds=30))


@pytest.fixture(scope="module")
async def of_temporal(temporal_server: RestartableTemporal) -> set[str]:
    """What Temporal's SDK really tells after a workflow with a failure and a request that was refused."""
    runtime, address = measured_runtime()
    client = await Client.connect(temporal_server.address, runtime=runtime)
    queue = f"monitoring-{uuid4()}"
    worker = Worker(
        client, task_queue=queue, workflows=[Clumsy], activities=[work], workflow_runner=UnsandboxedWorkflowRunner()
    )
    async with worker:
        await client.execute_workflow(Clumsy.run, id=queue, task_queue=queue)
        with pytest.raises(RPCError):
            await client.get_workflow_handle("nobody-started-it").describe()
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=60) as answer:
            return told(answer.read().decode())


@pytest.fixture
def of_ours(pool: Pool) -> set[str]:
    registry = CollectorRegistry()
    register(PoolMetrics(pool), DiskMetrics({"scratch": REPOSITORY}), BuildInfo("test"), registry=registry)
    return told(generate_latest(REGISTRY).decode()) | told(generate_latest(registry).decode())


def test_every_query_reads_what_some_process_tells(of_temporal: set[str], of_ours: set[str]) -> None:
    read = {selector.name for query in queries() for selector in selectors(query)}
    assert read - of_temporal - of_ours == OF_PROMETHEUS
    assert len(read) > 20


def test_nothing_is_labelled_with_what_grows_without_end() -> None:
    labels = {label for metric in vars(activities.metrics).values() for label in getattr(metric, "_labelnames", ())}
    few = {"activity", "analyzer", "code", "module", "outcome", "part", "result", "stage", "status", "variant"}
    assert labels == few, "a part is a sound or a segment"


def test_every_alert_is_whole_and_explained(subtests: pytest.Subtests) -> None:
    explained = RUNBOOK.read_text(encoding="utf-8")
    for rule in rules():
        with subtests.test(rule["alert"]):
            assert rule["labels"]["severity"] in {"critical", "warning"}
            assert set(rule["annotations"]) == {"summary", "description"}
            assert f"| `{rule['alert']}` |" in explained


def test_alerts_on_failures_leave_out_what_is_wrong_with_material() -> None:
    matchers = {
        matcher.value
        for rule in rules()
        for selector in selectors(rule["expr"])
        for matcher in selector.matchers.matchers
        if matcher.name == "code"
    }
    (of_material,) = matchers
    assert {code for code in ErrorCode if re.fullmatch(of_material, code)} == OF_MATERIAL


def test_promtool_agrees() -> None:
    """Prometheus's own tool, where it is installed, checks the files and plays every alert's story."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (apt-get install prometheus)")
    for command in (("check", "rules", "alerts.yml"), ("test", "rules", "alerts.test.yml")):
        done = subprocess.run(
            [promtool, *command], cwd=PROMETHEUS, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

"""Workflows that ran with earlier code go on with this one: every recorded history is replayed."""

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from cinema.hosting import WORKFLOWS
from tests.workflows.histories import FOLDER
from workflows.plugin import cinema_plugin

pytestmark = pytest.mark.temporal

RECORDED = sorted(FOLDER.glob("*/*.json"))


def replayer() -> Replayer:
    return Replayer(workflows=WORKFLOWS, plugins=[cinema_plugin()])


def history(recorded: str) -> WorkflowHistory:
    started = json.loads(recorded)["events"][0]["workflowExecutionStartedEventAttributes"]
    return WorkflowHistory.from_json(started["workflowId"], recorded)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}-{path.stem}")
async def test_a_recorded_history_is_replayed(path: Path) -> None:
    await replayer().replay_workflow(history(path.read_text(encoding="utf-8")))


async def test_a_history_that_the_code_cannot_have_made_is_noticed() -> None:
    path = next(path for path in RECORDED if path.stem.startswith("completed"))
    other = path.read_text(encoding="utf-8").replace('"probe_asset"', '"measure_asset"')
    with pytest.raises(NondeterminismError):
        await replayer().replay_workflow(history(other))

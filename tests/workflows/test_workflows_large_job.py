"""What a very large job leaves in Temporal: little, in however many runs, and steered in each of them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory
from temporalio.testing import WorkflowEnvironment

from schemas.edl import Variant
from schemas.jobs import MOST_OUTPUTS, JobStatus, OutputStatus
from tests.conftest import TEMPORAL
from tests.workflows.large_job import ANALYZERS, FILES, SEGMENTS, LargeJob
from tests.workflows.test_workflows_control import rows, start, until, working
from workflows.contract import SEARCH_ATTRIBUTES, DirectJobResult, direct_job_id
from workflows.limits import PIECES_AT_ONCE
from workflows.plugin import cinema_plugin

pytestmark = pytest.mark.temporal

#: Events after which this server suggests a new history: less than the footage takes to analyse.
SUGGESTED_AT = 600
#: What one run may take: Temporal warns at five times of both, and refuses at five times of that again.
MOST_EVENTS, MOST_BYTES = 2_000, 2 << 20

REEL, SHORTS = Variant.VERTICAL_REEL, 10

SCHEDULED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
ENDED = {
    EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
    EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED,
}


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[Client]:
    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(TEMPORAL),
        search_attributes=SEARCH_ATTRIBUTES,
        plugins=[cinema_plugin()],
        dev_server_extra_args=["--dynamic-config-value", f"limit.historyCount.suggestContinueAsNew={SUGGESTED_AT}"],
    )
    async with environment:
        yield environment.client


@dataclass(frozen=True)
class Run:
    """One run of a workflow, as its server keeps it."""

    history: WorkflowHistory
    size_bytes: int

    @property
    def most_at_once(self) -> int:
        """Activities that were scheduled and had not ended, at the most."""
        open_now = most = 0
        for event in self.history.events:
            open_now += (event.event_type == SCHEDULED) - (event.event_type in ENDED)
            most = max(most, open_now)
        return most


async def runs_of(client: Client, large: LargeJob, first_run: str | None) -> list[Run]:
    """All runs of a job's workflow, each one begun by the one before."""
    runs, run_id = [], first_run
    while run_id:
        handle = client.get_workflow_handle(direct_job_id(large.job_id), run_id=run_id)
        history, described = await handle.fetch_history(), await handle.describe()
        runs.append(Run(history, described.raw_description.workflow_execution_info.history_size_bytes))
        last = history.events[-1]
        run_id = last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return runs


async def test_ten_hours_and_twenty_outputs_take_little_history_and_are_steered_through_new_ones(
    client: Client,
) -> None:
    large = LargeJob(held={REEL}, held_parts={SEGMENTS})
    async with working(client, large, render_slots=MOST_OUTPUTS) as jobs:
        handle = await start(client, large)
        await until(lambda: large.statuses_now.count(OutputStatus.COMPLETED) == SHORTS)
        large.held.clear()
        await until(lambda: large.calls[f"part {SEGMENTS}"] == 1)
        assert (await handle.describe()).run_id != handle.first_execution_run_id, "a new history has begun"

        await jobs.cancel_outputs(large.job_id, [large.full])
        settled = await client.get_workflow_handle(handle.id, result_type=DirectJobResult).result()
        assert settled.status is JobStatus.PARTIAL
        assert all(large.calls[analyzer] == FILES for analyzer in ("probe", *ANALYZERS)), "what is known is handed on"
        assert settled.artifacts.computed + settled.artifacts.reused == FILES * (1 + len(ANALYZERS))
        runs = await runs_of(client, large, handle.first_execution_run_id)

        large.held_parts.clear()
        assert (await jobs.retry(*rows(large))).outputs == (large.full,)
        again = client.get_workflow_handle(handle.id, result_type=DirectJobResult)
        assert (await again.result()).status is JobStatus.COMPLETED
        runs += await runs_of(client, large, (await again.describe()).run_id)
    assert [large.calls[f"part {number}"] for number in range(SEGMENTS + 1)] == [*[1] * SEGMENTS, 2]
    assert sum(count for name, count in large.calls.items() if name.startswith("render")) == MOST_OUTPUTS - 1

    assert len(runs) > 2
    assert max(len(run.history.events) for run in runs) < MOST_EVENTS
    assert max(run.size_bytes for run in runs) < MOST_BYTES
    assert max(run.most_at_once for run in runs) <= PIECES_AT_ONCE

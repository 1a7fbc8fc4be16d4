"""Steering a job on a real server: each order does what it says, once, and touches nothing else."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import EventType, IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.declarations import (
    FIND_QUEUED_WORK,
    RENDER_OUTPUT,
    Nothing,
    QueuedWork,
    RenderedOutput,
    RenderOutput,
    TaskQueue,
)
from activities.interception import application_error
from activities.queued_work import find_queued_work
from schemas.control import JobState
from schemas.edl import Variant
from schemas.errors import CinemaError, ErrorCode, TransientError
from schemas.jobs import (
    ApprovalDefault,
    ApprovalPolicy,
    ArtifactCounts,
    Job,
    JobRequest,
    JobStatus,
    OutputStatus,
    Project,
)
from tests.conftest import TEMPORAL
from tests.workflows.stand_ins import StandIns
from workflows.contract import (
    CANCEL_OUTPUTS,
    DIRECT_JOB,
    JOB_STATUS,
    SEARCH_ATTRIBUTES,
    DirectJobInput,
    DirectJobResult,
    direct_job_id,
)
from workflows.direct_job import DirectJob
from workflows.job_client import JobClient
from workflows.plugin import cinema_plugin

pytestmark = pytest.mark.temporal

HOOK, REEL, SHORT = Variant.HOOK_CUT, Variant.VERTICAL_REEL, Variant.SHORT_HIGHLIGHT

#: Makes Temporal suggest a new history after so many events.
SHORT_HISTORY = 600


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[Client]:
    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(TEMPORAL),
        search_attributes=SEARCH_ATTRIBUTES,
        plugins=[cinema_plugin()],
        dev_server_extra_args=["--dynamic-config-value", f"limit.historyCount.suggestContinueAsNew={SHORT_HISTORY}"],
    )
    async with environment:
        yield environment.client


@asynccontextmanager
async def working(client: Client, stand_ins: StandIns, *, render_slots: int = 10) -> AsyncIterator[JobClient]:
    """Workers for one job, and the means to steer it."""
    async with AsyncExitStack() as stack:
        for queue in TaskQueue:
            worker = Worker(
                client,
                task_queue=queue,
                activities=stand_ins.activities(),
                workflows=[DirectJob] if queue is TaskQueue.JOBS else [],
                max_concurrent_activities=render_slots if queue is TaskQueue.RENDER else 10,
            )
            await stack.enter_async_context(worker)
        yield JobClient(client)


async def start(client: Client, stand_ins: StandIns) -> WorkflowHandle[DirectJob, DirectJobResult]:
    return await client.start_workflow(
        DIRECT_JOB,
        DirectJobInput(job_id=stand_ins.job_id),
        id=direct_job_id(stand_ins.job_id),
        task_queue=TaskQueue.JOBS,
        result_type=DirectJobResult,
    )


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not condition():
            await asyncio.sleep(0.02)


async def until_state(jobs: JobClient, stand_ins: StandIns, condition: Callable[[JobState], bool]) -> JobState:
    async with asyncio.timeout(120):
        while True:
            state = await jobs.state(stand_ins.job_id)
            if condition(state):
                return state
            await asyncio.sleep(0.05)


async def scheduled(handle: WorkflowHandle[DirectJob, DirectJobResult]) -> Counter[str]:
    """The activities of a run by the id that tells what each worked on."""
    history = await handle.fetch_history()
    return Counter(
        event.activity_task_scheduled_event_attributes.activity_id.rstrip("0123456789")
        or event.activity_task_scheduled_event_attributes.activity_type.name
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    )


def rows(stand_ins: StandIns) -> tuple[Job, Project]:
    """What a client that reads the database has in hand."""
    now, owner = datetime.now(UTC), uuid4()
    project = Project(id=uuid4(), owner_id=owner, name="Kitchen talk", created_at=now)
    job = Job(
        id=stand_ins.job_id,
        owner_id=owner,
        project_id=project.id,
        status=stand_ins.status,
        request=stand_ins.request,
        artifacts=ArtifactCounts(),
        outputs=(),
        created_at=now,
        updated_at=now,
    )
    return job, project


def state_of(state: JobState, variant: Variant) -> OutputStatus:
    return next((output.status for output in state.outputs if output.variant is variant), OutputStatus.QUEUED)


async def test_a_failed_output_is_made_again_while_its_sibling_renders(client: Client) -> None:
    stand_ins = StandIns(unrenderable=frozenset({HOOK}), held={REEL})
    async with working(client, stand_ins) as jobs:
        handle = await start(client, stand_ins)
        await until_state(jobs, stand_ins, lambda state: state_of(state, HOOK) is OutputStatus.FAILED)
        stand_ins.unrenderable = frozenset()
        steered = await jobs.retry(*rows(stand_ins))
        assert steered.outputs == (stand_ins.id_of(HOOK),)
        await until(lambda: stand_ins.statuses[HOOK] is OutputStatus.COMPLETED)
        assert (await jobs.state(stand_ins.job_id)).status is JobStatus.RENDERING
        stand_ins.held.clear()
        settled = await handle.result()
    assert settled.status is JobStatus.COMPLETED
    made = await scheduled(handle)
    assert (made["render-hook_cut"], made["plan-hook_cut"], made["render-vertical_reel"]) == (2, 1, 1)
    assert stand_ins.calls["probe"] == len(stand_ins.assets), "nothing was analysed again"


async def test_a_closed_job_is_reopened_and_nothing_that_succeeded_is_made_again(client: Client) -> None:
    stand_ins = StandIns(unrenderable=frozenset({HOOK}), unplannable=frozenset({SHORT}))
    async with working(client, stand_ins) as jobs:
        handle = await start(client, stand_ins)
        assert (await handle.result()).status is JobStatus.PARTIAL
        stand_ins.unrenderable = frozenset()
        before = stand_ins.calls.copy()
        await jobs.retry(*rows(stand_ins), [stand_ins.id_of(HOOK)], order_id="one")
        settled = await client.get_workflow_handle(handle.id, result_type=DirectJobResult).result()
        assert settled.status is JobStatus.PARTIAL
        assert stand_ins.statuses[HOOK] is OutputStatus.COMPLETED
        made = stand_ins.calls - before
        assert {name for name in made if name.startswith(("plan", "render"))} == {"plan", "render hook_cut"}
        assert (made["plan"], made["render hook_cut"]) == (1, 1)

        closed = stand_ins.calls.copy()
        again = await jobs.retry(*rows(stand_ins), [stand_ins.id_of(HOOK)], order_id="one")
        assert again.outputs == (stand_ins.id_of(HOOK),)
        await client.get_workflow_handle(handle.id).result()
        assert stand_ins.calls == closed, "the same order does nothing a second time"
        with pytest.raises(CinemaError, match="another order") as used:
            await jobs.retry(*rows(stand_ins), [stand_ins.id_of(REEL)], order_id="one")
        assert used.value.code is ErrorCode.CONFLICT
    described = await client.get_workflow_handle(handle.id).describe()
    assert described.typed_search_attributes[JOB_STATUS] == "partial"
    assert await described.static_summary() is not None


@pytest.mark.parametrize("late_by_s", [0.0, 0.02, 0.04])
async def test_a_retry_that_comes_as_the_job_closes_is_carried_out_once(client: Client, late_by_s: float) -> None:
    stand_ins = StandIns(unrenderable=frozenset({HOOK}))
    async with working(client, stand_ins) as jobs:
        handle = await start(client, stand_ins)
        await until(lambda: stand_ins.outcome is not None)
        stand_ins.unrenderable = frozenset()
        await asyncio.sleep(late_by_s)
        await jobs.retry(*rows(stand_ins))
        settled = await client.get_workflow_handle(handle.id, result_type=DirectJobResult).result()
    assert settled.status is JobStatus.COMPLETED
    assert stand_ins.calls["render hook_cut"] == 2


async def test_a_retry_counts_what_the_job_needed_once(client: Client) -> None:
    stand_ins = StandIns(unrenderable=frozenset({HOOK}))
    async with working(client, stand_ins) as jobs:
        first = await (await start(client, stand_ins)).result()
        stand_ins.unrenderable = frozenset()
        await jobs.retry(*rows(stand_ins))
        again = await client.get_workflow_handle(direct_job_id(stand_ins.job_id), result_type=DirectJobResult).result()
    assert again.artifacts == first.artifacts


async def test_what_cannot_be_retried_is_refused_with_a_reason(client: Client) -> None:
    stand_ins = StandIns(held={REEL})
    async with working(client, stand_ins) as jobs:
        handle = await start(client, stand_ins)
        await until_state(jobs, stand_ins, lambda state: state_of(state, HOOK) is OutputStatus.COMPLETED)
        stranger = uuid4()
        for wanted, reason, code in (
            ([stand_ins.id_of(HOOK)], "outputs: hook_cut is completed", ErrorCode.INVALID_TRANSITION),
            ([stand_ins.id_of(REEL)], "outputs: vertical_reel is rendering", ErrorCode.INVALID_TRANSITION),
            ([stranger], f"outputs: this job has no output {stranger}", ErrorCode.NOT_FOUND),
            ([], "nothing to make again", ErrorCode.INVALID_TRANSITION),
        ):
            with pytest.raises(CinemaError, match=reason) as refused:
                await jobs.retry(*rows(stand_ins), wanted)
            assert refused.value.code is code
        with pytest.raises(CinemaError, match="outputs: hook_cut is completed"):
            await jobs.cancel_outputs(stand_ins.job_id, [stand_ins.id_of(HOOK)])
        with pytest.raises(CinemaError, match="Nothing of this job awaits approval"):
            await jobs.approve(stand_ins.job_id)
        history = await handle.fetch_history()
        accepted = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
        assert accepted not in {event.event_type for event in history.events}, "a rejected order leaves no trace"
        stand_ins.held.clear()
        assert (await handle.result()).status is JobStatus.COMPLETED


async def test_an_order_that_makes_no_sense_is_refused_with_the_field_named(client: Client) -> None:
    stand_ins = StandIns(held={REEL})
    async with working(client, stand_ins):
        handle = await start(client, stand_ins)
        await stand_ins.rendering.wait()
        for argument in ({"outputs": ["the reel"]}, {"outputs": 3}):
            with pytest.raises(WorkflowUpdateFailedError) as refused:
                await handle.execute_update(CANCEL_OUTPUTS, argument)
            assert "outputs" in str(refused.value.cause)
        stand_ins.held.clear()
        assert (await handle.result()).status is JobStatus.COMPLETED


async def test_a_retry_of_a_closed_job_with_nothing_to_retry_is_refused_and_changes_nothing(client: Client) -> None:
    stand_ins = StandIns()
    async with working(client, stand_ins) as jobs:
        handle = await start(client, stand_ins)
        await handle.result()
        made = stand_ins.calls.copy()
        with pytest.raises(CinemaError, match="nothing to make again"):
            await jobs.retry(*rows(stand_ins))
        assert (await client.get_workflow_handle(handle.id, result_type=DirectJobResult).result()).status is (
            JobStatus.COMPLETED
        )
    assert stand_ins.calls == made
    assert stand_ins.status is JobStatus.COMPLETED


async def test_a_job_whose_workflow_was_terminated_is_taken_up_again_by_a_retry(client: Client) -> None:
    stand_ins = StandIns(unrenderable=frozenset({HOOK}), held={REEL})
    async with working(client, stand_ins) as jobs:
        handle = await start(client, stand_ins)
        await until(lambda: list(stand_ins.statuses.values()).count(OutputStatus.COMPLETED) == 2)
        await until_state(jobs, stand_ins, lambda state: state_of(state, HOOK) is OutputStatus.FAILED)
        await handle.terminate("an operator's mistake")
        stand_ins.unrenderable = frozenset()

        reel, hook = stand_ins.id_of(REEL), stand_ins.id_of(HOOK)
        assert (await jobs.retry(*rows(stand_ins), [reel], order_id="one")).outputs == (reel,)
        assert (await jobs.retry(*rows(stand_ins), [reel], order_id="one")).outputs == (reel,), "sent again"
        with pytest.raises(CinemaError, match="can be made again"):
            await jobs.retry(*rows(stand_ins), [reel])
        await client.get_workflow_handle(handle.id).terminate("once more")
        assert set((await jobs.retry(*rows(stand_ins))).outputs) == {reel, hook}, "also what had failed before"
        stand_ins.held.clear()
        settled = await client.get_workflow_handle(handle.id, result_type=DirectJobResult).result()
    assert settled.status is JobStatus.COMPLETED


async def test_a_job_terminated_when_all_was_made_is_settled_by_a_retry(client: Client) -> None:
    stand_ins = StandIns(held=set(Variant))
    async with working(client, stand_ins) as jobs:
        handle = await start(client, stand_ins)
        await stand_ins.rendering.wait()
        await handle.terminate()
        stand_ins.statuses = dict.fromkeys(Variant, OutputStatus.COMPLETED)
        with pytest.raises(CinemaError, match="nothing to make again"):
            await jobs.retry(*rows(stand_ins))
        settled = await client.get_workflow_handle(handle.id, result_type=DirectJobResult).result()
    assert settled.status is stand_ins.status is JobStatus.COMPLETED


async def test_one_output_is_called_off_and_its_siblings_go_on(client: Client) -> None:
    stand_ins = StandIns(held={HOOK, REEL})
    async with working(client, stand_ins) as jobs:
        handle = await start(client, stand_ins)
        await until(lambda: stand_ins.calls["render vertical_reel"] == 1)
        steered = await jobs.cancel_outputs(stand_ins.job_id, [stand_ins.id_of(REEL)])
        assert state_of(steered.job, REEL) is OutputStatus.CANCELLED
        assert state_of(steered.job, HOOK) is OutputStatus.RENDERING
        assert stand_ins.tidied == 1, "it is answered when the render has tidied up"
        stand_ins.held.discard(HOOK)
        settled = await handle.result()
    assert settled.status is JobStatus.PARTIAL
    assert {output.variant for output in settled.outputs if output.status is OutputStatus.CANCELLED} == {REEL}


@dataclass
class FailingWhenCancelled(StandIns):
    """A render that hears that it is called off, or taken back, at the moment in which it fails."""

    begun: set[Variant] = field(default_factory=set)
    error: CinemaError = field(default_factory=lambda: CinemaError(ErrorCode.DELIVERY_CHECK_FAILED, "It is too dark."))

    @activity.defn(name=RENDER_OUTPUT.name)
    async def render_output(self, asked: RenderOutput) -> RenderedOutput:
        self.begun.add(asked.output.variant)
        try:
            return await super().render_output(asked)
        except asyncio.CancelledError:
            raise application_error(self.error) from None


async def test_an_output_that_fails_as_it_is_called_off_is_called_off(client: Client) -> None:
    stand_ins = FailingWhenCancelled(held={HOOK, REEL})
    async with working(client, stand_ins) as jobs:
        handle = await start(client, stand_ins)
        await until(lambda: {HOOK, REEL} <= stand_ins.begun)
        steered = await jobs.cancel_outputs(stand_ins.job_id, [stand_ins.id_of(REEL)])
        assert state_of(steered.job, REEL) is OutputStatus.CANCELLED
        stand_ins.held.discard(HOOK)
        settled = await handle.result()
    assert {output.variant: output.status for output in settled.outputs}[REEL] is OutputStatus.CANCELLED
    assert stand_ins.statuses[HOOK] is OutputStatus.COMPLETED


async def test_a_job_whose_outputs_fail_as_it_is_called_off_is_called_off(client: Client) -> None:
    stand_ins = FailingWhenCancelled(held=set(Variant))
    async with working(client, stand_ins):
        handle = await start(client, stand_ins)
        await until(lambda: set(Variant) <= stand_ins.begun)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert stand_ins.status is JobStatus.CANCELLED
    assert set(stand_ins.statuses.values()) == {OutputStatus.CANCELLED}


@dataclass
class BegunAsTakenBack(FailingWhenCancelled):
    """All renders are said to have been begun by nobody, as they have been when a pause asks, a moment before."""

    @activity.defn(name=FIND_QUEUED_WORK.name)
    async def find_queued_work(self, _: Nothing) -> QueuedWork:
        return QueuedWork(activity_ids=tuple(f"render-{variant}" for variant in self.held))

    def activities(self) -> Sequence[Callable[..., Any]]:
        return [*(one for one in super().activities() if one is not find_queued_work), self.find_queued_work]


async def test_a_render_that_is_begun_and_fails_as_a_pause_takes_it_back_keeps_its_retries(client: Client) -> None:
    passing = TransientError(ErrorCode.PROCESS_CRASHED, "The process ended.")
    stand_ins = BegunAsTakenBack(held={REEL}, error=passing)
    async with working(client, stand_ins) as jobs:
        handle = await start(client, stand_ins)
        await until(lambda: REEL in stand_ins.begun)
        await jobs.pause(stand_ins.job_id)
        await until(lambda: stand_ins.tidied == 1)
        stand_ins.held.clear()
        await jobs.resume(stand_ins.job_id)
        assert (await handle.result()).status is JobStatus.COMPLETED
    assert stand_ins.calls["render vertical_reel"] == 2


async def test_a_render_that_fails_for_good_as_a_pause_takes_it_back_has_failed(client: Client) -> None:
    stand_ins = BegunAsTakenBack(held={REEL})
    async with working(client, stand_ins) as jobs:
        handle = await start(client, stand_ins)
        await until(lambda: REEL in stand_ins.begun)
        await jobs.pause(stand_ins.job_id)
        await until(lambda: stand_ins.statuses[REEL] is OutputStatus.FAILED)
        stand_ins.held.clear()
        await jobs.resume(stand_ins.job_id)
        assert (await handle.result()).status is JobStatus.PARTIAL
    assert stand_ins.calls["render vertical_reel"] == 1


async def test_a_whole_job_is_called_off_while_it_is_analysed(client: Client) -> None:
    stand_ins = StandIns(hold_probe=True)
    async with working(client, stand_ins) as jobs:
        handle = await start(client, stand_ins)
        await until(lambda: stand_ins.calls["probe"] == 2)
        steered = await jobs.cancel_outputs(stand_ins.job_id)
        assert {output.status for output in steered.job.outputs} == {OutputStatus.CANCELLED}
        settled = await handle.result()
    assert settled.status is JobStatus.CANCELLED
    assert stand_ins.tidied == 2, "what was being analysed was ended"
    with pytest.raises(CinemaError, match="no running workflow"):
        await jobs.cancel_outputs(stand_ins.job_id)


async def test_a_cancelled_output_can_be_made_again_at_once(client: Client) -> None:
    stand_ins = StandIns(held={HOOK, REEL})
    async with working(client, stand_ins) as jobs:
        handle = await start(client, stand_ins)
        await until(lambda: stand_ins.calls["render vertical_reel"] == 1)
        await jobs.cancel_outputs(stand_ins.job_id, [stand_ins.id_of(REEL)])
        await jobs.retry(*rows(stand_ins), [stand_ins.id_of(REEL)])
        stand_ins.held.clear()
        assert (await handle.result()).status is JobStatus.COMPLETED
    assert stand_ins.calls["render vertical_reel"] == 2


async def test_a_pause_lets_what_runs_finish_and_takes_back_what_waits_for_a_worker(client: Client) -> None:
    stand_ins = StandIns(held=set(Variant))
    async with working(client, stand_ins, render_slots=1) as jobs:
        handle = await start(client, stand_ins)
        await stand_ins.rendering.wait()
        await until_state(
            jobs, stand_ins, lambda state: all(state_of(state, v) is OutputStatus.RENDERING for v in Variant)
        )
        (running,) = (variant for variant in Variant if stand_ins.calls[f"render {variant}"])
        steered = await jobs.pause(stand_ins.job_id)
        assert (steered.job.status, steered.job.stage, steered.job.paused) == (
            JobStatus.PAUSED,
            JobStatus.RENDERING,
            True,
        )
        assert stand_ins.stages[-1] is JobStatus.PAUSED
        described = await handle.describe()
        assert described.typed_search_attributes[JOB_STATUS] == "paused"
        stand_ins.held.clear()
        await until(lambda: stand_ins.statuses[running] is OutputStatus.COMPLETED)
        await asyncio.sleep(0.5)
        assert sum(count for name, count in stand_ins.calls.items() if name.startswith("render")) == 1
        assert (await jobs.pause(stand_ins.job_id)).job.paused, "a second pause changes nothing"

        steered = await jobs.resume(stand_ins.job_id)
        assert not steered.job.paused
        settled = await handle.result()
    assert settled.status is JobStatus.COMPLETED
    assert all(stand_ins.calls[f"render {variant}"] == 1 for variant in Variant), "nothing was begun twice"
    assert stand_ins.stages[-1] is JobStatus.RENDERING


async def test_a_paused_job_can_be_called_off(client: Client) -> None:
    stand_ins = StandIns(held=set(Variant))
    async with working(client, stand_ins, render_slots=1) as jobs:
        handle = await start(client, stand_ins)
        await stand_ins.rendering.wait()
        await jobs.pause(stand_ins.job_id)
        await jobs.cancel_outputs(stand_ins.job_id)
        assert (await handle.result()).status is JobStatus.CANCELLED


def asking(default: ApprovalDefault = ApprovalDefault.CANCEL) -> JobRequest:
    return JobRequest(approval=ApprovalPolicy(timeout_seconds=3600, default=default))


async def test_nothing_is_rendered_before_it_is_approved_and_the_rest_is_called_off(client: Client) -> None:
    stand_ins = StandIns(request=asking())
    async with working(client, stand_ins) as jobs:
        handle = await start(client, stand_ins)
        state = await until_state(jobs, stand_ins, lambda state: state.status is JobStatus.AWAITING_APPROVAL)
        assert all(output.edl_key and output.awaits_approval for output in state.outputs), "the plans can be looked at"
        assert state.approve_by is not None
        assert not any(name.startswith("render") for name in stand_ins.calls)
        described = await handle.describe()
        assert described.typed_search_attributes[JOB_STATUS] == "awaiting_approval"

        wanted = [stand_ins.id_of(HOOK), stand_ins.id_of(REEL)]
        steered = await jobs.approve(stand_ins.job_id, wanted)
        assert set(steered.outputs) == set(wanted)
        settled = await handle.result()
    made = {output.variant for output in settled.outputs if output.status is OutputStatus.COMPLETED}
    assert made == {HOOK, REEL}
    assert {output.status for output in settled.outputs} == {OutputStatus.COMPLETED, OutputStatus.CANCELLED}
    assert stand_ins.stages[-2:] == [JobStatus.AWAITING_APPROVAL, JobStatus.RENDERING]


async def test_an_approval_holds_for_a_retry(client: Client) -> None:
    stand_ins = StandIns(request=asking(), unrenderable=frozenset({HOOK}))
    async with working(client, stand_ins) as jobs:
        handle = await start(client, stand_ins)
        await until_state(jobs, stand_ins, lambda state: state.status is JobStatus.AWAITING_APPROVAL)
        await jobs.approve(stand_ins.job_id)
        await handle.result()
        stand_ins.unrenderable = frozenset()
        await jobs.retry(*rows(stand_ins))
        settled = await client.get_workflow_handle(handle.id, result_type=DirectJobResult).result()
    assert settled.status is JobStatus.COMPLETED


async def test_operators_read_what_they_can_do_next(client: Client) -> None:
    stand_ins = StandIns(request=asking())

    async def details() -> str:
        return await client.get_workflow_handle(direct_job_id(stand_ins.job_id)).query("__temporal_workflow_metadata")

    async with working(client, stand_ins) as jobs:
        handle = await start(client, stand_ins)
        await until_state(jobs, stand_ins, lambda state: state.status is JobStatus.AWAITING_APPROVAL)
        assert "`approve`" in str(await details())
        await jobs.pause(stand_ins.job_id)
        assert "paused** while awaiting_approval" in str(await details())
        assert "`resume`" in str(await details())
        await jobs.cancel_outputs(stand_ins.job_id)
        await handle.result()
        assert f"cinema retry {stand_ins.job_id}" in str(await details())


async def test_a_job_with_many_orders_begins_a_new_history_and_goes_on(client: Client) -> None:
    stand_ins = StandIns(request=asking())
    async with working(client, stand_ins) as jobs:
        first = await start(client, stand_ins)
        before = await until_state(jobs, stand_ins, lambda state: state.status is JobStatus.AWAITING_APPROVAL)
        while (await first.describe()).run_id == first.first_execution_run_id:
            await jobs.pause(stand_ins.job_id)
            await jobs.resume(stand_ins.job_id)
        after = await until_state(jobs, stand_ins, lambda state: state.status is JobStatus.AWAITING_APPROVAL)
        assert after.approve_by == before.approve_by, "the deadline holds on"
        await jobs.approve(stand_ins.job_id)
        settled = await client.get_workflow_handle(first.id, result_type=DirectJobResult).result()
    assert settled.status is JobStatus.COMPLETED
    assert all(stand_ins.calls[f"render {variant}"] == 1 for variant in Variant)


@pytest.fixture(scope="module")
async def skipping() -> AsyncIterator[Client]:
    """A server on which hours pass at once while somebody waits for a result."""
    environment = await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(TEMPORAL.with_name("temporal-test-server")), plugins=[cinema_plugin()]
    )
    async with environment:
        attributes = {key.name: IndexedValueType.ValueType(key.indexed_value_type.value) for key in SEARCH_ATTRIBUTES}
        await environment.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(search_attributes=attributes, namespace="default")
        )
        yield environment.client


@pytest.mark.parametrize(
    ("default", "ends"),
    [
        pytest.param(ApprovalDefault.CANCEL, JobStatus.CANCELLED, id="called off"),
        pytest.param(ApprovalDefault.APPROVE, JobStatus.COMPLETED, id="rendered"),
    ],
)
async def test_what_nobody_approves_in_time_is_treated_as_the_job_says(
    skipping: Client, default: ApprovalDefault, ends: JobStatus
) -> None:
    stand_ins = StandIns(request=asking(default))
    async with working(skipping, stand_ins):
        settled = await (await start(skipping, stand_ins)).result()
    assert settled.status is ends
    assert stand_ins.approved == (
        {stand_ins.id_of(variant) for variant in Variant} if ends is JobStatus.COMPLETED else set()
    )


async def test_a_pause_that_everybody_forgot_ends_with_the_job_called_off(skipping: Client) -> None:
    stand_ins = StandIns(request=asking(ApprovalDefault.APPROVE))
    async with working(skipping, stand_ins) as jobs:
        handle = await start(skipping, stand_ins)
        await until_state(jobs, stand_ins, lambda state: state.status is JobStatus.AWAITING_APPROVAL)
        await jobs.pause(stand_ins.job_id)
        settled = await handle.result()
    assert settled.status is JobStatus.CANCELLED
    assert not any(name.startswith("render") for name in stand_ins.calls), "an approval does not end a pause"


@pytest.mark.parametrize("order", ["cancel_outputs", "approve", "pause", "resume"])
async def test_an_order_that_no_worker_answers_is_not_waited_for_without_end(client: Client, order: str) -> None:
    stand_ins = StandIns()
    handle = await start(client, stand_ins)
    jobs = JobClient(client, patience=timedelta(seconds=1))
    with pytest.raises(TransientError) as caught:
        await getattr(jobs, order)(stand_ins.job_id)
    assert caught.value.code is ErrorCode.STACK_UNAVAILABLE
    await handle.terminate()

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import CancelledError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.declarations import TaskQueue
from schemas.edl import Variant
from schemas.errors import ErrorCode
from schemas.jobs import JobStatus, OutputStatus
from tests.conftest import REPOSITORY, TEMPORAL
from tests.workflows.stand_ins import ROW, StandIns, WithTwin, sha256
from workflows.contract import (
    DIRECT_JOB,
    JOB_STATUS,
    LONGEST_SUMMARY,
    SEARCH_ATTRIBUTES,
    DirectJobInput,
    DirectJobResult,
    direct_job_id,
    summary_line,
)
from workflows.direct_job import DirectJob
from workflows.plugin import cinema_plugin

pytestmark = pytest.mark.temporal


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[Client]:
    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(TEMPORAL), search_attributes=SEARCH_ATTRIBUTES, plugins=[cinema_plugin()]
    )
    async with environment:
        yield environment.client


async def start(client: Client, stand_ins: StandIns) -> WorkflowHandle[DirectJob, DirectJobResult]:
    return await client.start_workflow(
        DIRECT_JOB,
        DirectJobInput(job_id=stand_ins.job_id),
        id=direct_job_id(stand_ins.job_id),
        task_queue=TaskQueue.JOBS,
        result_type=DirectJobResult,
    )


async def workers(stack: AsyncExitStack, client: Client, stand_ins: StandIns) -> None:
    for queue in TaskQueue:
        workflows = [DirectJob] if queue is TaskQueue.JOBS else []
        await stack.enter_async_context(
            Worker(client, task_queue=queue, activities=stand_ins.activities(), workflows=workflows)
        )


async def direct(client: Client, stand_ins: StandIns) -> DirectJobResult:
    async with AsyncExitStack() as stack:
        await workers(stack, client, stand_ins)
        handle = await start(client, stand_ins)
        return await handle.result()


async def test_a_job_goes_through_its_stages_and_counts_its_artifacts(client: Client) -> None:
    stand_ins = StandIns()
    settled = await direct(client, stand_ins)
    assert settled.status is JobStatus.COMPLETED
    assert stand_ins.stages == [JobStatus.ANALYSING, JobStatus.PLANNING, JobStatus.RENDERING]
    assert (settled.artifacts.computed, settled.artifacts.reused) == (4, 2)
    assert stand_ins.reviews == dict.fromkeys(Variant, (ROW,)), "what is published says how the edit was found to be"
    assert stand_ins.calls["plan"] == len(Variant)


async def test_separate_sound_is_aligned_to_every_a_roll(client: Client) -> None:
    stand_ins = StandIns(assets=("talk.mp4", "microphone.wav", "city.mp4", "lavalier.wav"))
    settled = await direct(client, stand_ins)
    assert stand_ins.aligned == dict.fromkeys(("microphone.wav", "lavalier.wav"), ("talk.mp4", "city.mp4"))
    for planned in stand_ins.planned:
        found = {
            one.asset.name: [made.key for made in one.artifacts if made.analyzer == "alignment"]
            for one in planned.assets
        }
        assert found["microphone.wav"] == found["lavalier.wav"] == [sha256("talk.mp4"), sha256("city.mp4")]
        assert found["talk.mp4"] == found["city.mp4"] == []
    assert settled.artifacts.computed + settled.artifacts.reused == 4 * 3 + 2 * 2


async def test_a_refused_a_roll_is_no_reference(client: Client) -> None:
    stand_ins = StandIns(assets=("talk.mp4", "city.mp4", "microphone.wav"), refused=frozenset({"city.mp4"}))
    await direct(client, stand_ins)
    assert stand_ins.aligned == {"microphone.wav": ("talk.mp4",)}


async def test_operators_find_it_by_status_and_read_how_it_went(client: Client) -> None:
    stand_ins = StandIns(unrenderable=frozenset({Variant.HOOK_CUT}), refused=frozenset({"city.mp4"}))
    await direct(client, stand_ins)
    described = await client.get_workflow_handle(direct_job_id(stand_ins.job_id)).describe()
    assert described.typed_search_attributes[JOB_STATUS] == "partial"
    history = await client.get_workflow_handle(direct_job_id(stand_ins.job_id)).fetch_history()
    summaries = " ".join(
        event.user_metadata.summary.data.decode() for event in history.events if event.HasField("user_metadata")
    )
    for expected in ("probe talk.mp4", "sound and transcript of talk.mp4", "render vertical_reel", "refuse city.mp4"):
        assert expected in summaries


async def test_several_of_one_variant_are_made_side_by_side_and_told_apart(client: Client) -> None:
    stand_ins = WithTwin()
    settled = await direct(client, stand_ins)
    assert [output.status for output in settled.outputs] == [OutputStatus.COMPLETED] * (len(Variant) + 1)
    history = await client.get_workflow_handle(direct_job_id(stand_ins.job_id)).fetch_history()
    named = {event.activity_task_scheduled_event_attributes.activity_id for event in history.events}
    assert {"plan-hook_cut-1", "render-hook_cut-1", "plan-hook_cut-2", "render-hook_cut-2"} <= named
    assert "render-vertical_reel" in named


async def test_a_refused_asset_does_not_stop_the_others(client: Client) -> None:
    stand_ins = StandIns(refused=frozenset({"city.mp4"}))
    settled = await direct(client, stand_ins)
    assert stand_ins.refusals == ["city.mp4 is empty."]
    assert all(output.status is OutputStatus.COMPLETED for output in settled.outputs)


async def test_a_job_without_a_usable_asset_fails_and_says_why(client: Client) -> None:
    stand_ins = StandIns(refused=frozenset({"talk.mp4", "city.mp4"}))
    await direct(client, stand_ins)
    assert stand_ins.outcome is not None
    assert stand_ins.outcome.error is not None
    assert stand_ins.outcome.error.code is ErrorCode.NO_USABLE_ASSET
    assert stand_ins.calls["plan"] == 0


async def test_one_failed_output_never_fails_its_siblings(client: Client) -> None:
    stand_ins = StandIns(
        unplannable=frozenset({Variant.SHORT_HIGHLIGHT}), unrenderable=frozenset({Variant.VERTICAL_REEL})
    )
    settled = await direct(client, stand_ins)
    assert settled.status is JobStatus.PARTIAL
    assert {output.variant: output.status for output in settled.outputs} == {
        Variant.CINEMATIC_FULL: OutputStatus.COMPLETED,
        Variant.SHORT_HIGHLIGHT: OutputStatus.FAILED,
        Variant.HOOK_CUT: OutputStatus.COMPLETED,
        Variant.VERTICAL_REEL: OutputStatus.FAILED,
    }
    assert stand_ins.calls["render vertical_reel"] == 1, "what a retry cannot help is not retried"


async def test_a_job_that_was_called_off_before_it_started_is_left_alone(client: Client) -> None:
    stand_ins = StandIns(status=JobStatus.CANCELLED)
    await direct(client, stand_ins)
    assert stand_ins.stages == []
    assert stand_ins.calls.total() == 0


async def test_a_very_long_name_does_not_stop_a_job(client: Client) -> None:
    settled = await direct(client, StandIns(assets=("Größe " * 100,)))
    assert settled.status is JobStatus.COMPLETED


@given(st.text(max_size=600))
def test_a_summary_is_one_line_of_bounded_length(text: str) -> None:
    line = summary_line(text)
    assert len(line.encode(errors="replace")) <= LONGEST_SUMMARY
    assert len(line.splitlines()) <= 1


async def test_a_crashed_render_is_tried_again(client: Client) -> None:
    stand_ins = StandIns(render_crashes=1)
    settled = await direct(client, stand_ins)
    assert settled.status is JobStatus.COMPLETED
    assert stand_ins.calls["render hook_cut"] == 2


async def test_cancelling_waits_for_every_render_to_tidy_up_and_settles(client: Client) -> None:
    stand_ins = StandIns(hold_render=True)
    async with AsyncExitStack() as stack:
        await workers(stack, client, stand_ins)
        handle = await start(client, stand_ins)
        await stand_ins.rendering.wait()
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
        assert isinstance(caught.value.cause, CancelledError)
    assert stand_ins.outcome is not None
    assert stand_ins.outcome.cancelled
    started = sum(count for name, count in stand_ins.calls.items() if name.startswith("render"))
    assert stand_ins.tidied == started


def test_workflow_modules_load_no_driver_and_no_codec() -> None:
    program = (
        "import sys, workflows.direct_job, workflows.contract\n"
        "heavy = {'asyncpg', 'numpy', 'cv2', 'av', 'fastapi', 'faster_whisper', 'PIL', 'httpx'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"loaded inside the workflow sandbox: {done.stderr}"

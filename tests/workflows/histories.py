"""Histories of workflows as released versions made them, recorded from a real server.

``python -m tests.workflows.histories`` (``make histories``) records those of the version at hand into its folder below
``histories/``; the folders of earlier releases stay as they are. A test replays them all: code that can no longer
replay one would break jobs that were running when it was rolled out.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.declarations import Accelerators, TaskQueue
from cinema.hosting import WORKFLOWS
from schemas.control import JobState
from schemas.edl import Variant
from schemas.jobs import ApprovalPolicy, ArtifactCounts, Job, JobRequest, JobStatus, Project
from schemas.opening import ExistingAsset, NewJob, NewProject
from tests.conftest import TEMPORAL
from tests.workflows.other_histories import Play, plays
from tests.workflows.parts_stand_ins import PartsStandIns
from tests.workflows.stand_ins import StandIns
from workflows.contract import DIRECT_JOB, SEARCH_ATTRIBUTES, DirectJobInput, DirectJobResult, direct_job_id
from workflows.direct_job import DirectJob
from workflows.job_client import JobClient
from workflows.plugin import cinema_plugin

FOLDER = Path(__file__).parent / "histories"

#: Seconds; far more than any takes on a slow machine.
LONGEST_SCENARIO = 120

SHORT_HISTORY = 100

Handle = WorkflowHandle[Any, DirectJobResult]


@dataclass(frozen=True)
class Stage:
    """A server with workers on it, for one job."""

    client: Client
    stand_ins: StandIns
    jobs: JobClient

    async def start(self, new_job: NewJob | None = None) -> Handle:
        return await self.client.start_workflow(
            DIRECT_JOB,
            DirectJobInput(job_id=self.stand_ins.job_id, new_job=new_job),
            id=direct_job_id(self.stand_ins.job_id),
            task_queue=TaskQueue.JOBS,
            result_type=DirectJobResult,
        )

    async def until(self, condition: Callable[[JobState], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition(await self.jobs.state(self.stand_ins.job_id)):
                await asyncio.sleep(0.05)


Scenario = Callable[[Stage], Awaitable[None]]


async def to_its_end(stage: Stage) -> None:
    await (await stage.start()).result()


async def brought_whole(stage: Stage) -> None:
    talk = ExistingAsset(asset_id=uuid4())
    new_job = NewJob(owner_id=uuid4(), project=NewProject(name="Kitchen talk"), assets=(talk,))
    await (await stage.start(new_job)).result()


async def called_off(stage: Stage) -> None:
    handle = await stage.start()
    await stage.stand_ins.rendering.wait()
    await handle.cancel()
    await asyncio.gather(handle.result(), return_exceptions=True)


async def one_output_called_off(stage: Stage) -> None:
    handle = await stage.start()
    await stage.stand_ins.rendering.wait()
    await stage.jobs.cancel_outputs(stage.stand_ins.job_id, [stage.stand_ins.id_of(Variant.HOOK_CUT)])
    stage.stand_ins.held.clear()
    await handle.result()


async def paused_and_resumed(stage: Stage) -> None:
    handle = await stage.start()
    await stage.stand_ins.rendering.wait()
    await stage.jobs.pause(stage.stand_ins.job_id)
    stage.stand_ins.held.clear()
    await stage.jobs.resume(stage.stand_ins.job_id)
    await handle.result()


async def some_approved(stage: Stage) -> None:
    handle = await stage.start()
    await stage.until(lambda state: state.status is JobStatus.AWAITING_APPROVAL)
    await stage.jobs.approve(stage.stand_ins.job_id, [stage.stand_ins.id_of(Variant.VERTICAL_REEL)])
    await handle.result()


async def waited_for_a_video(stage: Stage) -> None:
    handle = await stage.start()
    async with asyncio.timeout(60):
        while not stage.stand_ins.calls[f"await {Variant.HOOK_CUT}"]:
            await asyncio.sleep(0.05)
    stage.stand_ins.made_elsewhere.clear()
    await handle.result()


async def retried_after_its_end(stage: Stage) -> None:
    await to_its_end(stage)
    stage.stand_ins.unrenderable = frozenset()
    await stage.jobs.retry(*_rows(stage.stand_ins))
    await stage.client.get_workflow_handle(direct_job_id(stage.stand_ins.job_id)).result()


async def retried_after_its_termination(stage: Stage) -> None:
    handle = await stage.start()
    await stage.stand_ins.rendering.wait()
    await handle.terminate()
    await stage.jobs.retry(*_rows(stage.stand_ins))
    stage.stand_ins.held.clear()
    await stage.client.get_workflow_handle(handle.id).result()


def scenarios() -> dict[str, tuple[StandIns, Scenario]]:
    """What jobs go through, by the name of its recording."""
    hook = frozenset({Variant.HOOK_CUT})
    gpu = Accelerators(queues=(TaskQueue.ANALYSIS_GPU, TaskQueue.RENDER_GPU))
    asking = JobRequest(approval=ApprovalPolicy(timeout_seconds=3600))
    trouble = StandIns(
        refused=frozenset({"city.mp4"}), unrenderable=hook, unplannable=frozenset({Variant.SHORT_HIGHLIGHT})
    )
    return {
        "completed": (StandIns(), to_its_end),
        "brought-whole": (StandIns(), brought_whole),
        "separate-sound": (StandIns(assets=("talk.mp4", "city.mp4", "microphone.wav")), to_its_end),
        "partial": (trouble, to_its_end),
        "nothing-usable": (StandIns(refused=frozenset({"talk.mp4", "city.mp4"})), to_its_end),
        "renders-crashed-once": (StandIns(render_crashes=1), to_its_end),
        "on-gpus": (StandIns(accelerators=gpu), to_its_end),
        "called-off-while-rendering": (StandIns(hold_render=True), called_off),
        "one-output-called-off": (StandIns(held=set(Variant)), one_output_called_off),
        "paused-and-resumed": (StandIns(held=set(Variant)), paused_and_resumed),
        "some-plans-approved": (StandIns(request=asking), some_approved),
        "in-parts-of-which-some-are-lost": (PartsStandIns(segments=3, losing={2}), to_its_end),
        "waited-for-the-same-video": (StandIns(made_elsewhere={Variant.HOOK_CUT}), waited_for_a_video),
        "retried-after-its-end": (StandIns(unrenderable=hook), retried_after_its_end),
        "retried-after-its-termination": (StandIns(held=set(Variant)), retried_after_its_termination),
    }


def long_scenarios() -> dict[str, tuple[StandIns, Scenario]]:
    """What makes a history too long, where the server thinks so after :data:`SHORT_HISTORY` events."""
    return {"begun-anew-for-its-size": (PartsStandIns(segments=40), to_its_end)}


async def record(folder: Path) -> list[Path]:
    """Play every scenario on a server of its own, and keep the history of each run of its workflow."""
    async with await _server() as environment:
        written = await _record_jobs(environment.client, scenarios(), folder)
        for name, play in plays().items():
            await _run(environment.client, play)
            written += await _keep(environment.client, play.id, folder / name)
    short = f"limit.historyCount.suggestContinueAsNew={SHORT_HISTORY}"
    async with await _server("--dynamic-config-value", short) as environment:
        return written + await _record_jobs(environment.client, long_scenarios(), folder)


async def _server(*arguments: str) -> WorkflowEnvironment:
    return await WorkflowEnvironment.start_local(
        identity="recorder",
        dev_server_existing_path=str(TEMPORAL),
        search_attributes=SEARCH_ATTRIBUTES,
        plugins=[cinema_plugin()],
        dev_server_extra_args=arguments,
    )


async def _record_jobs(client: Client, wanted: dict[str, tuple[StandIns, Scenario]], folder: Path) -> list[Path]:
    written = []
    for name, (stand_ins, scenario) in wanted.items():
        async with _stage(client, stand_ins) as stage:
            async with asyncio.timeout(LONGEST_SCENARIO):
                await scenario(stage)
        written += await _keep(client, direct_job_id(stand_ins.job_id), folder / name)
    return written


@asynccontextmanager
async def _stage(client: Client, stand_ins: StandIns) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        for queue in TaskQueue:
            workflows = [DirectJob] if queue is TaskQueue.JOBS else []
            worker = Worker(client, task_queue=queue, activities=stand_ins.activities(), workflows=workflows)
            await stack.enter_async_context(worker)
        yield Stage(client, stand_ins, JobClient(client))


async def _run(client: Client, play: Play) -> None:
    jobs = Worker(client, task_queue=TaskQueue.JOBS, activities=play.activities, workflows=WORKFLOWS)
    async with jobs, asyncio.timeout(LONGEST_SCENARIO):
        await client.execute_workflow(play.workflow, play.argument, id=play.id, task_queue=TaskQueue.JOBS)


async def _keep(client: Client, workflow_id: str, stem: Path) -> list[Path]:
    """One file for each run, the first one first."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    written = []
    for number, run_id in enumerate(await _runs(client, workflow_id), start=1):
        history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        path = stem.with_name(f"{stem.name}.{number}.json")
        path.write_text(json.dumps(_without_traces(json.loads(history.to_json())), separators=(",", ":")) + "\n")
        written.append(path)
    return written


async def _runs(client: Client, workflow_id: str) -> list[str]:
    """The workflow's runs, the first one first, once visibility has caught up with all of them."""
    latest = (await client.get_workflow_handle(workflow_id).describe()).run_id
    async with asyncio.timeout(60):
        while True:
            runs = [run async for run in client.list_workflows(f"WorkflowId = '{workflow_id}'")]
            if latest in {run.run_id for run in runs}:
                return [run.run_id for run in sorted(runs, key=lambda run: run.start_time)]
            await asyncio.sleep(0.1)


def _without_traces(node: Any) -> Any:
    """Without stack traces, which tell of the machine and nothing of the workflow."""
    if isinstance(node, list):
        return [_without_traces(item) for item in node]
    if isinstance(node, dict):
        return {name: _without_traces(value) for name, value in node.items() if name != "stackTrace"}
    return node


def _rows(stand_ins: StandIns) -> tuple[Job, Project]:
    """What a client that reads the database has in hand."""
    now, owner_id = datetime.now(UTC), uuid4()
    project = Project(id=uuid4(), owner_id=owner_id, name="Kitchen talk", created_at=now)
    job = Job(
        id=stand_ins.job_id,
        owner_id=owner_id,
        project_id=project.id,
        status=stand_ins.status,
        request=stand_ins.request,
        artifacts=ArtifactCounts(),
        outputs=(),
        created_at=now,
        updated_at=now,
    )
    return job, project


def main() -> None:
    # Activities that fail are what some scenarios are about.
    logging.getLogger("temporalio.activity").setLevel(logging.CRITICAL)
    folder = FOLDER / version("cinema-ai")
    for outdated in folder.glob("*.json"):
        outdated.unlink()
    for path in asyncio.run(record(folder)):
        print(path.relative_to(FOLDER.parent.parent.parent))


if __name__ == "__main__":
    main()

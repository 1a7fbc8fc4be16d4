"""What must be true of a job after any fault: the one place that says so."""

import json
from collections import Counter
from collections.abc import Collection

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from schemas.jobs import Job, JobStatus, OutputStatus
from stores import Bucket
from tests.cinema.cinema_processes import descendants, running
from tests.faults.stack_under_fault import StackUnderFault, until
from workflows.contract import direct_job_id

#: Seconds in which what was killed has to be gone and swept, on a machine with much else to do.
TIDY_SECONDS = 120.0

#: No work but a question, which a job that takes longer than the answer holds asks again.
ASKED_NOW_AND_AGAIN = "look for GPUs"


async def judge(
    stack: StackUnderFault,
    job: Job,
    *,
    status: JobStatus = JobStatus.COMPLETED,
    repeated: Collection[str] = (),
    attempts: int = 2,
) -> Job:
    """Fail unless the job ended as it should and the fault left no trace.

    Args:
        stack: the stack it ran on; nothing else may run on it.
        job: as it was ordered.
        status: how it has to end.
        repeated: the pieces of work, by the start of their line in the Web UI, that the fault hit: only these may have
            been tried more than once.
        attempts: the most attempts that a piece which was hit may have taken.
    """
    settled = await stack.settled(job)
    assert settled.status is status, settled
    await _one_object_and_one_row_per_output(stack, settled)
    tried, failures = await _tried(stack, job)
    again = {piece: times for piece, times in tried.items() if times > 1 and piece != ASKED_NOW_AND_AGAIN}
    unexpected = {piece: times for piece, times in again.items() if not piece.startswith(tuple(repeated) or ("\0",))}
    assert not unexpected, f"done again without need: {unexpected}, since {failures}"
    assert max(again.values(), default=1) <= attempts, again
    for output in settled.outputs:
        most = attempts if any(f"render {output.variant}".startswith(piece) for piece in repeated) else 1
        assert output.attempt <= most, f"{output.variant} was rendered {output.attempt} times"
    await _one_start(stack, job)
    await _one_analysis_of_each_kind(stack, settled)
    await _nothing_is_left(stack)
    assert stack.faults.armed == 0, "a fault was armed that nothing met"
    return settled


async def _one_object_and_one_row_per_output(stack: StackUnderFault, job: Job) -> None:
    rows = await stack.pool.fetch("select variant, status from public.job_outputs where job_id = $1", job.id)
    assert Counter(row["variant"] for row in rows) == Counter(job.request.variants)
    folder = f"{job.owner_id}/{job.project_id}/{job.id}/"
    stored = {found.key: found async for found in stack.objects.list(Bucket.OUTPUTS, folder)}
    videos = {key: found for key, found in stored.items() if key.endswith(".mp4")}
    completed = [output for output in job.outputs if output.status is OutputStatus.COMPLETED]
    assert len(videos) == len(completed)
    for output in completed:
        assert output.files is not None
        video = videos[output.files.video_key]
        assert (video.sha256, video.size_bytes) == (output.files.video_sha256, output.files.video_bytes)
        assert {output.files.srt_key, output.files.vtt_key, output.files.edl_key, output.files.otio_key} <= set(stored)
        # Read to its end, the store compares the bytes with their checksum.
        assert sum([len(chunk) async for chunk in stack.objects.get(Bucket.OUTPUTS, video.key)]) == video.size_bytes


async def _one_start(stack: StackUnderFault, job: Job) -> None:
    runs = [run async for run in stack.temporal.list_workflows(f"WorkflowId = '{direct_job_id(job.id)}'")]
    assert len(runs) <= 1, "the job was started twice"  # Visibility may lag behind and not know of it yet.
    query = "select count(*) = 0 from public.outbox where job_id = $1 and done_at is null"

    async def done() -> bool:
        return bool(await stack.pool.fetchval(query, job.id))

    await until(done, "nobody has to start it any more", TIDY_SECONDS)


async def _one_analysis_of_each_kind(stack: StackUnderFault, job: Job) -> None:
    rows = await stack.pool.fetch(
        """
        select asset_sha256, analyzer from public.analyses
        where asset_sha256 in (select sha256 from public.assets where project_id = $1)
        """,
        job.project_id,
    )
    made = Counter((row["asset_sha256"], row["analyzer"]) for row in rows)
    assert set(made.values()) <= {1}, made
    assert job.artifacts.computed + job.artifacts.reused == len(made)


async def _nothing_is_left(stack: StackUnderFault) -> None:
    await until(lambda: not _sandboxed(stack), "no sandboxed child is left", TIDY_SECONDS)
    await until(lambda: list(stack.scratch.iterdir()) == [], "no working folder is left", TIDY_SECONDS)
    await until(lambda: list(stack.incoming.iterdir()) == [], "no half-written object is left", TIDY_SECONDS)
    await until(lambda: not orphans(stack), f"no process is orphaned: {orphans(stack)}", TIDY_SECONDS)


def orphans(stack: StackUnderFault) -> list[int]:
    """Processes of the stack that its supervisor no longer has below it."""
    ours = {stack.process.pid, *descendants(stack.process.pid)}
    return [pid for pid in stack.processes() if pid not in ours and running(pid)]


def _sandboxed(stack: StackUnderFault) -> list[int]:
    return [pid for part in ("worker-analysis", "worker-render") for pid in stack.children_of(part)]


async def _tried(stack: StackUnderFault, job: Job) -> tuple[dict[str, int], dict[str, str]]:
    """How many attempts each activity of the job took, and why the last but one failed, by its line in the Web UI."""
    handle = stack.temporal.get_workflow_handle(direct_job_id(job.id))
    lines: dict[int, str] = {}
    tried: Counter[str] = Counter()
    failures: dict[str, str] = {}
    async for event in handle.fetch_history_events():
        if event.event_type is EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            lines[event.event_id] = _line(event)
        if event.event_type is EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            started = event.activity_task_started_event_attributes
            line = lines[started.scheduled_event_id]
            tried[line] += started.attempt
            if started.HasField("last_failure"):
                failures[line] = str(started.last_failure)
    return dict(tried), failures


def _line(event: HistoryEvent) -> str:
    kind = event.activity_task_scheduled_event_attributes.activity_type.name
    data = event.user_metadata.summary.data
    return json.loads(data) if data else kind

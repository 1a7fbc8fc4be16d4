"""What is stored for operators: the trace a job belongs to, and how much is being worked on."""

from datetime import timedelta

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import TraceFlags, format_span_id, format_trace_id

from schemas.jobs import Job, JobRequest, JobStatus, Project
from stores import Jobs, Ledger, Outbox, Outputs, PartWork, Pool
from stores.workload import workload

pytestmark = pytest.mark.postgres

LEASE = timedelta(seconds=30)


async def test_an_entry_carries_the_trace_in_which_its_job_was_made(pool: Pool, project: Project) -> None:
    with TracerProvider().get_tracer("test").start_as_current_span("request") as span:
        await Jobs(pool).create(project.owner_id, project.id, JobRequest())
    (entry,) = await Outbox(pool).claim(1, LEASE)
    context = span.get_span_context()
    version, trace_id, span_id, flags = (entry.traceparent or "").split("-")
    assert (version, trace_id, span_id) == ("00", format_trace_id(context.trace_id), format_span_id(context.span_id))
    assert int(flags, 16) & TraceFlags.SAMPLED


@pytest.mark.usefixtures("job")
async def test_an_untraced_job_carries_none(pool: Pool) -> None:
    (entry,) = await Outbox(pool).claim(1, LEASE)
    assert entry.traceparent is None


async def test_open_jobs_are_counted_by_status_and_ended_ones_not(pool: Pool, project: Project, job: Job) -> None:
    called_off = await Jobs(pool).create(project.owner_id, project.id, JobRequest())
    await Jobs(pool).cancel(called_off.id)
    found = await workload(pool)
    assert {status: count for status, count in found.jobs.items() if count} == {JobStatus.QUEUED: 1}
    assert not any(status.settled for status in found.jobs)
    assert found.stalest_render_s == 0
    await Jobs(pool).set_status(job.id, JobStatus.ANALYSING)
    assert (await workload(pool)).jobs[JobStatus.ANALYSING] == 1


async def test_the_most_silent_render_is_told(pool: Pool, job: Job) -> None:
    outputs = Outputs(pool)
    for output in job.outputs:
        await outputs.plan(output.id, "o/p/j/v.edl.json")
    silent, busy = (output.id for output in job.outputs)
    attempts = {output_id: await outputs.begin_attempt(output_id) for output_id in (silent, busy)}
    await pool.execute("alter table job_outputs disable trigger touch_updated_at")
    await pool.execute("update job_outputs set updated_at = now() - interval '1 hour' where id = $1", silent)
    await pool.execute("alter table job_outputs enable trigger touch_updated_at")
    await outputs.report_progress(busy, attempts[busy], 0.5, "encoding")
    assert 3600 <= (await workload(pool)).stalest_render_s < 3700


async def test_an_output_that_waits_for_the_same_video_is_not_silent(pool: Pool, job: Job) -> None:
    outputs, waiting = Outputs(pool), job.outputs[0].id
    await outputs.plan(waiting, "o/p/j/v.edl.json")
    await outputs.wait_for_video(waiting, await outputs.begin_attempt(waiting))
    assert (await outputs.get(waiting)).stage == "waiting for the same video"
    await pool.execute("alter table job_outputs disable trigger touch_updated_at")
    await pool.execute("update job_outputs set updated_at = now() - interval '1 hour'")
    await pool.execute("alter table job_outputs enable trigger touch_updated_at")
    assert (await workload(pool)).stalest_render_s == 0
    await outputs.begin_attempt(waiting)
    await outputs.wait_for_video(waiting, 1)
    assert (await outputs.get(waiting)).stage == "rendering", "a later attempt goes on with it"


async def test_an_output_whose_parts_all_wait_for_a_worker_is_not_silent(pool: Pool, job: Job) -> None:
    outputs, waiting = Outputs(pool), job.outputs[0].id
    await outputs.plan(waiting, "o/p/j/v.edl.json")
    await outputs.begin_parts(waiting, [0.1, 0.8], set())
    await pool.execute("alter table job_outputs disable trigger touch_updated_at")
    await pool.execute("update job_outputs set updated_at = now() - interval '1 hour'")
    await pool.execute("alter table job_outputs enable trigger touch_updated_at")
    assert (await workload(pool)).stalest_render_s == 0
    await Ledger(pool).begin_part(PartWork(waiting, "segment 1"))
    assert (await workload(pool)).stalest_render_s > 3500, "a worker is at it and says nothing"

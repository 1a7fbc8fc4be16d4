"""Analytics: what became of a creator's work over time, of a project's, and of one job's."""

from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.callers import Authenticated
from api.problems import problem_responses
from schemas.cost import LedgerEntry, WorkKind
from schemas.invalid_input import InvalidInput
from schemas.jobs import Job, Output
from schemas.resources.analytics import AnalyticsResource, Granularity, JobAnalytics, OutputAnalytics
from stores import Jobs, Ledger, Projects
from stores.analytics import Analytics, Span

#: Days up to today that are told of where nobody says which.
USUAL_DAYS: Final = 30
#: Most days at once: three years, with a leap day.
MOST_DAYS: Final = 1096

FirstDay = Annotated[
    date | None, Query(alias="from", description="First day (UTC); without one, 30 days up to the last.")
]
LastDay = Annotated[date | None, Query(alias="to", description="Last day (UTC), included; today without one.")]
EachPeriod = Annotated[Granularity, Query(description="How long each period is; weeks begin on Monday.")]
OnlyProject = Annotated[UUID | None, Query(description="Only this project.")]


def span_of(first: FirstDay = None, last: LastDay = None, granularity: EachPeriod = Granularity.DAY) -> Span:
    """The days asked for.

    Raises:
        InvalidInput: they run backwards, or are too many.
    """
    until = last or datetime.now(UTC).date()
    if first is None and until - date.min < timedelta(days=USUAL_DAYS):
        raise InvalidInput.of("to", "is before any work was ever done")
    since = first or until - timedelta(days=USUAL_DAYS - 1)
    if since > until:
        raise InvalidInput.of("from", "is after the last day")
    if (until - since).days >= MOST_DAYS:
        raise InvalidInput.of("from", f"is more than {MOST_DAYS} days before the last day")
    return Span(since, until, granularity)


Days = Annotated[Span, Depends(span_of)]


#: ``/analytics``, ``/projects/{project_id}/analytics`` and ``/jobs/{job_id}/analytics``.
routes = APIRouter(tags=["analytics"])


@routes.get(
    "/analytics",
    name="of_everything",
    responses=problem_responses(HTTPStatus.NOT_FOUND),
    summary="Read totals over time",
)
async def of_everything(caller: Authenticated, days: Days, project: OnlyProject = None) -> AnalyticsResource:
    """Each output counts on the day (UTC) on which it last ended; what expires keeps counting."""
    if project is not None:
        await Projects(caller.connections).get(project)
    return await Analytics(caller.connections).over(days, project)


@routes.get("/projects/{project_id}/analytics", name="of_project", summary="Read a project's totals over time")
async def of_project(project_id: UUID, caller: Authenticated, days: Days) -> AnalyticsResource:
    await Projects(caller.connections).get(project_id)
    return await Analytics(caller.connections).over(days, project_id)


@routes.get("/jobs/{job_id}/analytics", name="of_job", summary="Read what was measured on a job's outputs")
async def of_job(job_id: UUID, caller: Authenticated) -> JobAnalytics:
    """The director's metrics of each output, and the processor time charged for it."""
    job = await Jobs(caller.connections).get(job_id)
    return _of_job(job, [entry for entry in await Ledger(caller.connections).of_job(job_id) if entry.charged])


def _of_job(job: Job, charged: list[LedgerEntry]) -> JobAnalytics:
    metrics = [output.files.report.metrics for output in job.outputs if output.files is not None]
    return JobAnalytics(
        job_id=job.id,
        project_id=job.project_id,
        status=job.status,
        video_s=sum(found.duration_s for found in metrics),
        removed_s=sum(found.removed_s for found in metrics),
        compute_s=sum(entry.usage.cpu_s for entry in charged),
        analysis_compute_s=sum(entry.usage.cpu_s for entry in charged if entry.kind is WorkKind.ANALYSIS),
        outputs=tuple(
            _of_output(output, [entry for entry in charged if entry.output_id == output.id]) for output in job.outputs
        ),
    )


def _of_output(output: Output, charged: list[LedgerEntry]) -> OutputAnalytics:
    metrics = None if output.files is None else output.files.report.metrics
    render_s = sum(entry.usage.wall_s for entry in charged)
    return OutputAnalytics(
        output_id=output.id,
        variant=output.variant,
        status=output.status,
        attempts=output.attempt,
        compute_s=sum(entry.usage.cpu_s for entry in charged),
        render_s=render_s,
        render_speed=metrics.duration_s / render_s if metrics is not None and render_s else None,
        metrics=metrics,
    )

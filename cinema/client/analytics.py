"""What became of a creator's work, in numbers."""

from datetime import date
from uuid import UUID

from cinema.client.asking import asked, query
from cinema.client.steps import Flow, Send
from schemas.resources.analytics import AnalyticsResource, Granularity, JobAnalytics


def over(
    first: date | None = None,
    last: date | None = None,
    *,
    granularity: Granularity = Granularity.DAY,
    project_id: UUID | None = None,
) -> Flow[AnalyticsResource]:
    """Totals from one day (UTC) to another, both included, by default of the last 30; of all projects, or of one."""
    wanted = query(**{"from": first, "to": last, "granularity": granularity, "project": project_id})
    return asked(Send(method="GET", url="/analytics", query=wanted), AnalyticsResource)


def of_job(job_id: UUID) -> Flow[JobAnalytics]:
    """What was measured on a job's outputs, and what was charged for each."""
    return asked(Send(method="GET", url=f"/jobs/{job_id}/analytics"), JobAnalytics)

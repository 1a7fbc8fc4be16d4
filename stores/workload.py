"""How much is being worked on, for metrics and alerts."""

from schemas.edl import Variant
from schemas.jobs import JobStatus
from schemas.model import Model
from stores.database import Connections, session
from stores.outputs import WAITING_FOR_VIDEO


class Workload(Model):
    """What is open now.

    ``jobs`` counts those that have not ended, by status. ``stalest_render_s`` is how long the most silent of all
    outputs being rendered has reported nothing, 0 where none is; one whose parts all wait for a worker has nothing to
    report.
    """

    jobs: dict[JobStatus, int]
    stalest_render_s: float


async def workload(connections: Connections) -> Workload:
    """Looks at open jobs and outputs alone, however many have ended (indexes of migration 0014)."""
    async with session(connections) as connection:
        rows = await connection.fetch(
            """
            select status, count(*) from public.jobs
            where status not in ('completed', 'partial', 'failed', 'cancelled') group by status
            """
        )
        stalest = await connection.fetchval(
            """
            select coalesce(extract(epoch from clock_timestamp() - min(updated_at)), 0)::float8
            from public.job_outputs where status = 'rendering' and stage <> $1 and (
                part_shares is null or exists (
                    select from public.ledger
                    where output_id = job_outputs.id and kind = 'render' and outcome = 'running'
                )
            )
            """,
            WAITING_FOR_VIDEO,
        )
    found = {row["status"]: row["count"] for row in rows}
    unsettled = [status for status in JobStatus if not status.settled]
    return Workload(jobs={status: found.get(status, 0) for status in unsettled}, stalest_render_s=stalest)


async def unfinished_outputs(connections: Connections) -> dict[Variant, int]:
    """How many outputs of each variant open jobs have still to make."""
    async with session(connections) as connection:
        rows = await connection.fetch(
            """
            select variant, count(*) from public.job_outputs join public.jobs on jobs.id = job_id
            where jobs.status not in ('completed', 'partial', 'failed', 'cancelled')
                and job_outputs.status in ('queued', 'planned', 'rendering')
            group by variant
            """
        )
    return {Variant(row["variant"]): row["count"] for row in rows}

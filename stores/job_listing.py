"""Jobs as their owner browses them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from schemas.jobs import Job, JobStatus, Output
from stores.database import Connection, Connections, model_from, transaction
from stores.job_rows import job_from


class JobListing:
    """Rows of ``jobs`` with their ``job_outputs``, as far as the caller may see them."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def page(
        self,
        most: int,
        *,
        below: tuple[datetime, UUID] | None = None,
        project_id: UUID | None = None,
        status: JobStatus | None = None,
    ) -> tuple[Job, ...]:
        """Up to ``most`` jobs, newest first, from right below a row's ``(created_at, id)``, by project and status."""
        async with transaction(self._connections) as connection:
            rows = await connection.fetch(
                """
                select * from public.jobs
                where ($2::timestamptz is null or (created_at, id) < ($2::timestamptz, $3::uuid))
                and ($4::uuid is null or project_id = $4::uuid) and ($5::text is null or status = $5::text)
                order by created_at desc, id desc limit $1
                """,
                most,
                *(below or (None, None)),
                project_id,
                status,
            )
            outputs = await _outputs(connection, [row["id"] for row in rows])
        return tuple(job_from(row, outputs[row["id"]]) for row in rows)

    async def several(self, job_ids: Sequence[UUID]) -> tuple[Job, ...]:
        """These jobs, those of them that there are, in no particular order."""
        async with transaction(self._connections) as connection:
            rows = await connection.fetch("select * from public.jobs where id = any($1::uuid[])", job_ids)
            outputs = await _outputs(connection, [row["id"] for row in rows])
        return tuple(job_from(row, outputs[row["id"]]) for row in rows)


async def _outputs(connection: Connection, job_ids: Sequence[UUID]) -> Mapping[UUID, list[Output]]:
    rows = await connection.fetch(
        "select * from public.job_outputs where job_id = any($1::uuid[]) order by job_id, position", job_ids
    )
    outputs: dict[UUID, list[Output]] = defaultdict(list)
    for row in rows:
        outputs[row["job_id"]].append(model_from(row, Output))
    return outputs

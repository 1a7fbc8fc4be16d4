"""A program that orders a job and dies right after its commit: ``python -m tests.faults.creator DSN OWNER PROJECT``.

Prints the job's id first.
"""

import asyncio
import sys
from uuid import UUID

from schemas.edl import Variant
from schemas.jobs import JobRequest
from stores import Jobs, open_pool
from tests.faults.fault_plan import die


async def order(dsn: str, owner: UUID, project: UUID) -> None:
    async with await open_pool(dsn) as pool:
        job = await Jobs(pool).create(owner, project, JobRequest(variants=(Variant.HOOK_CUT,)))
        print(job.id, flush=True)
        die()


if __name__ == "__main__":
    asyncio.run(order(sys.argv[1], UUID(sys.argv[2]), UUID(sys.argv[3])))

"""A worker in the midst of an attempt: ``python -m tests.activities.accounting_worker DSN JOB FOLDER``."""

import asyncio
import sys
from pathlib import Path
from uuid import UUID, uuid4

from temporalio.testing import ActivityEnvironment

from stores import AnalysisWork, open_pool
from tests.activities.test_activities_accounting import attempt


async def main(dsn: str, job_id: str, folder: str) -> None:
    async with await open_pool(dsn) as pool:
        work = AnalysisWork(UUID(job_id), uuid4(), "faces")
        await ActivityEnvironment().run(attempt(pool, work, "hang", Path(folder)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

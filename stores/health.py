"""Whether what a process depends on answers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from stores.analyses import Analyses
from stores.database import Pool
from stores.objects import Bucket, ObjectStore

#: Seconds that a dependency gets to answer.
PATIENCE = 2.0

#: Things that do not exist: asking for them shows that the stores answer.
ABSENT_ANALYSIS = "0" * 64
ABSENT_OBJECT = "health/absent"

#: Asks one dependency; whatever it raises says that it does not answer.
Check = Callable[[], Awaitable[object]]

log = structlog.get_logger(__name__)


def postgres_answers(pool: Pool) -> Check:
    return lambda: Analyses(pool).find(ABSENT_ANALYSIS)


def objects_answer(objects: ObjectStore) -> Check:
    return lambda: objects.stat(Bucket.ASSETS, ABSENT_OBJECT)


async def ask(checks: Mapping[str, Check]) -> dict[str, bool]:
    """Ask all of them at once; which of them answered in time."""
    answers = await asyncio.gather(*(_answers(name, check) for name, check in checks.items()))
    return dict(zip(checks, answers, strict=True))


async def _answers(name: str, check: Check) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            await check()
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, the answer is that it does not answer
        log.warning("a dependency does not answer", dependency=name, error=str(error))
        return False
    return True

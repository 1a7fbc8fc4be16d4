"""Whether this process lives, and whether what it depends on answers."""

import asyncio
from collections.abc import Awaitable
from http import HTTPStatus

import structlog
from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.context import ApiContext
from stores import Analyses, Bucket

#: Seconds that a dependency gets to answer.
PATIENCE = 2.0

#: Things that do not exist: asking for them shows that the stores answer.
ABSENT_ANALYSIS = "0" * 64
ABSENT_OBJECT = "health/absent"

log = structlog.get_logger(__name__)


def router(context: ApiContext) -> APIRouter:
    """``/livez`` says that the process answers; ``/readyz`` that it can do its work."""
    routes = APIRouter()

    @routes.get("/livez")
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/readyz")
    async def ready() -> JSONResponse:
        checks = {
            "postgres": Analyses(context.database).find(ABSENT_ANALYSIS),
            "temporal": context.temporal.service_client.check_health(),
            "objects": context.objects.stat(Bucket.ASSETS, ABSENT_OBJECT),
        }
        answers = await asyncio.gather(*(_answers(name, check) for name, check in checks.items()))
        results = dict(zip(checks, ("ok" if answer else "unavailable" for answer in answers), strict=True))
        status = HTTPStatus.OK if all(answers) else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse({"status": "ok" if all(answers) else "unavailable", "checks": results}, status)

    return routes


async def _answers(name: str, check: Awaitable[object]) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            await check
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, the answer is that it does not answer
        log.warning("a dependency does not answer", dependency=name, error=str(error))
        return False
    return True

"""Whether this process lives, and whether what it depends on answers."""

from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.context import ApiContext
from stores.health import Check, ask, objects_answer, postgres_answers


def needs(context: ApiContext) -> dict[str, Check]:
    """What the API cannot do without."""
    return {
        "postgres": postgres_answers(context.database),
        "temporal": context.temporal.service_client.check_health,
        "objects": objects_answer(context.objects),
    }


def router(context: ApiContext) -> APIRouter:
    """``/livez`` says that the process answers; ``/readyz`` that it can do its work."""
    routes = APIRouter()
    checks = needs(context)

    @routes.get("/livez")
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/readyz")
    async def ready() -> JSONResponse:
        answers = await ask(checks)
        results = {name: "ok" if answer else "unavailable" for name, answer in answers.items()}
        status = HTTPStatus.OK if all(answers.values()) else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse({"status": "ok" if all(answers.values()) else "unavailable", "checks": results}, status)

    return routes

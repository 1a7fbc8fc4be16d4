"""Whether this process lives, and whether what it depends on answers."""

from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, Response
from pydantic import Field

from api.context import ApiContext
from schemas.model import Model
from stores.health import Check, ask, objects_answer, postgres_answers


class Answer(StrEnum):
    """Whether somebody answered who was asked."""

    OK = "ok"
    UNAVAILABLE = "unavailable"


class Liveness(Model):
    """That this process answers."""

    status: Answer


class Readiness(Model):
    """What each part that the API cannot do without answers, and whether all do."""

    status: Answer
    checks: dict[str, Answer] = Field(examples=[{"postgres": "ok", "temporal": "ok", "objects": "ok"}])


_NOT_READY: Final[dict[int | str, dict[str, Any]]] = {
    HTTPStatus.SERVICE_UNAVAILABLE.value: {"model": Readiness, "description": "Something it needs does not answer."}
}


def needs(context: ApiContext) -> dict[str, Check]:
    """What the API cannot do without."""
    return {
        "postgres": postgres_answers(context.database),
        "temporal": context.temporal.service_client.check_health,
        "objects": objects_answer(context.objects),
    }


def router(context: ApiContext) -> APIRouter:
    """``/livez`` says that the process answers; ``/readyz`` that it can do its work."""
    routes = APIRouter(tags=["health"])
    checks = needs(context)

    @routes.get("/livez", summary="Ask whether this process lives")
    async def live() -> Liveness:
        return Liveness(status=Answer.OK)

    @routes.get("/readyz", responses=_NOT_READY, summary="Ask whether it can do its work")
    async def ready(response: Response) -> Readiness:
        answers = await ask(checks)
        if not all(answers.values()):
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        results = {name: _answer(answers=answer) for name, answer in answers.items()}
        return Readiness(status=_answer(answers=all(answers.values())), checks=results)

    return routes


def _answer(*, answers: bool) -> Answer:
    return Answer.OK if answers else Answer.UNAVAILABLE

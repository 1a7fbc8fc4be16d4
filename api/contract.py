"""The API's description (OpenAPI 3.1): named the same in every version, and complete without each route's doing."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.problems import MEDIA_TYPE, problem_responses
from schemas.resources.problem import Problem

TITLE: Final = "Cinema AI"
#: Of the contract, not of the program: the first number changes when a client must.
VERSION: Final = "1.0.0"
DESCRIPTION: Final = """\
Raw footage in, finished videos out. Make a **project**, upload its **assets**, order a **job**, and fetch its
**outputs**.

Every error answer is a problem document (RFC 9457) with a stable `code`. What belongs to somebody else does not exist
for you (404). Requests with an `Idempotency-Key` can be sent again at any time: nothing is done twice.
"""

TAGS: Final = {
    "projects": "What belongs to one story: its footage and its jobs.",
    "assets": "Raw footage of a project.",
    "uploads": "Resumable uploads (tus 1.0).",
    "jobs": "Orders for finished videos, and steering them while they are worked on.",
    "events": "Live progress as server-sent events, which any number of clients may watch.",
    "files": "What outputs delivered: videos, thumbnails, captions, and the edit itself.",
    "shares": "Links by which anyone sees one output, until they expire or are revoked.",
    "analytics": "What was made, measured and charged, in totals over time.",
    "tokens": "Access tokens for programs.",
    "audit": "Who did what, and when.",
    "webhooks": "Signed calls of your own address when something happens.",
    "sign-in": "Access tokens on a machine of your own; elsewhere a sign-in service issues them.",
    "health": "For operators: whether this process lives and can do its work.",
}

#: What can be done with what an operation made or gave: the id in its answer is a parameter of these.
LINKS: Final[Mapping[str, Mapping[str, str]]] = {
    "projects.create": {
        "projects.read": "project_id",
        "projects.rename": "project_id",
        "jobs.create": "project_id",
    },
    "jobs.create": {"jobs.read": "job_id", "jobs.cancel": "job_id", "files.archive": "job_id"},
    "jobs.cancel": {"jobs.read": "job_id", "jobs.cancel": "job_id"},
}

#: Answers that any route may give, whoever asks.
OF_ALL: Final = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)
_SUCCESSES: Final = ("200", "201")
_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch")
#: Where the framework says what a refused input looks like, which ours does not.
_OF_FRAMEWORK: Final = ("HTTPValidationError", "ValidationError")


def operation_id(route: APIRoute) -> str:
    """``projects.create``: the resource, and what is done with it. It is what generated clients call it."""
    resource = str(route.tags[0]).replace("-", "_") if route.tags else "other"
    return f"{resource}.{route.name}"


class DescribedApi(FastAPI):
    """An application whose description says of every route which error answers it may give."""

    def __init__(self, *, documented: bool) -> None:
        """``documented`` offers the description and a page about it; without it there is no trace of either."""
        super().__init__(
            title=TITLE,
            version=VERSION,
            description=DESCRIPTION,
            openapi_url="/openapi.json" if documented else None,
            docs_url="/docs" if documented else None,
            redoc_url=None,
            generate_unique_id_function=operation_id,
        )

    def openapi(self) -> dict[str, Any]:
        """The description, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = _completed(super().openapi())
        return self.openapi_schema


def _completed(schema: dict[str, Any]) -> dict[str, Any]:
    """``schema`` with the tags in use and every error answer that follows from what a route takes."""
    for item in schema["paths"].values():
        _empty_answers(item.get("head", {}))
    operations = [item[method] for item in schema["paths"].values() for method in _METHODS if method in item]
    for operation in operations:
        _add_errors(operation)
        _add_links(operation)
    used = {tag for operation in operations for tag in operation.get("tags", ())}
    schema["tags"] = [{"name": name, "description": text} for name, text in TAGS.items() if name in used]
    _add_problem(schema.setdefault("components", {}).setdefault("schemas", {}))
    return schema


def _add_errors(operation: dict[str, Any]) -> None:
    """Keep the answers that the route itself describes; replace the framework's idea of a refused input."""
    answers = operation["responses"]
    refused = answers.get("422")
    takes_input = refused is not None
    if refused is not None and MEDIA_TYPE not in refused.get("content", {}):
        del answers["422"]
    for status, answer in problem_responses(*_errors_of(operation, takes_input=takes_input)).items():
        answers.setdefault(str(status), answer)
    operation["responses"] = dict(sorted(answers.items()))


def _errors_of(operation: dict[str, Any], *, takes_input: bool) -> tuple[HTTPStatus, ...]:
    found = list(OF_ALL)
    if takes_input:
        found.append(HTTPStatus.UNPROCESSABLE_ENTITY)
    if operation.get("security"):
        found += [HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN]
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", ())):
        found.append(HTTPStatus.NOT_FOUND)
    if "requestBody" in operation:
        found += [HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE]
    return tuple(found)


def _empty_answers(operation: dict[str, Any]) -> None:
    """An answer to ``HEAD`` has no body, whatever its route can answer to ``GET``."""
    for answer in operation.get("responses", {}).values():
        answer.pop("content", None)


def _add_links(operation: dict[str, Any]) -> None:
    links = LINKS.get(operation["operationId"])
    if links is None:
        return
    made = next(answer for status, answer in operation["responses"].items() if status in _SUCCESSES)
    made["links"] = {
        name: {"operationId": name, "parameters": {parameter: "$response.body#/id"}}
        for name, parameter in links.items()
    }


def _add_problem(schemas: dict[str, Any]) -> None:
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    for name, definition in problem.pop("$defs").items():
        schemas.setdefault(name, definition)
    schemas["Problem"] = problem
    for name in _OF_FRAMEWORK:
        schemas.pop(name, None)

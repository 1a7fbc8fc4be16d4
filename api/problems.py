"""Errors as problem details (RFC 9457): the same members for ours, the framework's and the unexpected ones."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.edge.exchange import current_exchange
from schemas.errors import OF_MATERIAL, CinemaError, ErrorCode, RateLimited
from schemas.invalid_input import FieldProblem, InvalidInput
from schemas.resources.problem import Problem, code_of
from schemas.scopes import InsufficientScope

MEDIA_TYPE: Final = "application/problem+json"

#: What each error answer means to a client, in the API's description.
MEANING: Mapping[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "The request cannot be read.",
    HTTPStatus.UNAUTHORIZED: "There is no valid access token: sign in, and send the request again.",
    HTTPStatus.FORBIDDEN: "This token, or this place, may not do that.",
    HTTPStatus.NOT_FOUND: "There is no such thing, or it is not yours.",
    HTTPStatus.METHOD_NOT_ALLOWED: "What is at this address cannot do that.",
    HTTPStatus.REQUEST_TIMEOUT: "The request did not arrive in time.",
    HTTPStatus.CONFLICT: "It is in no state for that, or the idempotency key was used for something else.",
    HTTPStatus.GONE: "It was there, and is no more.",
    HTTPStatus.PRECONDITION_FAILED: "It is no longer as the request says it is.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The request is larger than is taken here.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is of a type that is not taken here.",
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "The file has no such bytes.",
    HTTPStatus.LOCKED: "Another request is at it: try again in a moment.",
    HTTPStatus.MISDIRECTED_REQUEST: "This server does not answer for that host name.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The input breaks the contract; `errors` names the fields.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too much at once: try again later, after `Retry-After` seconds where it is given.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong on our side.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Something that this needs is away for the moment; the request can be repeated.",
    HTTPStatus.GATEWAY_TIMEOUT: "It took too long; the request can be repeated.",
    HTTPStatus.INSUFFICIENT_STORAGE: "There is no room for it at the moment.",
}

#: What an error of ours is in HTTP; all others are the server's own fault.
STATUS_OF: Mapping[ErrorCode, HTTPStatus] = {
    ErrorCode.INVALID_INPUT: HTTPStatus.UNPROCESSABLE_ENTITY,
    ErrorCode.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    ErrorCode.FORBIDDEN: HTTPStatus.FORBIDDEN,
    ErrorCode.CONFLICT: HTTPStatus.CONFLICT,
    ErrorCode.LIMIT_EXCEEDED: HTTPStatus.TOO_MANY_REQUESTS,
    ErrorCode.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    ErrorCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    ErrorCode.OBJECT_MISSING: HTTPStatus.NOT_FOUND,
    ErrorCode.INVALID_TRANSITION: HTTPStatus.CONFLICT,
    ErrorCode.STALE_ATTEMPT: HTTPStatus.CONFLICT,
    ErrorCode.WEBHOOK_REFUSED: HTTPStatus.CONFLICT,
    ErrorCode.STORE_UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.STACK_UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.DISK_FULL: HTTPStatus.INSUFFICIENT_STORAGE,
    **dict.fromkeys(OF_MATERIAL, HTTPStatus.UNPROCESSABLE_ENTITY),
    ErrorCode.MEDIA_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}

log = structlog.get_logger(__name__)


def problem_responses(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Error answers as a route's ``responses``; those that any route may give are added to all (``api.contract``)."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status.value: {"description": MEANING[status], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


def problem(
    status: HTTPStatus,
    detail: str,
    *,
    code: ErrorCode | None = None,
    fields: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """A problem document; without our stable ``code`` it has the status's own. ``fields`` are what is wrong."""
    told = Problem(
        title=status.phrase,
        status=status.value,
        detail=detail,
        code=code or code_of(status),
        errors=tuple(fields),
    )
    return problem_answer(told, headers)


def problem_answer(told: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The problem as the answer to the request that is at hand."""
    exchange = current_exchange()
    members = told.model_copy(update={"request_id": exchange and exchange.request_id})
    content = members.model_dump(mode="json", exclude_defaults=True) | {"type": told.type}
    return JSONResponse(content, told.status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def problem_of(error: CinemaError) -> JSONResponse:
    """An error of ours as a problem document. What is our own fault is logged."""
    status = STATUS_OF.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("request failed", exc_info=error)
    fields = error.problems if isinstance(error, InvalidInput) else ()
    return problem(status, error.message, code=error.code, fields=fields, headers=_headers_of(error))


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of ``app`` with a problem document."""
    app.add_exception_handler(CinemaError, _ours)
    app.add_exception_handler(HTTPException, _of_framework)
    app.add_exception_handler(RequestValidationError, _of_request)


async def _ours(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, CinemaError):
        raise error
    return problem_of(error)


def _headers_of(error: CinemaError) -> dict[str, str]:
    """What HTTP has headers for (RFC 6750, section 3; RFC 9110, section 10.2.3)."""
    if error.code is ErrorCode.UNAUTHENTICATED:
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, InsufficientScope) and error.scope is not None:
        return {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{error.scope}"'}
    if isinstance(error, RateLimited):
        return {"Retry-After": str(error.retry_after_s)}
    return {}


async def _of_framework(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    return problem(HTTPStatus(error.status_code), str(error.detail), headers=error.headers)


async def _of_request(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    return await _ours(request, InvalidInput.from_errors(error.errors()))

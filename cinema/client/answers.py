"""Answers as resources, and error answers as errors."""

from http import HTTPStatus
from typing import Final, TypeVar

import httpx
from pydantic import ValidationError

from schemas.errors import CinemaError, ConflictError, ErrorCode, TransientError
from schemas.invalid_input import InvalidInput
from schemas.model import Model
from schemas.resources.problem import Problem, code_of

Resource = TypeVar("Resource", bound=Model)

#: Answers of something that is away or busy for a moment.
PASSING: Final = frozenset({429, 502, 503, 504})


def resource(response: httpx.Response, model: type[Resource]) -> Resource:
    """The resource that a successful answer holds. Members that a newer API has added are left out.

    Raises:
        CinemaError: it is an error, as :func:`raised` says, or no answer of the API's at all.
    """
    try:
        return model.model_validate_json(raised(response).content, extra="ignore")
    except ValidationError as error:
        raise CinemaError(ErrorCode.INTERNAL, "The answer is not one of Cinema AI's API.") from error


def raised(response: httpx.Response) -> httpx.Response:
    """The answer, if it is no error.

    Raises:
        InvalidInput: what was sent breaks the contract; it names the fields.
        ConflictError: what it is about is in no state for that.
        TransientError: something is away, busy or full; the same request may succeed later.
        CinemaError: anything else that the API refused.
    """
    if not response.is_success:
        raise error_of(response)
    return response


def error_of(response: httpx.Response) -> CinemaError:
    """What an error answer says, as the error that it is."""
    told = _problem(response)
    if told.errors:
        error: CinemaError = InvalidInput(told.errors)
    else:
        error = _class_of(response.status_code)(told.code, told.detail)
    request_id = response.headers.get("X-Request-ID")
    if request_id is not None:
        error.add_note(f"request {request_id}")
    return error


def _problem(response: httpx.Response) -> Problem:
    """What the answer says; what it is by its status alone where it comes from something else than the API."""
    try:
        return Problem.model_validate_json(response.content)
    except ValidationError:
        phrase = response.reason_phrase or "No reason was given"
        status = response.status_code
        return Problem(title=phrase, status=status, detail=f"{phrase} ({status}).", code=code_of(status))


def _class_of(status: int) -> type[CinemaError]:
    # Where there is no room now there may be later, though not within the seconds in which a client tries again.
    if status in PASSING or status == HTTPStatus.INSUFFICIENT_STORAGE:
        return TransientError
    return ConflictError if status == HTTPStatus.CONFLICT else CinemaError

"""What every error answer says (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Final

from pydantic import ConfigDict, Field

from schemas.errors import ErrorCode
from schemas.invalid_input import FieldProblem
from schemas.model import Model

#: What a status says by itself, of HTTP's own refusals and of proxies in between; of any other, its class says it.
_CODES: Final[Mapping[int, ErrorCode]] = {
    HTTPStatus.UNAUTHORIZED: ErrorCode.UNAUTHENTICATED,
    HTTPStatus.FORBIDDEN: ErrorCode.FORBIDDEN,
    HTTPStatus.NOT_FOUND: ErrorCode.NOT_FOUND,
    HTTPStatus.GONE: ErrorCode.NOT_FOUND,
    HTTPStatus.CONFLICT: ErrorCode.CONFLICT,
    HTTPStatus.LOCKED: ErrorCode.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ErrorCode.LIMIT_EXCEEDED,
    HTTPStatus.TOO_MANY_REQUESTS: ErrorCode.LIMIT_EXCEEDED,
    HTTPStatus.BAD_GATEWAY: ErrorCode.STACK_UNAVAILABLE,
    HTTPStatus.SERVICE_UNAVAILABLE: ErrorCode.STACK_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT: ErrorCode.STACK_UNAVAILABLE,
}
#: Where a client is to blame.
_OF_CLIENTS: Final = range(400, 500)


def code_of(status: int) -> ErrorCode:
    """The code of an answer of which nothing more is known than its status."""
    by_class = ErrorCode.INVALID_INPUT if status in _OF_CLIENTS else ErrorCode.INTERNAL
    return _CODES.get(status, by_class)


class Problem(Model):
    """Why a request was refused or failed: ``code`` for programs, ``detail`` for people.

    A client accepts members that it does not know (RFC 9457, section 3.2).
    """

    model_config = ConfigDict(extra="ignore")

    type: str = Field("about:blank", examples=["about:blank"])
    title: str = Field(examples=["Unprocessable Content"], description="The status in words.")
    status: Annotated[int, Field(ge=400, le=599, examples=[422])]
    detail: str = Field(examples=["body.name: Field required"], description="A sentence for people.")
    code: ErrorCode = Field(
        examples=[ErrorCode.INVALID_INPUT], description="The stable code that programs act on, with the status."
    )
    errors: tuple[FieldProblem, ...] = Field((), description="What is wrong with the input, by field.")
    request_id: str | None = Field(
        None, examples=["0f7d0a546b7c4c1e9a532c3a4f5b6d7e"], description="To be named when asking for help."
    )

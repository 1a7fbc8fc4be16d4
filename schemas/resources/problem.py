"""What every error answer says (RFC 9457)."""

from typing import Annotated

from pydantic import ConfigDict, Field

from schemas.errors import ErrorCode
from schemas.invalid_input import FieldProblem
from schemas.model import Model


class Problem(Model):
    """Why a request was refused or failed: ``code`` for programs, ``detail`` for people.

    A client accepts members that it does not know (RFC 9457, section 3.2).
    """

    model_config = ConfigDict(extra="ignore")

    type: str = Field("about:blank", examples=["about:blank"])
    title: str = Field(examples=["Unprocessable Content"], description="The status in words.")
    status: Annotated[int, Field(ge=400, le=599, examples=[422])]
    detail: str = Field(examples=["body.name: Field required"], description="A sentence for people.")
    code: ErrorCode | None = Field(
        None,
        examples=[ErrorCode.INVALID_INPUT],
        description="The stable code that programs act on; absent where HTTP itself says it all.",
    )
    errors: tuple[FieldProblem, ...] = Field((), description="What is wrong with the input, by field.")

"""What a sandboxed child process says to its parent, one JSON object a line."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.errors import ErrorInfo
from schemas.jobs import Progress
from schemas.model import Model


class ChildProgressed(Model):
    kind: Literal["progress"] = "progress"
    progress: Progress


class ChildFailed(Model):
    kind: Literal["error"] = "error"
    error: ErrorInfo


class ChildFinished(Model):
    """``result`` is the answer's own JSON, validated by whoever asked."""

    kind: Literal["result"] = "result"
    result: str


ChildMessage = Annotated[ChildProgressed | ChildFailed | ChildFinished, Field(discriminator="kind")]

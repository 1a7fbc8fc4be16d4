"""What a sandboxed child process says to its parent, one JSON object a line."""

from typing import Annotated, Literal

from annotated_types import Ge, Lt
from pydantic import Field

from schemas.errors import ErrorInfo
from schemas.jobs import Progress
from schemas.model import Model

#: Parts of one answer, and characters of one: a day of footage has some hundreds, of some hundred thousand.
MOST_PARTS = 10_000
LONGEST_PART = 1 << 20


class ChildProgressed(Model):
    kind: Literal["progress"] = "progress"
    progress: Progress


class ChildKept(Model):
    """What is finished of a long analysis: ``content`` is part ``number`` of the analyzer's answer, its own JSON."""

    kind: Literal["part"] = "part"
    analyzer: str
    number: Annotated[int, Ge(0), Lt(MOST_PARTS)]
    content: Annotated[str, Field(max_length=LONGEST_PART)]


class ChildFailed(Model):
    kind: Literal["error"] = "error"
    error: ErrorInfo


class ChildFinished(Model):
    """``result`` is the answer's own JSON, validated by whoever asked."""

    kind: Literal["result"] = "result"
    result: str


ChildMessage = Annotated[ChildProgressed | ChildKept | ChildFailed | ChildFinished, Field(discriminator="kind")]

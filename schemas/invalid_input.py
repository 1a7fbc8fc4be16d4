"""Input from outside that breaks a contract: which fields, and what is wrong with each."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from schemas.errors import CinemaError, ErrorCode
from schemas.model import Model

#: Tags of the alternatives that a field may have; they choose a model and are no part of a field's path.
ALTERNATIVES = ("(existing)", "(new)")

#: What pydantic puts before a sentence of ours.
_OURS = "Value error, "

#: What of it is told: a caller mends the first ones first, and input may be nothing but mistakes.
MOST_PROBLEMS = 10
LONGEST_PATH = 200


class FieldProblem(Model):
    """``field`` is the path to it, such as ``new_job.assets.0.kind``; empty where it is the input as a whole."""

    field: str
    problem: str


class InvalidInput(CinemaError):
    """What was asked breaks the contract; the message names every field."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        told = (f"{found.field}: {found.problem}" if found.field else found.problem for found in problems)
        super().__init__(ErrorCode.INVALID_INPUT, "; ".join(told))
        self.problems = tuple(problems)

    @classmethod
    def of(cls, field: str, problem: str) -> "InvalidInput":
        return cls((FieldProblem(field=field, problem=problem),))

    @classmethod
    def from_validation(cls, error: ValidationError) -> "InvalidInput":
        """The same, without the values: they are somebody else's and may be long."""
        return cls.from_errors(error.errors(include_url=False, include_context=False, include_input=False))

    @classmethod
    def from_errors(cls, found: Sequence[Mapping[str, Any]]) -> "InvalidInput":
        """The same from pydantic's list of errors, as FastAPI hands it on."""
        causes = [item for item in found if not any(_follows(item["loc"], other["loc"]) for other in found)]
        told = [(_path(item["loc"]), item["msg"].removeprefix(_OURS)) for item in causes[:MOST_PROBLEMS]]
        return cls([FieldProblem(field=field, problem=problem) for field, problem in told])


def _follows(location: Sequence[int | str], other: Sequence[int | str]) -> bool:
    """Whether it holds the other, as a list that is called too short does when one of its items is bad."""
    return len(location) < len(other) and other[: len(location)] == location


def _path(location: Sequence[int | str]) -> str:
    path = ".".join(str(part) for part in location if part not in ALTERNATIVES)
    return path if len(path) <= LONGEST_PATH else f"{path[:LONGEST_PATH]}…"

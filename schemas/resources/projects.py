"""Projects as the API's clients see them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from schemas.model import Model

LONGEST_NAME = 200


def printable(name: str) -> str:
    if not all(character.isprintable() for character in name):
        raise ValueError("must be one line of printable text")
    return name


#: A name as people give it: one line, spaces around it removed.
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME),
    AfterValidator(printable),
    Field(examples=["Kitchen talk"]),
]


class NewProject(Model):
    name: Name


class ProjectChange(Model):
    name: Name


class ProjectResource(Model):
    """A creator's project. ``deleting`` says that it is going, and takes nothing new."""

    id: UUID = Field(examples=["5f1f7c1a-0a0f-4a8b-8f6d-3b9f2f0f9a11"])
    name: str = Field(examples=["Kitchen talk"])
    created_at: datetime
    updated_at: datetime
    deleting: bool

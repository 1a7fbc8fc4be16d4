"""A whole new job as a program hands it to the workflow that makes it: whose it is, of which footage, and what for."""

from typing import Annotated, Any
from uuid import UUID

from annotated_types import Len
from pydantic import Discriminator, Tag, model_validator

from schemas.invalid_input import ALTERNATIVES
from schemas.jobs import JobRequest
from schemas.media import AssetKind
from schemas.model import Model

#: Most files that one job brings with it.
MOST_ASSETS = 200

#: Lengths in characters, as the database has them.
Name = Annotated[str, Len(1, 500)]
ObjectKey = Annotated[str, Len(1, 1024)]


class ExistingProject(Model):
    """A project of the same owner."""

    id: UUID


class NewProject(Model):
    """A project to be made with the job."""

    name: Name


class ExistingAsset(Model):
    """An asset of the same owner. One of another project is added to this one, without copying its bytes."""

    asset_id: UUID


class NewAsset(Model):
    """An object in bucket ``assets``, in the owner's folder there: ``object_key`` starts with ``{owner_id}/``."""

    object_key: ObjectKey
    name: Name
    kind: AssetKind


def _chosen_by(field: str) -> Discriminator:
    """The alternative that refers to something existing is the one with ``field``."""
    existing, new = ALTERNATIVES

    def choose(value: Any) -> str:
        present = field in value if isinstance(value, dict) else hasattr(value, field)
        return existing if present else new

    return Discriminator(choose)


_EXISTING, _NEW = (Tag(alternative) for alternative in ALTERNATIVES)

ProjectChoice = Annotated[
    Annotated[ExistingProject, _EXISTING] | Annotated[NewProject, _NEW],
    _chosen_by("id"),
]
AssetChoice = Annotated[
    Annotated[ExistingAsset, _EXISTING] | Annotated[NewAsset, _NEW],
    _chosen_by("asset_id"),
]


class NewJob(Model):
    """Everything that the rows of a job are made of.

    A job works with every asset of its project; ``assets`` come after those that are there, in this order. ``owner_id``
    is the subject of the tokens that the owner signs in with; an owner who is not known yet gets the default plan.
    """

    owner_id: UUID
    project: ProjectChoice
    assets: Annotated[tuple[AssetChoice, ...], Len(0, MOST_ASSETS)] = ()
    request: JobRequest = JobRequest()

    @model_validator(mode="after")
    def _has_footage(self) -> "NewJob":
        if isinstance(self.project, NewProject) and not self.assets:
            raise ValueError("a new project needs at least one of assets")
        return self

"""How long things are kept, what a sweep did, and what remains of a deleted project: its record."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from annotated_types import Ge, Gt, Len

from schemas.cost import Bill
from schemas.model import Model

Count = Annotated[int, Ge(0)]


class RetentionPolicy(Model):
    """What holds besides a plan's own days.

    Nothing goes before its creator has known of it for ``notice``, nor within ``grace`` of the day on which their plan
    began to keep things for less. Segments that long outputs were joined of go after ``segments`` without use: they are
    delivered to nobody, and only make the next version sooner. ``batch_size`` is how many items one activity removes.
    """

    notice: Annotated[timedelta, Ge(timedelta(0))] = timedelta(days=7)
    grace: Annotated[timedelta, Ge(timedelta(0))] = timedelta(days=14)
    segments: Annotated[timedelta, Ge(timedelta(0))] = timedelta(days=7)
    batch_size: Annotated[int, Gt(0)] = 100


class SweepCounts(Model):
    """What a sweep has done so far. ``failed`` could not be removed and is tried again by the next sweep."""

    noticed: Count = 0
    withdrawn: Count = 0
    outputs: Count = 0
    assets: Count = 0
    analyses: Count = 0
    segments: Count = 0
    objects: Count = 0
    bytes: Count = 0
    failed: Count = 0

    def plus(self, other: Self) -> Self:
        mine, theirs = self.model_dump(), other.model_dump()
        return self.model_validate({name: mine[name] + theirs[name] for name in mine})


class ItemKind(StrEnum):
    """What has a time to go."""

    ASSET = "asset"
    OUTPUT = "output"


class ExpiringItem(Model):
    """One thing that goes, as its creator is told: a file by its name, an output by its variant."""

    id: UUID
    kind: ItemKind
    name: str
    size_bytes: Count
    expires_at: datetime


class ExpiryNotice(Model):
    """The body of a notice ``retention.expiring``: up to ``LISTED_ITEMS`` of the items, and how many there are."""

    project_id: UUID
    project_name: str
    expires_at: datetime
    assets: Count
    outputs: Count
    size_bytes: Count
    items: tuple[ExpiringItem, ...]


class Forecast(Model):
    """Items of one kind that go on one day (UTC). ``announced`` says whether their creators know already."""

    kind: ItemKind
    day: datetime
    announced: bool
    items: Count
    size_bytes: Count


class RetentionStatus(Model):
    """What is due when, and what an earlier sweep began and has not finished."""

    forecasts: tuple[Forecast, ...]
    unfinished: Count
    unused_analyses: Count


class Volume(Model):
    """A number of objects and their bytes."""

    objects: Count = 0
    bytes: Count = 0

    def plus(self, other: Self) -> Self:
        return self.model_validate({"objects": self.objects + other.objects, "bytes": self.bytes + other.bytes})


class Inventory(Model):
    """What a deletion removes, by bucket, and the objects it must leave because another project has them too."""

    removed: Mapping[str, Volume]
    shared: Count = 0


class Verification(Model):
    """What looking again has shown, after everything was removed.

    ``keys_checked`` are the objects that rows had named, each looked up by its key; ``objects`` those found in each
    bucket, by key or below the project's prefix; ``rows`` those found in each table.
    """

    keys_checked: Count
    objects: Mapping[str, Count]
    rows: Mapping[str, Count]
    at: datetime

    @property
    def clean(self) -> bool:
        return not any(self.objects.values()) and not any(self.rows.values())


class DeletionRecord(Model):
    """Who had a project deleted, when, how much it was, and the proof that nothing is left."""

    id: UUID
    project_id: UUID
    owner_id: UUID
    requested_by: Annotated[str, Len(1, 200)]
    inventory: Inventory | None = None
    rows_removed: Mapping[str, Count] | None = None
    verification: Verification | None = None
    created_at: datetime
    finished_at: datetime | None = None


class JobDeletionRecord(Model):
    """Who had a job deleted, when, how much it was and had cost, and the proof that nothing is left."""

    id: UUID
    job_id: UUID
    project_id: UUID
    owner_id: UUID
    requested_by: Annotated[str, Len(1, 200)]
    bill: Bill
    inventory: Inventory | None = None
    rows_removed: Mapping[str, Count] | None = None
    verification: Verification | None = None
    created_at: datetime
    finished_at: datetime | None = None


#: Items that one notice lists by name; of more it says how many.
LISTED_ITEMS = 50

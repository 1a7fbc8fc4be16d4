"""How a program starts and finds the workflows that remove things: types, ids, input."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from annotated_types import Ge, Gt, Len

from schemas.model import Model
from schemas.retention import RetentionPolicy, SweepCounts

#: Input: ``RetentionSweepInput``; result: ``SweepCounts``.
RETENTION_SWEEP = "RetentionSweep"
#: Input: ``DeleteProjectInput``; result: ``DeletionRecord``.
DELETE_PROJECT = "DeleteProject"
#: Input: ``DeleteJobInput``; result: ``JobDeletionRecord``.
DELETE_JOB = "DeleteJob"

#: The schedule that starts sweeps, one per namespace, and the sweep that an operator starts. Sweeps may overlap.
RETENTION_SCHEDULE = "retention-sweep"
MANUAL_SWEEP_ID = "retention-sweep-by-hand"


class RetentionSweepInput(Model):
    """What a sweep goes by; ``as_of`` is its start if it is not given.

    After ``batches_per_run`` batches it continues as a new run; ``step``, ``after``, ``counts`` and ``trouble`` are
    what it hands on to itself then.
    """

    policy: RetentionPolicy = RetentionPolicy()
    batches_per_run: Annotated[int, Gt(0)] = 200
    as_of: datetime | None = None
    step: Annotated[int, Ge(0)] = 0
    after: str | None = None
    counts: SweepCounts = SweepCounts()
    trouble: tuple[str, ...] = ()


class DeleteProjectInput(Model):
    """``requested_by`` says who wanted it, for the record that remains."""

    project_id: UUID
    requested_by: Annotated[str, Len(1, 200)]


def delete_project_id(project_id: UUID) -> str:
    """The workflow id of a deletion: one at a time for each project, whoever asks."""
    return f"delete-project-{project_id}"


class DeleteJobInput(Model):
    """``requested_by`` says who wanted it, for the record that remains."""

    job_id: UUID
    requested_by: Annotated[str, Len(1, 200)]


def delete_job_id(job_id: UUID) -> str:
    """The workflow id of a job's deletion: one at a time for each job, whoever asks."""
    return f"delete-job-{job_id}"

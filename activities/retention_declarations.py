"""The activities that remove what nobody is to have any more, as workflows see them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from annotated_types import Len

from activities.declarations import Declaration, JobRef, TaskQueue
from schemas.model import Model
from schemas.retention import Count, DeletionRecord, JobDeletionRecord, RetentionPolicy, SweepCounts


class SweepBatch(Model):
    """One batch of a sweep as of a moment; ``after`` is where the batch before it stopped."""

    policy: RetentionPolicy
    as_of: datetime
    after: str | None = None


class SweptBatch(Model):
    """What a batch did; ``more`` says that there is another one, which starts after ``after``."""

    counts: SweepCounts
    more: bool
    after: str | None = None


class ProjectRef(Model):
    project_id: UUID


class BeginDeletion(Model):
    """``requested_by`` goes into the record as it is."""

    project_id: UUID
    requested_by: Annotated[str, Len(1, 200)]


class UnsettledJobs(Model):
    """Jobs of a project that run or wait; of very many only the first."""

    job_ids: tuple[UUID, ...]


class JobToCancel(Model):
    job_id: UUID


class RemovedObjects(Model):
    """How many keys that rows had named were looked up again, and found gone."""

    keys_checked: Count


class FinishDeletion(Model):
    project_id: UUID
    keys_checked: Count


class BeginJobDeletion(Model):
    """``requested_by`` goes into the record as it is."""

    job_id: UUID
    requested_by: Annotated[str, Len(1, 200)]


class FinishJobDeletion(Model):
    job_id: UUID
    keys_checked: Count


ANNOUNCE_EXPIRY = Declaration("announce_expiry", TaskQueue.JOBS, SweepBatch, SweptBatch)
EXPIRE_OUTPUTS = Declaration("expire_outputs", TaskQueue.JOBS, SweepBatch, SweptBatch)
EXPIRE_ASSETS = Declaration("expire_assets", TaskQueue.JOBS, SweepBatch, SweptBatch)
REMOVE_UNUSED_ANALYSES = Declaration("remove_unused_analyses", TaskQueue.JOBS, SweepBatch, SweptBatch)
REMOVE_UNUSED_SEGMENTS = Declaration("remove_unused_segments", TaskQueue.JOBS, SweepBatch, SweptBatch)

BEGIN_DELETION = Declaration("begin_deletion", TaskQueue.JOBS, BeginDeletion, DeletionRecord)
FIND_UNSETTLED_JOBS = Declaration("find_unsettled_jobs", TaskQueue.JOBS, ProjectRef, UnsettledJobs)
CANCEL_JOB_ROWS = Declaration("cancel_job_rows", TaskQueue.JOBS, JobToCancel, type(None))
TAKE_INVENTORY = Declaration("take_inventory", TaskQueue.JOBS, ProjectRef, DeletionRecord)
REMOVE_PROJECT_OBJECTS = Declaration("remove_project_objects", TaskQueue.JOBS, ProjectRef, RemovedObjects)
FINISH_DELETION = Declaration("finish_deletion", TaskQueue.JOBS, FinishDeletion, DeletionRecord)

BEGIN_JOB_DELETION = Declaration("begin_job_deletion", TaskQueue.JOBS, BeginJobDeletion, JobDeletionRecord)
REMOVE_JOB_OBJECTS = Declaration("remove_job_objects", TaskQueue.JOBS, JobRef, RemovedObjects)
FINISH_JOB_DELETION = Declaration("finish_job_deletion", TaskQueue.JOBS, FinishJobDeletion, JobDeletionRecord)

"""How a program of ours has a project or a job deleted."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from schemas.errors import ErrorCode, TransientError
from schemas.retention import DeletionRecord, JobDeletionRecord
from workflows.contract import JOBS_QUEUE
from workflows.retention_contract import (
    DELETE_JOB,
    DELETE_PROJECT,
    DeleteJobInput,
    DeleteProjectInput,
    delete_job_id,
    delete_project_id,
)


async def start_deletion(
    client: Client, project_id: UUID, *, requested_by: str
) -> WorkflowHandle[object, DeletionRecord]:
    """The workflow that deletes the project, which is begun unless it runs already.

    Raises:
        TransientError: Temporal cannot be reached (``STACK_UNAVAILABLE``).
    """
    with _reaching("project"):
        return await client.start_workflow(
            DELETE_PROJECT,
            DeleteProjectInput(project_id=project_id, requested_by=requested_by),
            id=delete_project_id(project_id),
            task_queue=JOBS_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=f"delete project {project_id}",
            result_type=DeletionRecord,
        )


async def start_job_deletion(
    client: Client, job_id: UUID, *, requested_by: str
) -> WorkflowHandle[object, JobDeletionRecord]:
    """The workflow that deletes the job, which is begun unless it runs already.

    Raises:
        TransientError: Temporal cannot be reached (``STACK_UNAVAILABLE``).
    """
    with _reaching("job"):
        return await client.start_workflow(
            DELETE_JOB,
            DeleteJobInput(job_id=job_id, requested_by=requested_by),
            id=delete_job_id(job_id),
            task_queue=JOBS_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=f"delete job {job_id}",
            result_type=JobDeletionRecord,
        )


@contextmanager
def _reaching(what: str) -> Iterator[None]:
    try:
        yield
    except (RPCError, RuntimeError) as error:
        # RuntimeError: the SDK's own, where a client that connects at its first call cannot.
        message = f"The {what} cannot be deleted at the moment; try again later."
        raise TransientError(ErrorCode.STACK_UNAVAILABLE, message) from error

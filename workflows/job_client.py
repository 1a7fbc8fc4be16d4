"""How a program of ours starts, steers and asks the workflow of a job."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypedDict
from uuid import UUID, uuid4

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import (
    Priority,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from schemas.control import ApproveOutputs, CancelOutputs, JobState, RetryOutputs, Steered
from schemas.errors import CinemaError, ErrorCode, ErrorInfo, TransientError
from schemas.jobs import Job, Project
from schemas.model import Model
from workflows.contract import (
    APPROVE,
    CANCEL_OUTPUTS,
    DIRECT_JOB,
    JOB_EXECUTION_TIMEOUT,
    JOB_STATE,
    JOB_STATUS,
    JOBS_QUEUE,
    OWNER,
    PAUSE,
    PROJECT,
    RESUME,
    RETRY_OUTPUTS,
    VARIANTS,
    DirectJobInput,
    DirectJobResult,
    direct_job_id,
    summary_line,
)

#: Longest wait for a query's answer, which needs a worker.
QUERY_TIMEOUT = timedelta(seconds=10)

#: Longest wait for an order to be carried out: a worker that is called off has tidied up within seconds, and one that
#: was lost is noticed within 15. Shorter than the API waits for itself, so that its answer says what is the matter.
ORDER_PATIENCE = timedelta(seconds=20)


class StartOptions(TypedDict):
    """All of a job's start but what is to happen if its workflow is there already."""

    id: str
    task_queue: str
    execution_timeout: timedelta
    search_attributes: TypedSearchAttributes
    static_summary: str
    static_details: str
    memo: dict[str, str]
    priority: Priority


def start_options(job: Job, project: Project) -> StartOptions:
    """What operators see of a job from its start on, whoever starts it."""
    return StartOptions(
        id=direct_job_id(job.id),
        task_queue=JOBS_QUEUE,
        execution_timeout=JOB_EXECUTION_TIMEOUT,
        search_attributes=_search_attributes(job),
        static_summary=summary_line(f"{project.name}: {', '.join(output.name for output in job.outputs)}"),
        static_details=_details(job, project),
        memo={"project": project.name, "owner": str(job.owner_id), "pace": job.request.pace},
        priority=Priority(fairness_key=str(job.owner_id)),
    )


class JobClient:
    """Steers jobs through their workflows; each method raises what its job answers.

    Every order has an id: sent again with the same one it is carried out once and answered the same way.

    Raises:
        CinemaError: The job has no running workflow, or no such output (``NOT_FOUND``); or it, or one of its outputs,
            is in no state for that, and the sentence says which (``INVALID_TRANSITION``).
        TransientError: Temporal cannot be reached, or no worker has answered in time (``STACK_UNAVAILABLE``). The order
            may be carried out yet.
    """

    def __init__(self, client: Client, patience: timedelta = ORDER_PATIENCE) -> None:
        self._client = client
        self._patience = patience

    async def retry(
        self, job: Job, project: Project, outputs: Sequence[UUID] = (), *, order_id: str | None = None
    ) -> Steered:
        """Make outputs again that failed or were cancelled, all of them if none is named; a closed job is reopened.

        Raises:
            CinemaError: an order of this id named other outputs (``CONFLICT``).
        """
        start: WithStartWorkflowOperation[object, DirectJobResult] = WithStartWorkflowOperation(
            DIRECT_JOB,
            DirectJobInput(job_id=job.id),
            result_type=DirectJobResult,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            **start_options(job, project),
        )
        async with _answered(self._patience):
            steered: Steered = await self._client.execute_update_with_start_workflow(
                RETRY_OUTPUTS,
                RetryOutputs(outputs=tuple(outputs)),
                start_workflow_operation=start,
                id=order_id or str(uuid4()),
                result_type=Steered,
            )
        # What was asked for first is answered, whatever is named now: nothing was done about that.
        if outputs and set(outputs) != set(steered.outputs):
            raise CinemaError(ErrorCode.CONFLICT, "This name was used for another order to make outputs again.")
        return steered

    async def cancel_outputs(self, job_id: UUID, outputs: Sequence[UUID] = ()) -> Steered:
        """Call outputs off, the whole job if none is named; answered when nobody works on them any more."""
        return await self._update(job_id, CANCEL_OUTPUTS, CancelOutputs(outputs=tuple(outputs)))

    async def approve(self, job_id: UUID, outputs: Sequence[UUID] = ()) -> Steered:
        """Render these of the plans that await approval and call the others off; all are rendered if none is named."""
        return await self._update(job_id, APPROVE, ApproveOutputs(outputs=tuple(outputs)))

    async def pause(self, job_id: UUID) -> Steered:
        """Begin nothing new."""
        return await self._update(job_id, PAUSE)

    async def resume(self, job_id: UUID) -> Steered:
        """Go on after a pause."""
        return await self._update(job_id, RESUME)

    async def state(self, job_id: UUID) -> JobState:
        """The job as its workflow, running or closed, knows it."""
        async with _answered(QUERY_TIMEOUT):
            state: JobState = await self._workflow(job_id).query(JOB_STATE, result_type=JobState)
        return state

    async def _update(self, job_id: UUID, update: str, argument: Model | None = None) -> Steered:
        arguments = [] if argument is None else [argument]
        async with _answered(self._patience):
            steered: Steered = await self._workflow(job_id).execute_update(
                update, args=arguments, id=str(uuid4()), result_type=Steered
            )
        return steered

    def _workflow(self, job_id: UUID) -> WorkflowHandle[object, DirectJobResult]:
        return self._client.get_workflow_handle(direct_job_id(job_id), result_type=DirectJobResult)


@asynccontextmanager
async def _answered(patience: timedelta) -> AsyncIterator[None]:
    """What Temporal raises as our errors, and the same where no answer comes in time."""
    try:
        async with asyncio.timeout(patience.total_seconds()):
            yield
    except WorkflowUpdateFailedError as failure:
        raise _refusal(failure) from failure
    except WorkflowQueryFailedError as failure:
        raise CinemaError(ErrorCode.INTERNAL, f"The job's workflow cannot say how it is: {failure}.") from failure
    except (WorkflowUpdateRPCTimeoutOrCancelledError, RPCError, RuntimeError, TimeoutError) as error:
        # RuntimeError: the SDK's own, where a client that connects at its first call cannot.
        raise _unanswered(error) from error


def _refusal(failure: WorkflowUpdateFailedError) -> CinemaError:
    match failure.cause:
        case ApplicationError(details=[dict() as info, *_]):
            return CinemaError.from_info(ErrorInfo.model_validate(info))
        case cause:
            return CinemaError(ErrorCode.INVALID_TRANSITION, f"The job refused this: {cause}.")


def _unanswered(error: Exception) -> CinemaError:
    if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
        return CinemaError(ErrorCode.NOT_FOUND, "This job has no running workflow: it has not begun, or it has ended.")
    return TransientError(ErrorCode.STACK_UNAVAILABLE, "The job cannot be reached at the moment; try again later.")


def _search_attributes(job: Job) -> TypedSearchAttributes:
    return TypedSearchAttributes(
        [
            SearchAttributePair(OWNER, str(job.owner_id)),
            SearchAttributePair(PROJECT, str(job.project_id)),
            SearchAttributePair(JOB_STATUS, job.status.value),
            SearchAttributePair(VARIANTS, list(dict.fromkeys(output.variant.value for output in job.outputs))),
        ]
    )


def _details(job: Job, project: Project) -> str:
    return (
        f"Project `{project.id}` of owner `{job.owner_id}`\n\n"
        f"Pace {job.request.pace}, language {job.request.language or 'as spoken'}, "
        f"created {job.created_at:%Y-%m-%d %H:%M:%S} UTC"
    )

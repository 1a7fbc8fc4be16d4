"""What a client started a workflow with, read so that a mistake is answered.

Temporal decodes a workflow's arguments before the workflow runs, and tries again for ever where that fails: to the
client the workflow just hangs. So ours take their argument undecoded, and refuse a bad one themselves.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from pydantic import ValidationError
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from schemas.invalid_input import InvalidInput
from schemas.opening import NewJob
from workflows.contract import ContinuedJob, DirectJobInput, direct_job_id

Method = TypeVar("Method", bound=Callable[..., Any])

#: What stands for any number of arguments that is not one.
NO_ARGUMENT = RawValue(Payload())

_NOT_ONE_OBJECT = InvalidInput.of("", "the workflow takes one argument, an object in JSON (encoding json/plain)")


@dataclass(frozen=True)
class ReceivedJob:
    """A job as it was asked for. With a ``refusal`` it is not to be made, and the other fields say nothing."""

    job_id: UUID
    new_job: NewJob | None = None
    continued: ContinuedJob | None = None
    refusal: InvalidInput | None = None


def by_contract(method: Method) -> Method:
    """For ``__init__`` and ``run`` of a workflow that other programs start.

    Any other number of arguments than one arrives as :data:`NO_ARGUMENT`. A failure is the error itself, with its type
    and details, and not that of the activity that met it.
    """

    @functools.wraps(method)
    def called(self: object, *arguments: RawValue) -> Any:
        return method(self, arguments[0] if len(arguments) == 1 else NO_ARGUMENT)

    @functools.wraps(method)
    async def awaited(self: object, *arguments: RawValue) -> Any:
        try:
            return await called(self, *arguments)
        except ActivityError as error:
            if isinstance(error.cause, ApplicationError):
                raise error.cause from None
            raise

    return awaited if inspect.iscoroutinefunction(method) else called  # type: ignore[return-value] # same signature


def received_job(argument: RawValue) -> ReceivedJob:
    """The argument of this workflow's start, checked against the contract and against the workflow's own id."""
    try:
        job = _decoded(argument.payload)
        if workflow.info().workflow_id != direct_job_id(job.job_id):
            raise InvalidInput.of("job_id", f"the id of this job's workflow must be {direct_job_id(job.job_id)}")
    except InvalidInput as refusal:
        return ReceivedJob(job_id=UUID(int=0), refusal=refusal)
    return ReceivedJob(job_id=job.job_id, new_job=job.new_job, continued=job.continued)


def _decoded(payload: Payload) -> DirectJobInput:
    try:
        job = workflow.payload_converter().from_payload(payload, DirectJobInput)
    except ValidationError as error:
        raise InvalidInput.from_validation(error) from error
    except (LookupError, RuntimeError, ValueError) as error:
        # Another encoding than ours: encrypted with a key that this worker does not have, or none at all.
        raise _NOT_ONE_OBJECT from error
    if not isinstance(job, DirectJobInput):
        raise _NOT_ONE_OBJECT
    return job

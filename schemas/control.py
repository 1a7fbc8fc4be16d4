"""Steering a job: what may be asked of it while it runs or afterwards, and what it answers."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from annotated_types import Ge, Len

from schemas.edl import Variant
from schemas.errors import CinemaError, ConflictError, ErrorCode, ErrorInfo
from schemas.jobs import ArtifactCounts, JobStatus, Output, OutputStatus, output_name
from schemas.model import Model

#: Output ids, at most as many as any job has outputs.
OutputIds = Annotated[tuple[UUID, ...], Len(0, 100)]


class RetryOutputs(Model):
    """Make these outputs again, or without any named every one that failed or was cancelled."""

    outputs: OutputIds = ()


class CancelOutputs(Model):
    """Call these outputs off, or without any named every one that has not settled."""

    outputs: OutputIds = ()


class ApproveOutputs(Model):
    """Render these of the outputs that await approval and call the others off; without any named, render them all."""

    outputs: OutputIds = ()


class OutputState(Model):
    """An output as its workflow knows it; how far its render is stands in its row.

    It is ``number`` of the ``count`` that the job makes of its variant.
    ``edl_key`` is where its plan lies in bucket ``outputs``. Once ``expired``, it takes a new job to make it again.
    """

    output_id: UUID
    variant: Variant
    number: Annotated[int, Ge(1)] = 1
    count: Annotated[int, Ge(1)] = 1
    status: OutputStatus
    attempt: Annotated[int, Ge(0)] = 0
    edl_key: str | None = None
    error: ErrorInfo | None = None
    approved: bool = False
    awaits_approval: bool = False
    expired: bool = False

    @classmethod
    def of(cls, output: Output) -> Self:
        return cls(
            output_id=output.id,
            variant=output.variant,
            number=output.number,
            count=output.count,
            status=output.status,
            attempt=output.attempt,
            edl_key=output.edl_key,
            error=output.error,
            approved=output.approved_at is not None,
            expired=output.expiring_since is not None,
        )

    @property
    def name(self) -> str:
        return output_name(self.variant, self.number, self.count)


class RefusedFile(Model):
    """A file that could not be used, and why."""

    asset_id: UUID
    name: str
    error: ErrorInfo


class JobState(Model):
    """A job as its workflow knows it.

    ``status`` is what its row says. ``stage`` says where it is under a pause too. ``approve_by`` is when the job stops
    waiting for an approval.
    """

    job_id: UUID
    status: JobStatus
    stage: JobStatus
    paused: bool
    approve_by: datetime | None
    outputs: tuple[OutputState, ...]
    refused_files: tuple[RefusedFile, ...]
    artifacts: ArtifactCounts


class Steered(Model):
    """The answer to whoever steers a job: the outputs it concerned, and the job as it is now."""

    outputs: tuple[UUID, ...]
    job: JobState


def is_to_retry(output: OutputState) -> bool:
    """Whether it can be made again."""
    return output.status in {OutputStatus.FAILED, OutputStatus.CANCELLED} and not output.expired


def outputs_to_retry(outputs: Sequence[OutputState], wanted: Sequence[UUID]) -> tuple[OutputState, ...]:
    """Those to make again.

    Raises:
        CinemaError: an output is not this job's (``NOT_FOUND``).
        ConflictError: one has not failed or been cancelled, or has expired, or there is none at all
            (``INVALID_TRANSITION``).
    """
    return _chosen(
        outputs,
        wanted,
        is_to_retry,
        otherwise="only what failed or was cancelled, and has not expired, can be made again",
        nothing="Nothing of this job failed or was cancelled and is still kept, so there is nothing to make again.",
    )


def outputs_to_cancel(outputs: Sequence[OutputState], wanted: Sequence[UUID]) -> tuple[OutputState, ...]:
    """Those to call off.

    Raises:
        CinemaError: an output is not this job's (``NOT_FOUND``).
        ConflictError: one has settled, or all have (``INVALID_TRANSITION``).
    """
    return _chosen(
        outputs,
        wanted,
        lambda output: not output.status.settled,
        otherwise="only what is still to be made can be called off",
        nothing="Everything in this job has settled, so there is nothing to call off.",
    )


def outputs_to_approve(outputs: Sequence[OutputState], wanted: Sequence[UUID]) -> tuple[OutputState, ...]:
    """Those to render.

    Raises:
        CinemaError: an output is not this job's (``NOT_FOUND``).
        ConflictError: one does not await approval, or none does (``INVALID_TRANSITION``).
    """
    return _chosen(
        outputs,
        wanted,
        lambda output: output.awaits_approval,
        otherwise="only what awaits approval can be approved",
        nothing="Nothing of this job awaits approval at the moment.",
    )


def _chosen(
    outputs: Sequence[OutputState],
    wanted: Sequence[UUID],
    eligible: Callable[[OutputState], bool],
    *,
    otherwise: str,
    nothing: str,
) -> tuple[OutputState, ...]:
    known = {output.output_id: output for output in outputs}
    for output_id in wanted:
        if output_id not in known:
            raise CinemaError(ErrorCode.NOT_FOUND, f"outputs: this job has no output {output_id}.")
        if not eligible(known[output_id]):
            output = known[output_id]
            raise ConflictError(
                ErrorCode.INVALID_TRANSITION, f"outputs: {output.name} is {output.status}; {otherwise}."
            )
    chosen = tuple(output for output in outputs if eligible(output) and (not wanted or output.output_id in set(wanted)))
    if not chosen:
        raise ConflictError(ErrorCode.INVALID_TRANSITION, nothing)
    return chosen

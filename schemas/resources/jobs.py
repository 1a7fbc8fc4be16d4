"""Jobs and their outputs as the API's clients see them."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from annotated_types import Ge, Len
from pydantic import Field

from schemas.delivery import DeliveryReport
from schemas.edl import Variant
from schemas.errors import ErrorInfo
from schemas.jobs import ArtifactCounts, Job, JobRequest, JobStatus, Output, OutputSpec, OutputStatus, Progress
from schemas.model import Model

#: Output ids, at most as many as any job has outputs.
OutputChoice = Annotated[
    tuple[UUID, ...], Len(0, 100), Field(description="Which outputs; none named means all that it applies to.")
]


class OutputsOrder(Model):
    """An order about some outputs of a job, or about all that it applies to."""

    outputs: OutputChoice = Field((), examples=[[]])


_ID = "0f7d0a54-6b7c-4c1e-9a53-2c3a4f5b6d7e"


class OutputResource(Model):
    """One finished video, or one that is still to be made: ``number`` of ``count`` that its job makes of the variant.

    ``spec`` is how it was asked for; jobs of earlier releases do not say it apart from their request.
    ``size_bytes``, ``sha256`` and ``report`` are there once it is completed; ``report`` is what was measured on the
    finished file before it was published. ``expires_at`` is when its files go, if nothing happens; once ``expired``,
    they are gone, and what was made and measured is still told.
    """

    id: UUID = Field(examples=[_ID])
    job_id: UUID = Field(examples=[_ID])
    variant: Variant
    number: Annotated[int, Ge(1)]
    count: Annotated[int, Ge(1)]
    spec: OutputSpec | None
    status: OutputStatus
    attempt: Annotated[int, Ge(0)]
    progress: Progress = Field(examples=[0.42])
    stage: str = Field(examples=["rendering"])
    error: ErrorInfo | None
    planned: bool
    approved_at: datetime | None
    size_bytes: int | None = Field(examples=[18_734_112])
    sha256: str | None = Field(examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])
    report: DeliveryReport | None
    expires_at: datetime | None
    expired: bool
    updated_at: datetime

    @classmethod
    def of(cls, output: Output) -> Self:
        files = output.files
        return cls(
            id=output.id,
            job_id=output.job_id,
            variant=output.variant,
            number=output.number,
            count=output.count,
            spec=output.spec,
            status=output.status,
            attempt=output.attempt,
            progress=output.progress,
            stage=output.stage,
            error=output.error,
            planned=output.edl_key is not None,
            approved_at=output.approved_at,
            size_bytes=files and files.video_bytes,
            sha256=files and files.video_sha256,
            report=files and files.report,
            expires_at=output.expires_at,
            expired=output.expiring_since is not None,
            updated_at=output.updated_at,
        )


class JobResource(Model):
    """A job with all its outputs. ``error`` says why nothing at all could be made."""

    id: UUID = Field(examples=[_ID])
    project_id: UUID = Field(examples=[_ID])
    status: JobStatus
    request: JobRequest
    analyses: ArtifactCounts
    error: ErrorInfo | None
    outputs: tuple[OutputResource, ...]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls(
            id=job.id,
            project_id=job.project_id,
            status=job.status,
            request=job.request,
            analyses=job.artifacts,
            error=job.error,
            outputs=tuple(OutputResource.of(output) for output in job.outputs),
            created_at=job.created_at,
            updated_at=job.updated_at,
        )

"""What became of a job: for programs as one JSON document, for people as lines."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

from cinema.directing.delivering import Delivery
from schemas.delivery import DeliveryReport
from schemas.edl import Variant
from schemas.errors import ErrorInfo
from schemas.jobs import ArtifactCounts, Asset, AssetStatus, Job, JobStatus, Output, OutputStatus
from schemas.media import AssetKind
from schemas.model import Model

#: Exit statuses of the command.
ALL_MADE, NONE_MADE, SOME_MADE, CALLED_OFF = 0, 1, 3, 130


class AssetOutcome(Model):
    name: str
    kind: AssetKind
    status: AssetStatus
    error: ErrorInfo | None


class OutputOutcome(Model):
    """``files`` are the paths written, by file ending; a completed output with an error could not be written whole."""

    id: UUID
    variant: Variant
    name: str
    status: OutputStatus
    attempt: int
    error: ErrorInfo | None
    files: dict[str, Path]
    report: DeliveryReport | None


class DirectReport(Model):
    """The whole outcome. ``stages`` are seconds the job was seen in each stage; ``seconds`` is from start to files."""

    job_id: UUID
    project_id: UUID
    title: str
    status: JobStatus
    error: ErrorInfo | None
    assets: tuple[AssetOutcome, ...]
    outputs: tuple[OutputOutcome, ...]
    analyses: ArtifactCounts
    stages: dict[str, float]
    seconds: float
    temporal_ui_url: str | None

    @property
    def exit_status(self) -> int:
        """By what is in the folder now, which is what was asked for."""
        made = [output.status is OutputStatus.COMPLETED and output.error is None for output in self.outputs]
        if not any(made):
            return NONE_MADE
        return ALL_MADE if all(made) and self.status is JobStatus.COMPLETED else SOME_MADE


def report_of(
    job: Job,
    *,
    before: ArtifactCounts,
    title: str,
    assets: Sequence[Asset],
    deliveries: Mapping[UUID, Delivery],
    stages: dict[str, float],
    seconds: float,
    temporal_ui_url: str | None,
) -> DirectReport:
    """The report of a settled job; ``before`` is what it had counted when what is reported began."""
    return DirectReport(
        job_id=job.id,
        project_id=job.project_id,
        title=title,
        status=job.status,
        error=job.error,
        assets=tuple(
            AssetOutcome(name=asset.name, kind=asset.kind, status=asset.status, error=asset.error) for asset in assets
        ),
        outputs=tuple(_outcome(output, deliveries.get(output.id)) for output in job.outputs),
        analyses=_since(before, job.artifacts),
        stages=stages,
        seconds=round(seconds, 2),
        temporal_ui_url=temporal_ui_url,
    )


def _since(before: ArtifactCounts, now: ArtifactCounts) -> ArtifactCounts:
    """What has been made since, and what was there of all that the job needs."""
    computed = now.computed - before.computed
    return ArtifactCounts(computed=computed, reused=now.computed + now.reused - computed)


def _outcome(output: Output, delivery: Delivery | None) -> OutputOutcome:
    return OutputOutcome(
        id=output.id,
        variant=output.variant,
        name=output.name,
        status=output.status,
        attempt=output.attempt,
        error=output.error or (delivery.error if delivery is not None else None),
        files=dict(delivery.files) if delivery is not None else {},
        report=output.files.report if output.files is not None else None,
    )

"""Projects, assets, jobs and outputs as every client sees them, and what a job may ask for."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from annotated_types import Ge, Le, Len
from pydantic import Field, model_validator

from schemas.delivery import DeliveryReport
from schemas.edl import Variant
from schemas.errors import ErrorInfo
from schemas.media import AssetKind
from schemas.model import Model

Progress = Annotated[float, Ge(0), Le(1)]


class Pace(StrEnum):
    RELAXED = "relaxed"
    NATURAL = "natural"
    FAST = "fast"


class EditStyle(StrEnum):
    """How an edit looks, whatever its pace."""

    NATURAL = "natural"
    CINEMATIC = "cinematic"
    PUNCHY = "punchy"


class CaptionChoice(StrEnum):
    """Where captions go: nowhere, into the picture, or only into files beside the video."""

    OFF = "off"
    BURNED = "burned"
    SIDECAR = "sidecar"


#: Outputs of one variant that a job may ask for.
MOST_OF_A_VARIANT = 20


class JobStatus(StrEnum):
    QUEUED = "queued"
    ANALYSING = "analysing"
    PLANNING = "planning"
    AWAITING_APPROVAL = "awaiting_approval"
    RENDERING = "rendering"
    PAUSED = "paused"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def settled(self) -> bool:
        return self in {JobStatus.COMPLETED, JobStatus.PARTIAL, JobStatus.FAILED, JobStatus.CANCELLED}


class OutputStatus(StrEnum):
    QUEUED = "queued"
    PLANNED = "planned"
    RENDERING = "rendering"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def settled(self) -> bool:
        return self in {OutputStatus.COMPLETED, OutputStatus.FAILED, OutputStatus.CANCELLED}


class AssetStatus(StrEnum):
    READY = "ready"
    REFUSED = "refused"


class ApprovalDefault(StrEnum):
    """What becomes of plans that nobody has approved in time."""

    APPROVE = "approve"
    CANCEL = "cancel"


class ApprovalPolicy(Model):
    """The job shows its plans and waits, for a minute to a week, before it renders them."""

    timeout_seconds: Annotated[int, Ge(60), Le(7 * 86_400)] = 86_400
    default: ApprovalDefault = ApprovalDefault.CANCEL


class BroughtPlan(Model):
    """An edit that is rendered as it is, instead of one of the director's.

    It lies with the project under the SHA-256 of its JSON, where ``POST /outputs/{id}/revisions`` has stored it.
    ``revised_from`` is the output whose edit it was made of. With ``accept_findings`` it is rendered although a viewer
    may notice something, such as a pause that is too long; sound that is not in step with its picture never is.
    """

    variant: Variant
    edl_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    revised_from: UUID | None = None
    accept_findings: bool = False


class JobRequest(Model):
    """What a creator asks of a job: one output of each variant, at a pace. ``language`` is an ISO 639-1 code.

    With an ``approval`` policy nothing is rendered before its plan has been approved. A variant that one of the
    ``plans`` is of is not directed but rendered by that plan.
    """

    variants: Annotated[tuple[Variant, ...], Len(1, 4)] = tuple(Variant)
    pace: Pace = Pace.NATURAL
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = None
    approval: ApprovalPolicy | None = None
    plans: Annotated[tuple[BroughtPlan, ...], Len(0, 4)] = ()

    @model_validator(mode="after")
    def _plans_of_variants(self) -> Self:
        brought = [plan.variant for plan in self.plans]
        if len(set(brought)) < len(brought) or not set(brought) <= set(self.variants):
            raise ValueError("each of plans is of another one of variants")
        return self

    def plan_of(self, variant: Variant) -> BroughtPlan | None:
        """The edit that was brought for this output, if one was."""
        return next((plan for plan in self.plans if plan.variant is variant), None)


class Project(Model):
    id: UUID
    owner_id: UUID
    name: str
    created_at: datetime


class Asset(Model):
    """Raw footage. ``object_key`` lies in bucket ``assets``; the bytes there have this size and SHA-256.

    ``expires_at`` is when they go, once the creator has been told; since ``expired_at`` they are gone.
    """

    id: UUID
    owner_id: UUID
    project_id: UUID
    name: str
    kind: AssetKind
    status: AssetStatus
    object_key: str
    size_bytes: int
    sha256: str
    position: int
    error: ErrorInfo | None = None
    expires_at: datetime | None = None
    expired_at: datetime | None = None
    created_at: datetime


class OutputFiles(Model):
    """Object keys of everything one output delivered, and the proof of its video.

    ``render_key`` stands for all that the render depended on: outputs with the same key are the same video.
    """

    render_key: str
    video_key: str
    video_bytes: Annotated[int, Ge(1)]
    video_sha256: str
    edl_key: str
    otio_key: str
    srt_key: str
    vtt_key: str
    thumbnail_key: str
    report: DeliveryReport


class Output(Model):
    """One finished video to be. ``attempt`` counts renders; only the latest may write. ``stage`` says what it does.

    An approval of its plan holds for every attempt. ``expires_at`` is when its files go, once the creator has been
    told; since ``expiring_since`` nobody may use them, since ``expired_at`` they are gone, and ``files`` says what they
    were.
    """

    id: UUID
    job_id: UUID
    variant: Variant
    status: OutputStatus
    attempt: Annotated[int, Ge(0)]
    progress: Progress
    stage: str
    error: ErrorInfo | None = None
    files: OutputFiles | None = None
    edl_key: str | None = None
    approved_at: datetime | None = None
    expires_at: datetime | None = None
    expiring_since: datetime | None = None
    expired_at: datetime | None = None
    updated_at: datetime


class ArtifactCounts(Model):
    """How many analyses a job needed, by whether they had to be made."""

    computed: Annotated[int, Ge(0)] = 0
    reused: Annotated[int, Ge(0)] = 0


class Job(Model):
    id: UUID
    owner_id: UUID
    project_id: UUID
    status: JobStatus
    request: JobRequest
    artifacts: ArtifactCounts
    error: ErrorInfo | None = None
    outputs: tuple[Output, ...]
    created_at: datetime
    updated_at: datetime

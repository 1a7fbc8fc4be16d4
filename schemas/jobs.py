"""Projects, assets, jobs and outputs as every client sees them, and what a job may ask for."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final, Self
from uuid import UUID

from annotated_types import Ge, Le, Len
from pydantic import Field, model_validator

from schemas.delivery import DeliveryReport
from schemas.edl import CaptionLook, Variant
from schemas.errors import ErrorInfo
from schemas.media import AssetKind
from schemas.model import Model
from schemas.storyboard import Storyboard

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


#: Finished videos of one entry, and of one job, at most.
MOST_OF_ONE: Final = 10
MOST_OUTPUTS: Final = 20

#: What tells the whole story, of which there is one.
_WHOLE: Final = frozenset({Variant.CINEMATIC_FULL})


class OutputRequest(Model):
    """``count`` videos of one variant, of passages that do not overlap.

    Without a ``pace`` they have the job's, without ``style`` or ``captions`` those that the variant has by itself (the
    cinematic film is graded, the others are not). Captions are delivered as files beside the video whatever is chosen
    for its picture.
    """

    variant: Variant
    count: Annotated[int, Ge(1), Le(MOST_OF_ONE)] = 1
    pace: Pace | None = None
    style: EditStyle | None = None
    captions: CaptionChoice | None = None
    caption_look: CaptionLook = CaptionLook.BOXED

    @model_validator(mode="after")
    def _one_whole(self) -> Self:
        if self.variant in _WHOLE and self.count > 1:
            raise ValueError(f"there is one {self.variant} of a job's footage")
        return self


class OutputSpec(Model):
    """How one output is made. ``passage`` is which of the ``passages`` that do not overlap it shows, from 1."""

    pace: Pace
    style: EditStyle | None = None
    captions: CaptionChoice | None = None
    caption_look: CaptionLook = CaptionLook.BOXED
    passage: Annotated[int, Ge(1)] = 1
    passages: Annotated[int, Ge(1)] = 1


class WantedOutput(Model):
    """One output that a job is to make: ``number`` of the ``count`` that it makes of this variant."""

    variant: Variant
    number: Annotated[int, Ge(1)]
    count: Annotated[int, Ge(1)]
    spec: OutputSpec


class Preset(StrEnum):
    """A set of outputs by name: one of each; for feeds of short videos; for a channel of long ones."""

    EVERYTHING = "everything"
    SOCIAL = "social"
    LONG_FORM = "long_form"


PRESETS: Final[Mapping[Preset, tuple[OutputRequest, ...]]] = MappingProxyType(
    {
        Preset.EVERYTHING: tuple(OutputRequest(variant=variant) for variant in Variant),
        Preset.SOCIAL: (
            OutputRequest(variant=Variant.VERTICAL_REEL, count=2, pace=Pace.FAST, style=EditStyle.PUNCHY),
            OutputRequest(variant=Variant.SHORT_HIGHLIGHT, count=2),
            OutputRequest(variant=Variant.HOOK_CUT, count=3, pace=Pace.FAST),
        ),
        Preset.LONG_FORM: (
            OutputRequest(variant=Variant.CINEMATIC_FULL),
            OutputRequest(variant=Variant.SHORT_HIGHLIGHT),
        ),
    }
)


class JobRequest(Model):
    """What a creator asks of a job, said in one of three ways; said in none, one output of each variant.

    ``variants`` is one output of each, ``outputs`` says how many of each and how they are made, ``preset`` names a set.
    ``pace`` holds where an output has none of its own. ``language`` is the ISO 639-1 code of what is spoken, for all
    outputs: footage is listened to once. With an ``approval`` policy nothing is rendered before its plan has been
    approved. A variant that one of the ``plans`` is of, and of which there is one output, is not directed but rendered
    by that plan.
    """

    variants: Annotated[tuple[Variant, ...], Len(1, 4)] | None = None
    outputs: Annotated[tuple[OutputRequest, ...], Len(0, MOST_OUTPUTS)] = ()
    preset: Preset | None = None
    pace: Pace = Pace.NATURAL
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = None
    approval: ApprovalPolicy | None = None
    plans: Annotated[tuple[BroughtPlan, ...], Len(0, 4)] = ()

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        if self.preset is not None and (self.outputs or self.variants):
            raise ValueError("say preset, outputs or variants, not several")
        named = {output.variant for output in self.outputs}
        if self.outputs and self.variants is not None and set(self.variants) != named:
            raise ValueError("variants may be left out beside outputs, or are theirs")
        if sum(output.count for output in self.outputs) > MOST_OUTPUTS:
            raise ValueError(f"a job makes {MOST_OUTPUTS} outputs at most")
        return self

    @model_validator(mode="after")
    def _plans_of_outputs(self) -> Self:
        if not self.plans:
            return self
        brought = [plan.variant for plan in self.plans]
        single = {wanted.variant for wanted in self.wanted() if wanted.count == 1}
        if len(set(brought)) < len(brought) or not set(brought) <= single:
            raise ValueError("each of plans is of another one of variants, of which there is one output")
        return self

    def expanded(self) -> "JobRequest":
        """The same order with each of its ``outputs`` named, as it is kept: what presets mean may change."""
        outputs = tuple(output.model_copy(update={"pace": output.pace or self.pace}) for output in self._entries())
        variants = tuple(dict.fromkeys(output.variant for output in outputs))
        return self.model_copy(update={"outputs": outputs, "variants": variants, "preset": None})

    def wanted(self) -> tuple[WantedOutput, ...]:
        """Every output to be made, in order."""
        specs = list(self._specs())
        named = [variant for variant, _ in specs]
        return tuple(
            WantedOutput(variant=variant, number=named[: at + 1].count(variant), count=named.count(variant), spec=spec)
            for at, (variant, spec) in enumerate(specs)
        )

    def plan_of(self, variant: Variant) -> BroughtPlan | None:
        """The edit that was brought for this output, if one was."""
        return next((plan for plan in self.plans if plan.variant is variant), None)

    def _entries(self) -> tuple[OutputRequest, ...]:
        if self.preset is not None:
            return PRESETS[self.preset]
        if self.outputs:
            return self.outputs
        return tuple(OutputRequest(variant=variant) for variant in dict.fromkeys(self.variants or Variant))

    def _specs(self) -> Iterator[tuple[Variant, OutputSpec]]:
        for entry in self._entries():
            for passage in range(1, entry.count + 1):
                yield (
                    entry.variant,
                    OutputSpec(
                        pace=entry.pace or self.pace,
                        style=entry.style,
                        captions=entry.captions,
                        caption_look=entry.caption_look,
                        passage=passage,
                        passages=entry.count,
                    ),
                )


def output_name(variant: Variant, number: int, count: int) -> str:
    """What people read of one of a job's outputs: its variant, and which one where there are several."""
    return variant.value if count == 1 else f"{variant} {number}/{count}"


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
    tags: tuple[str, ...] = ()
    description: str = ""
    error: ErrorInfo | None = None
    expires_at: datetime | None = None
    expired_at: datetime | None = None
    created_at: datetime


class OutputFiles(Model):
    """Object keys of everything one output delivered, and the proof of its video.

    ``render_key`` stands for all that picture and sound depended on: outputs with the same key have the same video. It
    is empty where the video was found to be damaged. Earlier releases made no ``storyboard``.
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
    storyboard: Storyboard | None = None
    report: DeliveryReport


class Output(Model):
    """One finished video to be: ``number`` of the ``count`` that its job makes of this variant, made as ``spec`` says.

    ``attempt`` counts renders; only the latest may write. ``stage`` says what it does.

    An approval of its plan holds for every attempt. ``expires_at`` is when its files go, once the creator has been
    told; since ``expiring_since`` nobody may use them, since ``expired_at`` they are gone, and ``files`` says what they
    were.
    """

    id: UUID
    job_id: UUID
    variant: Variant
    number: Annotated[int, Ge(1)] = 1
    count: Annotated[int, Ge(1)] = 1
    spec: OutputSpec | None = None
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

    @property
    def name(self) -> str:
        return output_name(self.variant, self.number, self.count)


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

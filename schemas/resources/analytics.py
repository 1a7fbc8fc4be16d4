"""What became of a creator's work, in totals over time and of single jobs."""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from annotated_types import Ge
from pydantic import Field

from schemas.cost import Seconds
from schemas.delivery import RenderMetrics
from schemas.edl import Variant
from schemas.jobs import JobStatus, OutputStatus
from schemas.model import Model

Count = Annotated[int, Ge(0)]


class Granularity(StrEnum):
    """How long a period is. Weeks begin on Monday; all days are those of UTC."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class JobOutcomes(Model):
    """How many jobs ended in which way. One that was tried again counts once, on the day on which it ended last."""

    completed: Count = 0
    partial: Count = 0
    failed: Count = 0
    cancelled: Count = 0


class OutputOutcomes(Model):
    """The same of outputs."""

    completed: Count = 0
    failed: Count = 0
    cancelled: Count = 0


class MeanMetrics(Model):
    """The director's metrics, as the mean over completed outputs; a member is null where none of them has it.

    ``b_roll_share`` is from 0 to 1; loudness is integrated (LUFS) and true peak (dBTP), of ITU-R BS.1770.
    """

    cuts_per_minute: float | None = Field(None, examples=[14.2])
    mean_shot_s: float | None = Field(None, examples=[4.1])
    b_roll_share: float | None = Field(None, examples=[0.22])
    words_per_minute: float | None = Field(None, examples=[163.0])
    integrated_lufs: float | None = Field(None, examples=[-14.0])
    true_peak_dbtp: float | None = Field(None, examples=[-1.4])


class VariantTotals(Model):
    """Outputs of one variant: seconds of video made, of talk left out of it, and of processor time charged."""

    variant: Variant
    outputs: OutputOutcomes
    video_s: Seconds
    removed_s: Seconds
    compute_s: Seconds
    metrics: MeanMetrics


class Totals(Model):
    """Everything together. ``compute_s`` is all processor time charged, ``analysis_compute_s`` the footage's part."""

    jobs: JobOutcomes
    outputs: OutputOutcomes
    video_s: Seconds
    removed_s: Seconds
    compute_s: Seconds
    analysis_compute_s: Seconds
    metrics: MeanMetrics
    variants: tuple[VariantTotals, ...]


class PeriodTotals(Model):
    """One period; ``starts_on`` is its first day, which may lie before the first day asked for."""

    starts_on: date
    totals: Totals


class AnalyticsResource(Model):
    """Totals from one day to another, both included, and period by period. Periods without any work are left out."""

    first_day: date
    last_day: date
    granularity: Granularity
    project_id: UUID | None
    totals: Totals
    periods: tuple[PeriodTotals, ...]


class OutputAnalytics(Model):
    """One output. ``compute_s`` and ``render_s`` (on the clock) are of the attempts that are charged.

    ``render_speed`` is seconds of video made in a second.
    """

    output_id: UUID
    variant: Variant
    status: OutputStatus
    attempts: Count
    compute_s: Seconds
    render_s: Seconds
    render_speed: float | None
    metrics: RenderMetrics | None


class JobAnalytics(Model):
    """A job: its outputs with what was measured on each, and what they took together."""

    job_id: UUID
    project_id: UUID
    status: JobStatus
    video_s: Seconds
    removed_s: Seconds
    compute_s: Seconds
    analysis_compute_s: Seconds
    outputs: tuple[OutputAnalytics, ...]

"""Totals of finished work, read from the rows that migration 0019 keeps for each day, never from single outputs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import asyncpg

from schemas.edl import Variant
from schemas.resources.analytics import (
    AnalyticsResource,
    Granularity,
    JobOutcomes,
    MeanMetrics,
    OutputOutcomes,
    PeriodTotals,
    Totals,
    VariantTotals,
)
from stores.database import Connections, transaction

_JOBS: Final = """
    select date_trunc($1, day::timestamp)::date as period,
        sum(completed)::bigint as completed, sum(partial)::bigint as partial, sum(failed)::bigint as failed,
        sum(cancelled)::bigint as cancelled, sum(analysis_ms)::bigint as analysis_ms
    from public.job_days where day between $2 and $3 {narrowed} group by rollup (1)
"""

_OUTPUTS: Final = """
    select date_trunc($1, day::timestamp)::date as period, variant,
        sum(completed)::bigint as completed, sum(failed)::bigint as failed, sum(cancelled)::bigint as cancelled,
        sum(render_ms)::bigint as render_ms, sum(video_ms)::bigint as video_ms, sum(removed_ms)::bigint as removed_ms,
        (sum(cuts_per_minute) / nullif(sum(completed), 0))::float8 as cuts_per_minute,
        (sum(mean_shot_s) / nullif(sum(completed), 0))::float8 as mean_shot_s,
        (sum(b_roll_share) / nullif(sum(completed), 0))::float8 as b_roll_share,
        (sum(words_per_minute) / nullif(sum(completed), 0))::float8 as words_per_minute,
        (sum(integrated_lufs) / nullif(sum(with_loudness), 0))::float8 as integrated_lufs,
        (sum(true_peak_dbtp) / nullif(sum(with_true_peak), 0))::float8 as true_peak_dbtp
    from public.output_days where day between $2 and $3 {narrowed} group by cube (1, 2)
"""


@dataclass(frozen=True)
class Span:
    """The days from ``first`` to ``last``, both included, in periods of one length."""

    first: date
    last: date
    granularity: Granularity


def statements(project_id: UUID | None) -> tuple[str, str]:
    """The questions about jobs and about outputs, with the :func:`parameters_of` the same project."""
    narrowed = "" if project_id is None else "and project_id = $4"
    return _JOBS.format(narrowed=narrowed), _OUTPUTS.format(narrowed=narrowed)


def parameters_of(span: Span, project_id: UUID | None) -> tuple[object, ...]:
    chosen = () if project_id is None else (project_id,)
    return span.granularity, span.first, span.last, *chosen


class Analytics:
    """Rows of ``job_days`` and ``output_days`` that the caller may see, added up."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def over(self, span: Span, project_id: UUID | None = None) -> AnalyticsResource:
        """Of one project, or of everything that the caller may see."""
        parameters = parameters_of(span, project_id)
        async with transaction(self._connections) as connection:
            jobs, outputs = [await connection.fetch(text, *parameters) for text in statements(project_id)]
        by_period = _by_period(jobs, outputs)
        return AnalyticsResource(
            first_day=span.first,
            last_day=span.last,
            granularity=span.granularity,
            project_id=project_id,
            totals=by_period.pop(None, None) or _totals(None, {}),
            periods=tuple(
                PeriodTotals(starts_on=period, totals=totals)
                for period, totals in sorted(by_period.items(), key=lambda item: item[0] or date.min)
                if period is not None
            ),
        )


def _by_period(jobs: Sequence[asyncpg.Record], outputs: Sequence[asyncpg.Record]) -> dict[date | None, Totals]:
    """Totals of each period, and of all of them together under ``None``."""
    jobs_of = {row["period"]: row for row in jobs}
    outputs_of: dict[date | None, dict[str | None, asyncpg.Record]] = defaultdict(dict)
    for row in outputs:
        outputs_of[row["period"]][row["variant"]] = row
    return {period: _totals(jobs_of.get(period), outputs_of[period]) for period in jobs_of.keys() | outputs_of.keys()}


def _totals(jobs: asyncpg.Record | None, outputs: Mapping[str | None, asyncpg.Record]) -> Totals:
    """``outputs`` are those of each variant, and of all of them together under ``None``; sums of no rows are null."""
    job_sums, output_sums = _sums(jobs), _sums(outputs.get(None))
    analysis_ms = job_sums.get("analysis_ms", 0)
    return Totals(
        jobs=JobOutcomes(**{name: job_sums.get(name, 0) for name in JobOutcomes.model_fields}),
        outputs=_outcomes(output_sums),
        video_s=output_sums.get("video_ms", 0) / 1000,
        removed_s=output_sums.get("removed_ms", 0) / 1000,
        compute_s=(analysis_ms + output_sums.get("render_ms", 0)) / 1000,
        analysis_compute_s=analysis_ms / 1000,
        metrics=_metrics(output_sums),
        variants=tuple(_variant(variant, _sums(outputs[variant])) for variant in Variant if variant in outputs),
    )


def _variant(variant: Variant, sums: Mapping[str, Any]) -> VariantTotals:
    return VariantTotals(
        variant=variant,
        outputs=_outcomes(sums),
        video_s=sums["video_ms"] / 1000,
        removed_s=sums["removed_ms"] / 1000,
        compute_s=sums["render_ms"] / 1000,
        metrics=_metrics(sums),
    )


def _outcomes(sums: Mapping[str, Any]) -> OutputOutcomes:
    return OutputOutcomes(**{name: sums.get(name, 0) for name in OutputOutcomes.model_fields})


def _metrics(sums: Mapping[str, Any]) -> MeanMetrics:
    return MeanMetrics(**{name: sums.get(name) for name in MeanMetrics.model_fields})


def _sums(row: asyncpg.Record | None) -> dict[str, Any]:
    return {} if row is None else {name: value for name, value in row.items() if value is not None}

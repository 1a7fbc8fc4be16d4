"""What activities count and time, for Prometheus. No id and no name of a creator's is ever a label.

Names and units follow Prometheus's conventions (https://prometheus.io/docs/practices/naming/).
"""

from collections.abc import Iterable, Sequence

from prometheus_client import Counter, Histogram
from pydantic import BaseModel

from activities.declarations import (
    AnalyseAsset,
    AnalysedPass,
    AnalysePass,
    Artifact,
    AssetRef,
    OutputFailure,
    ProbedAsset,
    RenderedOutput,
    RenderedPart,
    RenderOutput,
    RenderPart,
    SettledJob,
)
from schemas.delivery import RenderMetrics, StageTime
from schemas.edl import Variant
from schemas.errors import ErrorCode
from schemas.jobs import JobStatus, OutputStatus

#: From a row written to the longest render, in seconds.
DURATIONS = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600)

#: From far slower to far faster than watching the result.
SPEEDS = (0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 8, 12, 20)

ACTIVITY_SECONDS = Histogram(
    "cinema_activity_duration_seconds",
    "Time one attempt of an activity took on its worker, by how it ended: ok, failed, cancelled or handed_back.",
    ["activity", "outcome"],
    buckets=DURATIONS,
)
ACTIVITY_FAILURES = Counter(
    "cinema_activity_failures", "Attempts of activities that failed, by error code.", ["activity", "code"]
)
OUTPUT_FAILURES = Counter("cinema_output_failures", "Outputs that were given up, by error code.", ["code"])
OUTPUTS_SETTLED = Counter(
    "cinema_outputs_settled",
    "Outputs of jobs that ended; those of a job that is tried again count again when it ends.",
    ["variant", "status"],
)
JOBS_SETTLED = Counter("cinema_jobs_settled", "Jobs that ended, by how.", ["status"])
ARTIFACTS = Counter("cinema_artifacts", "Analyses asked for, by whether they had to be made.", ["analyzer", "result"])
RENDERS = Counter("cinema_renders", "Outputs published, by whether they had to be rendered.", ["variant", "result"])
RENDERED_PARTS = Counter(
    "cinema_rendered_parts",
    "Parts of long outputs asked for, sound or segment, by whether they had to be rendered.",
    ["part", "result"],
)
RENDER_SPEED = Histogram(
    "cinema_render_speed_ratio",
    "Seconds of finished video per second of rendering, its check included.",
    ["variant"],
    buckets=SPEEDS,
)
RENDERED_MEDIA = Counter("cinema_rendered_media_seconds", "Length of all videos that were rendered.", ["variant"])
RENDER_STAGES = Counter("cinema_render_stage_seconds", "Time that the stages of renders took.", ["variant", "stage"])

CHILD_CPU = Counter("cinema_child_cpu_seconds", "CPU time of sandboxed child processes, by what they do.", ["module"])

# A series that begins with its first event hides that event from rate() and increase(): those that alerts look at begin
# at nought.
for _code in ErrorCode:
    OUTPUT_FAILURES.labels(_code)
for _status in JobStatus:
    if _status.settled:
        JOBS_SETTLED.labels(_status)
for _variant in Variant:
    for _ending in OutputStatus:
        if _ending.settled:
            OUTPUTS_SETTLED.labels(_variant, _ending)


def observe_answer(arguments: Sequence[object], answer: object) -> None:
    """Count what an activity's answer says was made, reused or given up."""
    match arguments[0] if arguments else None, answer:
        case AssetRef(), ProbedAsset(probe=artifact):
            _count_artifact(artifact)
        case AnalyseAsset(), Artifact() as artifact:
            _count_artifact(artifact)
        case AnalysePass(), AnalysedPass(artifacts=artifacts):
            for artifact in artifacts:
                _count_artifact(artifact)
        case RenderOutput(output=output), RenderedOutput(reused=reused):
            RENDERS.labels(output.variant, "reused" if reused else "rendered").inc()
        case RenderPart(number=number), RenderedPart(reused=reused):
            RENDERED_PARTS.labels("segment" if number else "sound", "reused" if reused else "rendered").inc()
        case OutputFailure(error=error), _:
            OUTPUT_FAILURES.labels(error.code).inc()
        case BaseModel(), SettledJob(status=status, outputs=outputs):
            JOBS_SETTLED.labels(status).inc()
            for output in outputs:
                OUTPUTS_SETTLED.labels(output.variant, output.status).inc()


def observe_render(variant: Variant, metrics: RenderMetrics, seconds: float) -> None:
    """A render took ``seconds`` and passed its check. Its stages overlap: together they may have taken longer."""
    RENDERED_MEDIA.labels(variant).inc(metrics.duration_s)
    RENDER_SPEED.labels(variant).observe(metrics.duration_s / seconds)
    observe_stages(variant, metrics.stages)


def observe_stages(variant: Variant, stages: Iterable[StageTime]) -> None:
    """Stages of a render, or of a part of one."""
    for stage in stages:
        RENDER_STAGES.labels(variant, stage.stage).inc(stage.seconds)


def _count_artifact(artifact: Artifact) -> None:
    ARTIFACTS.labels(artifact.ref.analyzer, "computed" if artifact.computed else "reused").inc()

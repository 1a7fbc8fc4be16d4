"""Analysis, planning and rendering without media: the rows they write are the real ones, through the real stores."""

from collections.abc import Callable, Sequence
from typing import Any

from temporalio import activity

from activities.declarations import (
    ANALYSE_PASS,
    PLAN_OUTPUT,
    PROBE_ASSET,
    RENDER_OUTPUT,
    AnalysedPass,
    AnalysePass,
    Artifact,
    AssetRef,
    PlannedOutput,
    PlanOutput,
    ProbedAsset,
    RenderedOutput,
    RenderOutput,
)
from activities.interception import application_error
from schemas.analysing import ArtifactRef
from schemas.edl import Variant
from schemas.errors import ErrorCode, OutputRefused
from stores import Outputs, Pool
from tests.stores.samples import delivered

#: The output that no footage here is long enough for.
IMPOSSIBLE = Variant.HOOK_CUT


class Makers:
    def __init__(self, pool: Pool) -> None:
        self._outputs = Outputs(pool)

    def activities(self) -> Sequence[Callable[..., Any]]:
        return (self.probe_asset, self.analyse_pass, self.plan_output, self.render_output)

    @activity.defn(name=PROBE_ASSET.name)
    async def probe_asset(self, _: AssetRef) -> ProbedAsset:
        return ProbedAsset(probe=_artifact("probe"), analyzers=("sound",), duration_us=1_000_000, has_sound=True)

    @activity.defn(name=ANALYSE_PASS.name)
    async def analyse_pass(self, asked: AnalysePass) -> AnalysedPass:
        return AnalysedPass(artifacts=tuple(_artifact(analyzer) for analyzer in asked.analyzers))

    @activity.defn(name=PLAN_OUTPUT.name)
    async def plan_output(self, asked: PlanOutput) -> PlannedOutput:
        key = f"{asked.output.variant}.json"
        await self._outputs.plan(asked.output.output_id, key)
        return PlannedOutput(edl_key=key, duration_us=5_000_000)

    @activity.defn(name=RENDER_OUTPUT.name)
    async def render_output(self, asked: RenderOutput) -> RenderedOutput:
        attempt = await self._outputs.begin_attempt(asked.output.output_id)
        if asked.output.variant is IMPOSSIBLE:
            raise application_error(OutputRefused(ErrorCode.SOURCE_TOO_SHORT, "The source is 1 s long."))
        files = delivered(asked.edl_key)
        await self._outputs.complete(asked.output.output_id, attempt, files)
        return RenderedOutput(video_key=files.video_key, video_sha256=files.video_sha256, attempt=attempt, reused=False)


def _artifact(analyzer: str) -> Artifact:
    return Artifact(ref=ArtifactRef(analyzer=analyzer, key="ab" * 32, object_key="ab/ab.json"), computed=True)

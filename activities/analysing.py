"""Activities that measure assets, each measurement made once for its content, version and parameters."""

from typing import Any

from pydantic import BaseModel
from temporalio import activity

from activities.artifacts import object_key, read_probe, write_artifact
from activities.child_tasks import ANALYSE, Analyse
from activities.context import ActivityContext
from activities.declarations import ANALYSE_ASSET, PROBE_ASSET, AnalyseAsset, Artifact, AssetRef, ProbedAsset
from activities.heartbeat import Heartbeat, heartbeating
from activities.sandbox import run_in_child
from activities.time_limit import time_left
from analysis import ANALYZERS, applicable, artifact_key
from schemas.analysing import AnalysisRequest, ArtifactRef
from schemas.media import MediaProbe
from stores import Analyses, Bucket

PROBE = "probe"


class AnalysisActivities:
    """Media in, artifacts out."""

    def __init__(self, context: ActivityContext) -> None:
        self._context = context
        self._analyses = Analyses(context.database)

    @activity.defn(name=PROBE_ASSET.name)
    async def probe_asset(self, asset: AssetRef) -> ProbedAsset:
        artifact = await self._artifact(asset, PROBE, {}, probe=None)
        probe = await read_probe(self._context.objects, artifact.ref)
        return ProbedAsset(
            probe=artifact,
            analyzers=applicable(probe, asset.kind),
            duration_us=probe.duration_us,
            has_sound=probe.dialogue is not None,
        )

    @activity.defn(name=ANALYSE_ASSET.name)
    async def analyse_asset(self, asked: AnalyseAsset) -> Artifact:
        probe = await read_probe(self._context.objects, asked.probe)
        return await self._artifact(asked.asset, asked.analyzer, self._parameters(asked), probe, asked.reference)

    def _parameters(self, asked: AnalyseAsset) -> dict[str, Any]:
        """The analyzer's parameters, complete and validated: whatever changes its answer is part of its key."""
        given: dict[str, Any] = {
            "model": self._context.whisper_model,
            "language": asked.language,
            "reference_sha256": asked.reference.sha256 if asked.reference else None,
        }
        model = ANALYZERS[asked.analyzer].parameters
        known = {name: value for name, value in given.items() if name in model.model_fields and value is not None}
        return model.model_validate(known).model_dump(mode="json")

    async def _artifact(
        self,
        asset: AssetRef,
        name: str,
        parameters: dict[str, Any],
        probe: MediaProbe | None,
        reference: AssetRef | None = None,
    ) -> Artifact:
        analyzer = ANALYZERS[name]
        key = artifact_key(name, analyzer.version, asset.sha256, parameters)
        found = await self._analyses.find(key)
        if found and await self._context.objects.stat(Bucket.ANALYSIS, found.object_key):
            return Artifact(ref=found, computed=False)
        async with heartbeating(name) as heartbeat:
            made = await self._measure(asset, name, parameters, probe, reference, heartbeat)
        ref = ArtifactRef(analyzer=name, key=key, object_key=object_key(key))
        await write_artifact(self._context.objects, ref, made)
        await self._analyses.record(ref, asset_sha256=asset.sha256, analyzer_version=str(analyzer.version))
        return Artifact(ref=ref, computed=True)

    async def _measure(
        self,
        asset: AssetRef,
        name: str,
        parameters: dict[str, Any],
        probe: MediaProbe | None,
        reference: AssetRef | None,
        heartbeat: Heartbeat,
    ) -> BaseModel:
        objects = self._context.objects
        request = AnalysisRequest(
            analyzer=name,
            path=await objects.local_path(Bucket.ASSETS, asset.object_key),
            kind=asset.kind,
            probe=probe,
            reference=await objects.local_path(Bucket.ASSETS, reference.object_key) if reference else None,
            parameters=parameters,
        )

        async def advance(done: float) -> None:
            heartbeat.advance(done)

        return await run_in_child(
            ANALYSE,
            Analyse(request=request, models=self._context.models),
            ANALYZERS[name].result,
            limits=self._context.limits,
            time_limit=time_left(),
            on_progress=advance,
        )

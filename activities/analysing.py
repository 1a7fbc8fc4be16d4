"""Activities that measure assets, each measurement made once for its content, version and parameters."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from temporalio import activity

from activities.accounting import Account, accounted
from activities.artifacts import object_key, read_probe, write_artifact
from activities.child_tasks import ANALYSE, Analyse
from activities.context import ActivityContext
from activities.declarations import ANALYSE_ASSET, PROBE_ASSET, AnalyseAsset, Artifact, AssetRef, ProbedAsset
from activities.heartbeat import Heartbeat, heartbeating
from activities.identity import job_of
from activities.patience import patiently
from activities.sandbox import run_in_child
from activities.time_limit import time_left
from analysis import ANALYZERS, applicable, artifact_key, settle_parameters
from schemas.analysing import AnalysisRequest, ArtifactRef
from schemas.media import MediaProbe
from stores import Analyses, AnalysisWork, Bucket, Ledger

PROBE = "probe"


@dataclass(frozen=True)
class _Measurement:
    """One analyzer on one asset, with everything its answer depends on."""

    asset: AssetRef
    analyzer: str
    parameters: dict[str, Any]
    probe: MediaProbe | None = None
    reference: AssetRef | None = None


class AnalysisActivities:
    """Media in, artifacts out."""

    def __init__(self, context: ActivityContext) -> None:
        self._context = context
        self._analyses = Analyses(context.database)
        self._ledger = Ledger(context.database)

    @activity.defn(name=PROBE_ASSET.name)
    async def probe_asset(self, asset: AssetRef) -> ProbedAsset:
        artifact = await self._artifact(_Measurement(asset, PROBE, parameters={}))
        async with heartbeating(PROBE):
            probe = await patiently(lambda: read_probe(self._context.objects, artifact.ref))
        return ProbedAsset(
            probe=artifact,
            analyzers=applicable(probe, asset.kind),
            duration_us=probe.duration_us,
            has_sound=probe.dialogue is not None,
        )

    @activity.defn(name=ANALYSE_ASSET.name)
    async def analyse_asset(self, asked: AnalyseAsset) -> Artifact:
        async with heartbeating(asked.analyzer):
            probe = await patiently(lambda: read_probe(self._context.objects, asked.probe))
        parameters = await self._parameters(asked)
        return await self._artifact(_Measurement(asked.asset, asked.analyzer, parameters, probe, asked.reference))

    async def _parameters(self, asked: AnalyseAsset) -> dict[str, Any]:
        """The analyzer's parameters with the model that will really be used: all of it is part of the key."""
        given = {
            "model": self._context.whisper_model,
            "language": asked.language,
            "reference_sha256": asked.reference.sha256 if asked.reference else None,
        }
        known = ANALYZERS[asked.analyzer].parameters.model_fields
        wanted = {name: value for name, value in given.items() if name in known and value is not None}
        async with heartbeating("model"):
            return await asyncio.to_thread(settle_parameters, asked.analyzer, wanted, self._context.models)

    async def _artifact(self, wanted: _Measurement) -> Artifact:
        analyzer = ANALYZERS[wanted.analyzer]
        key = artifact_key(wanted.analyzer, analyzer.version, wanted.asset.sha256, wanted.parameters)
        async with heartbeating(wanted.analyzer) as heartbeat:
            return await patiently(lambda: self._found_or_made(wanted, key, heartbeat))

    async def _found_or_made(self, wanted: _Measurement, key: str, heartbeat: Heartbeat) -> Artifact:
        found = await self._found(key)
        if found is not None:
            return found
        async with self._analyses.making(key):
            # Another job may have asked for the same and finished it while this one waited for its turn.
            found = await self._found(key)
            if found is not None:
                return found
            entry = await self._ledger.begin_analysis(_work(wanted))
            async with accounted(self._ledger, entry) as account:
                made = await self._measure(wanted, heartbeat, account)
                ref = ArtifactRef(analyzer=wanted.analyzer, key=key, object_key=object_key(key))
                await patiently(lambda: self._keep(wanted, ref, made))
                account.media_us = _length_us(wanted, made)
        return Artifact(ref=ref, computed=True)

    async def _keep(self, wanted: _Measurement, ref: ArtifactRef, made: BaseModel) -> None:
        content, version = wanted.asset.sha256, str(ANALYZERS[wanted.analyzer].version)
        await self._analyses.announce(ref, asset_sha256=content, analyzer_version=version)
        await write_artifact(self._context.objects, ref, made)
        await self._analyses.record(ref, asset_sha256=content, analyzer_version=version)

    async def _found(self, key: str) -> Artifact | None:
        ref = await self._analyses.find(key)
        if ref is None or not await self._context.objects.stat(Bucket.ANALYSIS, ref.object_key):
            return None
        return Artifact(ref=ref, computed=False)

    async def _measure(self, wanted: _Measurement, heartbeat: Heartbeat, account: Account) -> BaseModel:
        request = AnalysisRequest(
            analyzer=wanted.analyzer,
            path=await self._local(wanted.asset),
            kind=wanted.asset.kind,
            probe=wanted.probe,
            reference=await self._local(wanted.reference) if wanted.reference else None,
            parameters=wanted.parameters,
        )

        async def advance(done: float) -> None:
            heartbeat.advance(done)

        return await run_in_child(
            ANALYSE,
            Analyse(request=request, models=self._context.models),
            ANALYZERS[wanted.analyzer].result,
            limits=self._context.limits,
            time_limit=time_left(),
            on_progress=advance,
            account=account,
        )

    async def _local(self, asset: AssetRef) -> Path:
        return await self._context.objects.local_path(Bucket.ASSETS, asset.object_key)


def _work(wanted: _Measurement) -> AnalysisWork:
    """For the ledger: the job whose workflow asks."""
    job_id = job_of(activity.info().workflow_id or "")
    if job_id is None:
        raise RuntimeError("an analysis is asked for by a job's workflow")
    return AnalysisWork(UUID(job_id), wanted.asset.asset_id, wanted.analyzer)


def _length_us(wanted: _Measurement, made: BaseModel) -> int | None:
    """Of the source that was measured."""
    probe = made if isinstance(made, MediaProbe) else wanted.probe
    return None if probe is None else probe.duration_us

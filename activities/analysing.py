"""Activities that measure assets, each measurement made once for its content, version and parameters."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from temporalio import activity

from activities.accounting import Account, accounted
from activities.analysis_parts import AnalysisParts
from activities.artifacts import is_whole, object_key, read_object, read_probe, write_artifact
from activities.child_tasks import ANALYSE, Analyse, Answers
from activities.context import ActivityContext
from activities.declarations import (
    ANALYSE_ASSET,
    ANALYSE_PASS,
    PROBE_ASSET,
    AnalyseAsset,
    AnalysedPass,
    AnalysePass,
    Artifact,
    AssetRef,
    ProbedAsset,
    Reference,
)
from activities.heartbeat import Heartbeat, heartbeating
from activities.identity import job_of
from activities.matching import can_match, is_unusable, tell_unusable
from activities.patience import patiently
from activities.pixel_rates import picture_of
from activities.sandbox import run_in_child
from activities.serving import served_while
from activities.speech import SpeechLine
from activities.time_limit import time_left
from analysis import ANALYZERS, applicable, artifact_key, settle_parameters
from schemas.analysing import ALIGNMENT, MATCHING, AnalysisPass, AnalysisRequest, ArtifactRef, embeddable
from schemas.errors import CinemaError, ErrorCode, TransientError
from schemas.facts import Transcript
from schemas.media import MediaProbe
from schemas.sandbox import ChildKept
from schemas.speech import SpeechModel
from stores import Analyses, AnalysisWork, Assets, Bucket, Ledger

PROBE, TRANSCRIPT = "probe", "transcript"


@dataclass(frozen=True)
class _Measurement:
    """One analyzer, with everything its answer depends on besides the asset's content."""

    analyzer: str
    parameters: dict[str, Any]
    ref: ArtifactRef
    beside: "_Beside | None" = None


@dataclass(frozen=True)
class _Beside:
    """What an asset is measured against; jobs that began before it was told do not know its probe."""

    asset: AssetRef
    probe: MediaProbe | None = None

    @property
    def duration_us(self) -> int:
        return 0 if self.probe is None else self.probe.duration_us


@dataclass(frozen=True)
class _Work:
    """What is asked of one asset at once; ``subject`` is what it goes by in the ledger."""

    subject: str
    asset: AssetRef
    measurements: tuple[_Measurement, ...]
    probe: MediaProbe | None = None

    @property
    def pixel_rate(self) -> int | None:
        picture = None if self.probe is None or self.subject != AnalysisPass.SEEING else picture_of(self.probe)
        return None if picture is None else picture.pixel_rate

    @property
    def rights(self) -> tuple[str, ...]:
        """What has to be held to do it.

        By the first nobody else measures the same things of the same content, whatever the parameters; by the others
        nobody takes what is just being stored for the leavings of a lost attempt.
        """
        return f"{self.subject} {self.asset.sha256}", *(one.ref.key for one in self.measurements)


class AnalysisActivities:
    """Media in, artifacts out."""

    def __init__(self, context: ActivityContext) -> None:
        self._context = context
        self._analyses = Analyses(context.database)
        self._parts = AnalysisParts(context.database, context.objects)
        self._assets = Assets(context.database)
        self._ledger = Ledger(context.database)

    @activity.defn(name=PROBE_ASSET.name)
    async def probe_asset(self, asset: AssetRef) -> ProbedAsset:
        """What it is. One that was refused before, for a reason that may have passed, is given another chance."""
        (artifact,) = await self._artifacts(_Work(PROBE, asset, (_measurement(PROBE, asset, {}),)))
        async with heartbeating(PROBE):
            probe = await patiently(lambda: read_probe(self._context.objects, artifact.ref))
            await patiently(lambda: self._assets.accept(asset.asset_id))
            matching = await asyncio.to_thread(can_match, self._context.models)
        return ProbedAsset(
            probe=artifact,
            analyzers=applicable(probe, asset.kind) + (embeddable(probe, asset.kind) if matching else ()),
            duration_us=probe.duration_us,
            has_sound=probe.dialogue is not None,
        )

    @activity.defn(name=ANALYSE_ASSET.name)
    async def analyse_asset(self, asked: AnalyseAsset) -> Artifact:
        async with heartbeating(asked.analyzer):
            probe = await patiently(lambda: read_probe(self._context.objects, asked.probe))
            beside = None if asked.reference is None else _Beside(asked.reference)
            measurement = await self._settled(asked.asset, asked.analyzer, asked.language, beside)
        work = _Work(asked.analyzer, asked.asset, (measurement,), probe)
        (artifact,) = await self._artifacts(work)
        return artifact

    @activity.defn(name=ANALYSE_PASS.name)
    async def analyse_pass(self, asked: AnalysePass) -> AnalysedPass:
        """What each of its analyzers answers; without those whose model turns out to be damaged."""
        try:
            return AnalysedPass(artifacts=await self._passed(asked))
        except CinemaError as error:
            rest = tuple(name for name in asked.analyzers if name not in MATCHING)
            if rest == asked.analyzers or not is_unusable(error):
                raise
            tell_unusable(error)
        return AnalysedPass(artifacts=await self._passed(asked.model_copy(update={"analyzers": rest})))

    async def _passed(self, asked: AnalysePass) -> tuple[Artifact, ...]:
        async with heartbeating(asked.name):
            probe = await patiently(lambda: read_probe(self._context.objects, asked.probe))
            references = [await self._probed(reference) for reference in asked.references]
            measurements: tuple[_Measurement, ...] = ()
            for name, beside in _each_beside(asked.analyzers, references):
                transcript = _transcript(measurements)
                settled = await self._settled(asked.asset, name, asked.language, beside, transcript)
                measurements = (*measurements, settled)
        return await self._artifacts(_Work(asked.name, asked.asset, measurements, probe))

    async def _probed(self, reference: Reference) -> _Beside:
        return _Beside(reference.asset, await patiently(lambda: read_probe(self._context.objects, reference.probe)))

    async def _settled(
        self,
        asset: AssetRef,
        analyzer: str,
        language: str | None,
        beside: _Beside | None = None,
        transcript: _Measurement | None = None,
    ) -> _Measurement:
        """With the model that will really be used among the parameters: all of them are part of the key."""
        given = {
            "model": self._context.whisper.name,
            "beam_size": self._context.whisper.beam_size,
            "language": language,
            "reference_sha256": beside.asset.sha256 if beside else None,
            "transcript": transcript.ref.key if transcript else None,
        }
        known = ANALYZERS[analyzer].parameters.model_fields
        wanted = {name: value for name, value in given.items() if name in known and value is not None}
        settled = await asyncio.to_thread(settle_parameters, analyzer, wanted, self._context.models)
        return _measurement(analyzer, asset, settled, beside)

    async def _artifacts(self, work: _Work) -> tuple[Artifact, ...]:
        async with heartbeating(work.subject) as heartbeat:
            return await patiently(lambda: self._found_or_made(work, heartbeat))

    async def _found_or_made(self, work: _Work, heartbeat: Heartbeat) -> tuple[Artifact, ...]:
        """What is known is found; what is not is measured together and kept."""
        if not await self._missing(work):
            return _told(work, made=())
        async with self._analyses.making(*work.rights):
            # Another job may have asked for the same and finished it while this one waited for its turn.
            missing = await self._missing(work)
            if missing:
                await self._make(work, missing, heartbeat)
        return _told(work, made=missing)

    async def _make(self, work: _Work, missing: Sequence[_Measurement], heartbeat: Heartbeat) -> None:
        entry = await self._ledger.begin_analysis(_ledger_work(work))
        async with accounted(self._ledger, entry) as account:
            answers = await self._measure(work, missing, heartbeat, account)
            for measurement, answer in zip(missing, answers, strict=True):
                made = ANALYZERS[measurement.analyzer].result.model_validate_json(answer)
                await patiently(partial(self._keep, work.asset, measurement, made))
                await patiently(partial(self._parts.remove, work.asset.sha256, measurement.ref))
                account.media_us = made.duration_us if isinstance(made, MediaProbe) else account.media_us
            if work.probe is not None:
                beside_us = sum(one.beside.duration_us for one in missing if one.beside is not None)
                account.media_us = work.probe.duration_us + beside_us
            account.pixel_rate = work.pixel_rate

    async def _keep(self, asset: AssetRef, measurement: _Measurement, made: BaseModel) -> None:
        ref, content = measurement.ref, asset.sha256
        version = ANALYZERS[measurement.analyzer].version
        await self._analyses.announce(ref, asset_sha256=content, analyzer_version=version)
        await write_artifact(self._context.objects, ref, made)
        await self._analyses.record(ref, asset_sha256=content, analyzer_version=version)

    async def _missing(self, work: _Work) -> tuple[_Measurement, ...]:
        return tuple([one for one in work.measurements if not await self._is_kept(one.ref.key)])

    async def _is_kept(self, key: str) -> bool:
        ref = await self._analyses.find(key)
        return ref is not None and await is_whole(self._context.objects, ref)

    async def _measure(
        self, work: _Work, missing: Sequence[_Measurement], heartbeat: Heartbeat, account: Account
    ) -> Sequence[str]:
        path = await self._local(work.asset)
        transcript = await self._known_transcript(work, missing)
        requests = [
            AnalysisRequest(
                analyzer=one.analyzer,
                path=path,
                kind=work.asset.kind,
                probe=work.probe,
                reference=await self._local(one.beside.asset) if one.beside else None,
                reference_probe=one.beside.probe if one.beside else None,
                parameters=one.parameters,
                parts=await self._parts.found(work.asset.sha256, one.ref),
                transcript=transcript,
            )
            for one in missing
        ]

        async def advance(done: float) -> None:
            heartbeat.advance(done)

        async def keep(kept: ChildKept) -> None:
            whole = [one.ref for one in missing if one.analyzer == kept.analyzer]
            if not whole:
                raise TransientError(ErrorCode.PROCESS_CRASHED, f"Nobody has asked for {kept.analyzer}.")
            await patiently(partial(self._parts.keep, work.asset.sha256, whole[0], kept.number, kept.content))

        with self._speech_lines(missing, account) as lines:
            working = run_in_child(
                ANALYSE,
                Analyse(
                    requests=tuple(requests),
                    models=self._context.models,
                    speech=next((line.theirs.fileno() for line in lines), None),
                ),
                Answers,
                limits=self._context.limits,
                time_limit=time_left(),
                on_progress=advance,
                on_kept=keep,
                account=account,
                hands=[line.theirs for line in lines],
            )
            answered = await served_while(working, [line.serve() for line in lines])
        return answered.answers

    @contextmanager
    def _speech_lines(self, missing: Sequence[_Measurement], account: Account) -> Iterator[Sequence[SpeechLine]]:
        """What the child asks over for what is said: one line where somebody transcribes, else none."""
        heard = _transcript(missing)
        if heard is None or heard.parameters["model"] == "none":
            yield ()
            return
        whisper = self._context.whisper
        model = SpeechModel(
            name=heard.parameters["model"],
            models=self._context.models,
            device=whisper.device,
            arithmetic=whisper.arithmetic,
        )
        line = SpeechLine(self._context.speech, model, account)
        try:
            yield (line,)
        finally:
            line.close()

    async def _known_transcript(self, work: _Work, missing: Sequence[_Measurement]) -> Transcript | None:
        """What is known to be said, for what goes by it and is asked for after the words were heard."""
        heard = _transcript(work.measurements)
        if heard is None or heard in missing:
            return None
        return Transcript.model_validate_json(
            await read_object(self._context.objects, Bucket.ANALYSIS, heard.ref.object_key)
        )

    async def _local(self, asset: AssetRef) -> Path:
        return await self._context.objects.local_path(Bucket.ASSETS, asset.object_key)


def _measurement(
    analyzer: str, asset: AssetRef, parameters: dict[str, Any], beside: _Beside | None = None
) -> _Measurement:
    key = artifact_key(analyzer, ANALYZERS[analyzer].version, asset.sha256, parameters)
    ref = ArtifactRef(analyzer=analyzer, key=key, object_key=object_key(key))
    return _Measurement(analyzer, parameters, ref, beside)


def _each_beside(analyzers: Iterable[str], references: Sequence[_Beside]) -> Iterator[tuple[str, _Beside | None]]:
    """What is measured: what is of a pair, with each reference."""
    for analyzer in analyzers:
        if analyzer == ALIGNMENT:
            yield from ((analyzer, reference) for reference in references)
        else:
            yield analyzer, None


def _transcript(measurements: Sequence[_Measurement]) -> _Measurement | None:
    return next((one for one in measurements if one.analyzer == TRANSCRIPT), None)


def _told(work: _Work, made: Sequence[_Measurement]) -> tuple[Artifact, ...]:
    return tuple(Artifact(ref=one.ref, computed=one in made) for one in work.measurements)


def _ledger_work(work: _Work) -> AnalysisWork:
    """For the ledger: the job whose workflow asks."""
    job_id = job_of(activity.info().workflow_id or "")
    if job_id is None:
        raise RuntimeError("an analysis is asked for by a job's workflow")
    return AnalysisWork(UUID(job_id), work.asset.asset_id, work.subject)

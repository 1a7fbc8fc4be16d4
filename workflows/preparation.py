"""Everything a job needs to know of its footage, before any output can be planned."""

import asyncio
from collections.abc import Awaitable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.declarations import (
    PROBE_ASSET,
    AnalyseAsset,
    AnalysedAsset,
    AnalysePass,
    Artifact,
    AssetRef,
    ProbedAsset,
    Reference,
    analysis_by,
    pass_of,
)
from schemas.analysing import ALIGNMENT, passes_of, references_of
from schemas.errors import ErrorInfo
from schemas.media import AssetKind
from workflows.calls import failure_of
from workflows.held_calls import HeldCalls
from workflows.job_book import JobBook
from workflows.job_rows import JobRows
from workflows.limits import PROBE, analysis_limits

#: Jobs that began before analyzers shared a decode pass go on with one activity for each.
TOGETHER = "one decode pass for many analyzers"

#: Jobs that began before separate sound was aligned to each A-roll go on with the longest one alone.
TO_EACH = "separate sound aligned to each A-roll"

T = TypeVar("T")


@dataclass(frozen=True)
class _UsableAsset:
    """An asset that passed its probe."""

    asset: AssetRef
    probed: ProbedAsset


class Preparation:
    """Probes and analyses a job's assets side by side; one that cannot be used is refused, and the others go on."""

    def __init__(self, book: JobBook, rows: JobRows, calls: HeldCalls) -> None:
        self._book = book
        self._rows = rows
        self._calls = calls

    async def analyse(self) -> list[AnalysedAsset]:
        """The usable assets, in the creator's order.

        Raises:
            ActivityError: A refusal could not be recorded, or the work was cancelled.
        """
        probed = [asset for asset in await _all(map(self._probe, self._rows.job.assets)) if asset is not None]
        references = references_of(
            (usable.asset.sha256, usable.probed.duration_us, usable) for usable in probed if _is_talk(usable)
        )
        analysed = await _all(self._analyse_asset(asset, references) for asset in probed)
        return [asset for asset in analysed if asset is not None]

    async def _probe(self, asset: AssetRef) -> _UsableAsset | None:
        name, summary = f"probe-{asset.asset_id}", f"probe {asset.name}"
        try:
            probed = await self._calls.work(
                PROBE_ASSET, asset, PROBE, summary=summary, name=name, given_up=self._given_up
            )
        except ActivityError as error:
            await self._rows.refuse(asset, failure_of(error))
            return None
        self._book.analysed(asset, probed.probe)
        return _UsableAsset(asset, probed)

    async def _analyse_asset(self, usable: _UsableAsset, references: Sequence[_UsableAsset]) -> AnalysedAsset | None:
        """Every analyzer the asset needs, side by side; one that cannot cope refuses the asset."""
        media_us = usable.probed.duration_us
        if workflow.patched(TOGETHER):
            work = [self._run_pass(one, media_us) for one in self._passes(usable)]
        else:
            work = [self._run_analyzer(one, media_us) for one in self._requests(usable)]
        if references and usable.asset.kind is AssetKind.AUDIO and usable.probed.has_sound:
            work.append(self._align(usable, references))
        answers = await _all(work)
        for answer in answers:
            if isinstance(answer, ErrorInfo):
                await self._rows.refuse(usable.asset, answer)
                return None
        refs = tuple(made.ref for answer in answers if isinstance(answer, tuple) for made in answer)
        return AnalysedAsset(asset=usable.asset, artifacts=(usable.probed.probe.ref, *refs))

    def _passes(self, usable: _UsableAsset) -> list[AnalysePass]:
        return [
            AnalysePass(
                asset=usable.asset,
                name=name,
                analyzers=analyzers,
                probe=usable.probed.probe.ref,
                language=self._rows.job.request.language,
            )
            for name, analyzers in passes_of(usable.probed.analyzers).items()
        ]

    def _requests(self, usable: _UsableAsset) -> list[AnalyseAsset]:
        request = AnalyseAsset(
            asset=usable.asset, analyzer="", probe=usable.probed.probe.ref, language=self._rows.job.request.language
        )
        return [request.model_copy(update={"analyzer": name}) for name in usable.probed.analyzers]

    def _align(
        self, track: _UsableAsset, references: Sequence[_UsableAsset]
    ) -> Coroutine[Any, Any, tuple[Artifact, ...] | ErrorInfo]:
        """Separate sound held against all A-rolls at once, so that it is decoded once."""
        if not workflow.patched(TO_EACH):
            longest = AnalyseAsset(
                asset=track.asset,
                analyzer=ALIGNMENT,
                probe=track.probed.probe.ref,
                language=self._rows.job.request.language,
                reference=references[0].asset,
            )
            return self._run_analyzer(longest, track.probed.duration_us)
        to_each = AnalysePass(
            asset=track.asset,
            name=ALIGNMENT,
            analyzers=(ALIGNMENT,),
            probe=track.probed.probe.ref,
            references=tuple(Reference(asset=one.asset, probe=one.probed.probe.ref) for one in references),
        )
        return self._run_pass(to_each, sum(one.probed.duration_us for one in (track, *references)))

    async def _run_pass(self, request: AnalysePass, media_us: int) -> tuple[Artifact, ...] | ErrorInfo:
        try:
            analysed = await self._calls.work(
                pass_of(request.analyzers),
                request,
                analysis_limits(media_us),
                summary=f"{' and '.join(request.analyzers)} of {request.asset.name}",
                name=f"{request.name}-{request.asset.asset_id}",
                given_up=self._given_up,
            )
        except ActivityError as error:
            return failure_of(error)
        for artifact in analysed.artifacts:
            self._book.analysed(request.asset, artifact)
        return analysed.artifacts

    async def _run_analyzer(self, request: AnalyseAsset, media_us: int) -> tuple[Artifact, ...] | ErrorInfo:
        try:
            artifact = await self._calls.work(
                analysis_by(request.analyzer),
                request,
                analysis_limits(media_us),
                summary=f"{request.analyzer} of {request.asset.name}",
                name=f"{request.analyzer}-{request.asset.asset_id}",
                given_up=self._given_up,
            )
        except ActivityError as error:
            return failure_of(error)
        self._book.analysed(request.asset, artifact)
        return (artifact,)

    def _given_up(self) -> bool:
        return not self._book.open


async def _all(calls: Iterable[Awaitable[T]]) -> list[T]:
    """Wait for every call to end, whatever happens to the others, and then raise the first error."""
    answers = await asyncio.gather(*calls, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if not isinstance(answer, BaseException)]


def _is_talk(usable: _UsableAsset) -> bool:
    """Whether separate sound may have been recorded beside it."""
    return usable.asset.kind is AssetKind.A_ROLL and usable.probed.has_sound

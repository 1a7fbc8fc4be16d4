"""The activity that directs one output, or takes over the edit that was brought for it: an EDL and OpenTimelineIO."""

import asyncio
import hashlib
from collections.abc import Sequence

from pydantic import ValidationError
from temporalio import activity

from activities.artifacts import read_facts, read_object
from activities.context import ActivityContext
from activities.declarations import PLAN_OUTPUT, PlannedOutput, PlanOutput, SegmentSpan
from activities.edits import store_edit
from activities.in_one_piece import mostly_copied
from activities.output_keys import OutputKeys, edit_key
from activities.verdicts import Verdicts
from director import PlanOptions, adopt, plan, question, review
from render import require_passed, segments_of
from schemas.delivery import DeliveryCheck
from schemas.edl import EDL, Variant
from schemas.errors import CinemaError, ErrorCode
from schemas.facts import AssetFacts
from schemas.invalid_input import InvalidInput
from schemas.jobs import Asset, BroughtPlan, OutputSpec
from schemas.rendering import SegmentLengths
from schemas.timebase import frame_to_us
from stores import Assets, Bucket, Outputs, Projects

#: An edit and the rows of its review.
Reviewed = tuple[EDL, tuple[DeliveryCheck, ...]]


class PlanningActivities:
    """Decisions, stored where the renderer and the creator find them."""

    def __init__(self, context: ActivityContext) -> None:
        self._objects = context.objects
        self._outputs = Outputs(context.database)
        self._assets = Assets(context.database)
        self._projects = Projects(context.database)
        self._segments = context.segments
        self._verdicts = Verdicts(context)

    @activity.defn(name=PLAN_OUTPUT.name)
    async def plan_output(self, asked: PlanOutput) -> PlannedOutput:
        facts = await self._facts(asked)
        brought = asked.request.plan_of(asked.output.variant)
        edl, findings = await (self._direct(asked, facts) if brought is None else self._adopt(asked, brought, facts))
        require_passed(findings)
        key = await self._store(asked, edl)
        await self._outputs.plan(asked.output.output_id, key)
        return PlannedOutput(
            edl_key=key,
            duration_us=frame_to_us(edl.duration, edl.rate),
            review=findings,
            segments=await asyncio.to_thread(_segments, edl, facts, self._segments),
        )

    async def _facts(self, asked: PlanOutput) -> list[AssetFacts]:
        """What was measured of the footage, and what its creator says of it now."""
        told = {asset.id: asset for asset in await self._assets.for_project(asked.project_id)}
        measured = await asyncio.gather(*(read_facts(self._objects, asset) for asset in asked.assets))
        return [
            facts.model_copy(update=_words(told.get(analysed.asset.asset_id)))
            for facts, analysed in zip(measured, asked.assets, strict=True)
        ]

    async def _direct(self, asked: PlanOutput, facts: Sequence[AssetFacts]) -> Reviewed:
        spec = (await self._outputs.get(asked.output.output_id)).spec or OutputSpec(pace=asked.request.pace)
        options = PlanOptions(
            pace=spec.pace,
            title=asked.project_name,
            number=spec.passage,
            count=spec.passages,
            style=spec.style,
            captions=spec.captions,
            caption_look=spec.caption_look,
            in_given_order=await self._projects.is_in_given_order(asked.project_id),
        )
        options = await self._judged(asked, facts, options)
        return await asyncio.to_thread(_plan_and_review, facts, asked.output.variant, options)

    async def _judged(self, asked: PlanOutput, facts: Sequence[AssetFacts], options: PlanOptions) -> PlanOptions:
        """The options with what a judge says of the candidates, where there is a judge, and a choice."""
        if not self._verdicts.has_judge:
            return options
        offered = await asyncio.to_thread(question, facts, asked.output.variant, options)
        verdict = await self._verdicts.on(offered, asked) if offered.is_open else None
        return options.model_copy(update={"verdict": verdict})

    async def _adopt(self, asked: PlanOutput, brought: BroughtPlan, facts: Sequence[AssetFacts]) -> Reviewed:
        """The edit that was brought, if it is of this footage; it lies with the project, and nowhere else."""
        key = edit_key(asked.owner_id, asked.project_id, brought.edl_sha256)
        content = await read_object(self._objects, Bucket.OUTPUTS, key)
        if hashlib.sha256(content).hexdigest() != brought.edl_sha256:
            raise CinemaError(ErrorCode.OBJECT_CORRUPT, "The stored edit is not the one that was brought.")
        return await asyncio.to_thread(_adopted, content, facts, asked.output.variant, brought)

    async def _store(self, asked: PlanOutput, edl: EDL) -> str:
        keys = OutputKeys(asked.owner_id, asked.project_id, asked.job_id, asked.output.output_id)
        async with self._outputs.planning(asked.output.output_id):
            await store_edit(self._objects, keys, edl)
        return keys.edl


def _segments(edl: EDL, facts: Sequence[AssetFacts], lengths: SegmentLengths) -> tuple[SegmentSpan, ...]:
    """What the output is to be rendered in; nothing where it is rendered in one piece."""
    segments = segments_of(edl, lengths)
    if mostly_copied(edl, facts):
        return ()
    return tuple(SegmentSpan(first=found.first, end=found.end) for found in segments) if len(segments) > 1 else ()


def _words(asset: Asset | None) -> dict[str, object]:
    return {} if asset is None else {"tags": asset.tags, "description": asset.description}


def _plan_and_review(facts: Sequence[AssetFacts], variant: Variant, options: PlanOptions) -> Reviewed:
    edl = plan(facts, variant, options)
    return edl, review(edl, facts)


def _adopted(content: bytes, facts: Sequence[AssetFacts], variant: Variant, brought: BroughtPlan) -> Reviewed:
    try:
        edl = EDL.model_validate_json(content)
    except ValidationError as error:
        raise InvalidInput.from_validation(error) from error
    return adopt(edl, facts, variant, accept_findings=brought.accept_findings)

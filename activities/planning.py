"""The activity that directs one output: facts in, an EDL and its OpenTimelineIO out."""

import asyncio
from collections.abc import Sequence

from temporalio import activity

from activities.artifacts import read_facts
from activities.context import ActivityContext
from activities.declarations import PLAN_OUTPUT, PlannedOutput, PlanOutput
from activities.output_keys import OutputKeys
from activities.uploads import upload_bytes
from director import PlanOptions, export_otio, plan, review
from render import require_passed
from schemas.delivery import DeliveryCheck
from schemas.edl import EDL, Variant
from schemas.facts import AssetFacts
from schemas.timebase import frame_to_us
from stores import Bucket, Outputs


class PlanningActivities:
    """Decisions, stored where the renderer and the creator find them."""

    def __init__(self, context: ActivityContext) -> None:
        self._objects = context.objects
        self._outputs = Outputs(context.database)

    @activity.defn(name=PLAN_OUTPUT.name)
    async def plan_output(self, asked: PlanOutput) -> PlannedOutput:
        facts = await asyncio.gather(*(read_facts(self._objects, asset) for asset in asked.assets))
        options = PlanOptions(pace=asked.request.pace, title=asked.project_name)
        edl, findings = await asyncio.to_thread(_plan_and_review, facts, asked.output.variant, options)
        require_passed(findings)
        key = await self._store(asked, edl)
        await self._outputs.plan(asked.output.output_id, key)
        return PlannedOutput(edl_key=key, duration_us=frame_to_us(edl.duration, edl.rate), review=findings)

    async def _store(self, asked: PlanOutput, edl: EDL) -> str:
        keys = OutputKeys(asked.owner_id, asked.project_id, asked.job_id, asked.output.output_id)
        await upload_bytes(self._objects, Bucket.OUTPUTS, keys.edl, edl.model_dump_json(indent=1).encode())
        otio = export_otio(edl, media_url=lambda source: source.name)
        await upload_bytes(self._objects, Bucket.OUTPUTS, keys.otio, otio.encode())
        return keys.edl


def _plan_and_review(
    facts: Sequence[AssetFacts], variant: Variant, options: PlanOptions
) -> tuple[EDL, tuple[DeliveryCheck, ...]]:
    edl = plan(facts, variant, options)
    return edl, review(edl, facts)

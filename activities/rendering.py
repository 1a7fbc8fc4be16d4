"""The activity that renders one output and publishes it, once, whatever was killed before."""

import time
from pathlib import Path

from temporalio import activity

from activities.accounting import Account, accounted
from activities.child_tasks import RENDER
from activities.context import ActivityContext
from activities.declarations import RENDER_OUTPUT, RenderedOutput, RenderOutput
from activities.footage_child import FootageChild
from activities.hardware import on_accelerator_or_cpu
from activities.heartbeat import heartbeating
from activities.identity import identify
from activities.metrics import observe_render
from activities.output_progress import OutputProgress
from activities.patience import patiently
from activities.pixel_rates import pixel_rate_of
from activities.publishing import Publishing, published
from activities.scratch import working_folder
from schemas.cost import Outcome
from schemas.edl import EDL
from schemas.hardware import Hardware
from schemas.jobs import OutputStatus
from schemas.rendering import RenderRequest, RenderResult
from schemas.timebase import frame_to_us
from stores import Ledger, Outputs, RenderWork


class RenderActivities:
    """An EDL in, a published and proven output out."""

    def __init__(self, context: ActivityContext) -> None:
        self._context = context
        self._outputs = Outputs(context.database)
        self._publishing = Publishing(context)
        self._child = FootageChild(context)
        self._ledger = Ledger(context.database)

    @activity.defn(name=RENDER_OUTPUT.name)
    async def render_output(self, asked: RenderOutput) -> RenderedOutput:
        """Render, check and publish; a video that is there already, for this output or another, is reused."""
        async with heartbeating("render") as heartbeat:
            output = await patiently(lambda: self._outputs.get(asked.output.output_id))
            if output.status is OutputStatus.COMPLETED:
                return published(output, reused=True)
            attempt = await patiently(lambda: self._outputs.begin_attempt(output.id))
            identify(attempt=attempt)
            progress = OutputProgress(self._outputs, output.id, attempt, heartbeat)
            entry = await patiently(lambda: self._ledger.begin_render(RenderWork(output.id, attempt)))
            async with accounted(self._ledger, entry) as account:
                reused = await self._make(asked, attempt, progress, account)
            return published(await patiently(lambda: self._outputs.get(output.id)), reused=reused)

    async def _make(self, asked: RenderOutput, attempt: int, progress: OutputProgress, account: Account) -> bool:
        """Publish the output, and say whether nothing had to be rendered for it."""
        edl = await patiently(lambda: self._publishing.edl(asked.edl_key))
        if await patiently(lambda: self._publishing.reuse(asked, attempt, edl)):
            account.outcome = Outcome.REUSED
            return True
        account.media_us, account.pixel_rate = frame_to_us(edl.duration, edl.rate), pixel_rate_of(edl)
        with working_folder(self._context.scratch, f"{asked.output.output_id}-{attempt}") as folder:
            result = await self._render(asked, edl, folder, progress, account)
            await progress.enter("publishing")
            await patiently(lambda: self._publishing.publish(asked, attempt, edl, result))
        return False

    async def _render(
        self, asked: RenderOutput, edl: EDL, folder: Path, progress: OutputProgress, account: Account
    ) -> RenderResult:
        async def render_on(hardware: Hardware, folder: Path) -> RenderResult:
            encoder = self._context.encoder
            return await self._child.run(
                RENDER,
                RenderRequest(edl=edl, sources={}, folder=folder, encoder=encoder, hardware=hardware),
                RenderResult,
                project_id=asked.project_id,
                sources=edl.sources,
                frames=range(edl.duration),
                on_progress=progress.advance,
                account=account,
            )

        started = time.monotonic()
        result = await on_accelerator_or_cpu(render_on, self._context.hardware, folder)
        observe_render(asked.output.variant, result.report.metrics, time.monotonic() - started)
        return result

"""The activity that renders one output and publishes it, once, whatever was killed before."""

import time
from pathlib import Path

from temporalio import activity

from activities.child_tasks import RENDER
from activities.context import ActivityContext
from activities.declarations import RENDER_OUTPUT, RenderedOutput, RenderOutput
from activities.footage_child import FootageChild
from activities.hardware import on_accelerator_or_cpu
from activities.metrics import observe_render
from activities.output_attempt import Attempt, OutputAttempts, Step
from schemas.hardware import Hardware
from schemas.rendering import RenderRequest, RenderResult
from stores import Outputs


class RenderActivities:
    """An EDL in, a published and proven output out."""

    def __init__(self, context: ActivityContext) -> None:
        self._context = context
        self._attempts = OutputAttempts(context, Step("render", Outputs.begin_attempt))
        self._child = FootageChild(context)

    @activity.defn(name=RENDER_OUTPUT.name)
    async def render_output(self, asked: RenderOutput) -> RenderedOutput:
        """Render, check and publish; a video that is there already, for this output or another, is reused."""
        return await self._attempts.run(asked, lambda attempt: self._render(asked, attempt))

    async def _render(self, asked: RenderOutput, attempt: Attempt) -> RenderResult:
        edl = attempt.edl

        async def render_on(hardware: Hardware, folder: Path) -> RenderResult:
            encoder = self._context.encoder
            return await self._child.run(
                RENDER,
                RenderRequest(edl=edl, sources={}, folder=folder, encoder=encoder, hardware=hardware),
                RenderResult,
                project_id=asked.project_id,
                sources=edl.sources,
                frames=range(edl.duration),
                on_progress=attempt.progress.advance,
                account=attempt.account,
            )

        started = time.monotonic()
        result = await on_accelerator_or_cpu(render_on, self._context.hardware, attempt.folder)
        observe_render(asked.output.variant, result.report.metrics, time.monotonic() - started)
        return result

"""The activity that renders one output and publishes it, once, whatever was killed before."""

from pathlib import Path

import structlog
from temporalio import activity

from activities.artifacts import read_object
from activities.child_tasks import RENDER
from activities.context import ActivityContext
from activities.declarations import RENDER_OUTPUT, RenderedOutput, RenderOutput
from activities.heartbeat import heartbeating
from activities.output_keys import OutputKeys
from activities.output_progress import OutputProgress
from activities.sandbox import run_in_child
from activities.scratch import working_folder
from activities.time_limit import time_left
from schemas.edl import EDL
from schemas.errors import ErrorCode, TransientError
from schemas.jobs import Output, OutputFiles, OutputStatus
from schemas.rendering import RenderRequest, RenderResult
from stores import Assets, Bucket, Outputs


class RenderActivities:
    """An EDL in, a published and proven output out."""

    def __init__(self, context: ActivityContext) -> None:
        self._context = context
        self._objects = context.objects
        self._assets = Assets(context.database)
        self._outputs = Outputs(context.database)

    @activity.defn(name=RENDER_OUTPUT.name)
    async def render_output(self, asked: RenderOutput) -> RenderedOutput:
        """Render, check and publish; an output that is already published is left alone."""
        output = await self._outputs.get(asked.output.output_id)
        if output.status is OutputStatus.COMPLETED:
            return _published(output, reused=True)
        attempt = await self._outputs.begin_attempt(output.id)
        structlog.contextvars.bind_contextvars(attempt=attempt)
        async with heartbeating("render") as heartbeat:
            progress = OutputProgress(self._outputs, output.id, attempt, heartbeat)
            with working_folder(self._context.scratch, f"{output.id}-{attempt}") as folder:
                result = await self._render(asked, folder, progress)
                await progress.enter("publishing")
                async with self._outputs.publishing(output.id, attempt):
                    files = await self._publish(asked, result)
                    await self._outputs.complete(output.id, attempt, files)
        return _published(await self._outputs.get(output.id), reused=False)

    async def _render(self, asked: RenderOutput, folder: Path, progress: OutputProgress) -> RenderResult:
        edl = EDL.model_validate_json(await read_object(self._objects, Bucket.OUTPUTS, asked.edl_key))
        request = RenderRequest(
            edl=edl,
            sources=await self._sources(asked, edl),
            folder=folder,
            encoder=self._context.encoder,
        )
        return await run_in_child(
            RENDER,
            request,
            RenderResult,
            limits=self._context.limits,
            time_limit=time_left(),
            on_progress=progress.advance,
        )

    async def _sources(self, asked: RenderOutput, edl: EDL) -> dict[str, Path]:
        """Where each source's bytes can be read, found by their content."""
        assets = {asset.sha256: asset for asset in await self._assets.for_project(asked.project_id)}
        missing = [source.name for source in edl.sources if source.sha256 not in assets]
        if missing:
            raise TransientError(ErrorCode.OBJECT_MISSING, f"{missing[0]} is no longer in the project.")
        return {
            source.id: await self._objects.local_path(Bucket.ASSETS, assets[source.sha256].object_key)
            for source in edl.sources
        }

    async def _publish(self, asked: RenderOutput, result: RenderResult) -> OutputFiles:
        keys = OutputKeys(asked.owner_id, asked.project_id, asked.job_id, asked.output.output_id)
        video = await self._objects.put_file(Bucket.OUTPUTS, keys.video, result.video)
        await self._objects.put_file(Bucket.OUTPUTS, keys.srt, result.srt)
        await self._objects.put_file(Bucket.OUTPUTS, keys.vtt, result.vtt)
        await self._objects.put_file(Bucket.THUMBS, keys.thumbnail, result.thumbnail)
        return OutputFiles(
            video_key=keys.video,
            video_bytes=video.size_bytes,
            video_sha256=video.sha256,
            edl_key=keys.edl,
            otio_key=keys.otio,
            srt_key=keys.srt,
            vtt_key=keys.vtt,
            thumbnail_key=keys.thumbnail,
            report=result.report,
        )


def _published(output: Output, *, reused: bool) -> RenderedOutput:
    if output.files is None:
        raise TransientError(ErrorCode.OBJECT_MISSING, "A completed output has no files on record.")
    return RenderedOutput(
        video_key=output.files.video_key,
        video_sha256=output.files.video_sha256,
        attempt=output.attempt,
        reused=reused,
    )

"""The activity that renders one output and publishes it, once, whatever was killed before."""

import time
from pathlib import Path

from temporalio import activity

from activities.accounting import Account, accounted
from activities.artifacts import read_object
from activities.child_tasks import RENDER
from activities.context import ActivityContext
from activities.declarations import RENDER_OUTPUT, RenderedOutput, RenderOutput
from activities.heartbeat import heartbeating
from activities.identity import identify
from activities.metrics import observe_render
from activities.output_keys import OutputKeys
from activities.output_progress import OutputProgress
from activities.patience import patiently
from activities.render_key import render_key
from activities.sandbox import run_in_child
from activities.scratch import working_folder
from activities.time_limit import time_left
from activities.uploads import upload_file
from schemas.cost import Outcome
from schemas.edl import EDL
from schemas.errors import CinemaError, ErrorCode, TransientError
from schemas.jobs import Output, OutputFiles, OutputStatus
from schemas.rendering import RenderRequest, RenderResult
from schemas.timebase import frame_to_us
from stores import Assets, Bucket, Ledger, Outputs, RenderWork


class RenderActivities:
    """An EDL in, a published and proven output out."""

    def __init__(self, context: ActivityContext) -> None:
        self._context = context
        self._objects = context.objects
        self._assets = Assets(context.database)
        self._outputs = Outputs(context.database)
        self._ledger = Ledger(context.database)

    @activity.defn(name=RENDER_OUTPUT.name)
    async def render_output(self, asked: RenderOutput) -> RenderedOutput:
        """Render, check and publish; what is published already, here or from the same edit elsewhere, is reused."""
        async with heartbeating("render") as heartbeat:
            output = await patiently(lambda: self._outputs.get(asked.output.output_id))
            if output.status is OutputStatus.COMPLETED:
                return _published(output, reused=True)
            attempt = await patiently(lambda: self._outputs.begin_attempt(output.id))
            identify(attempt=attempt)
            progress = OutputProgress(self._outputs, output.id, attempt, heartbeat)
            entry = await patiently(lambda: self._ledger.begin_render(RenderWork(output.id, attempt)))
            async with accounted(self._ledger, entry) as account:
                reused = await self._make(asked, attempt, progress, account)
            return _published(await patiently(lambda: self._outputs.get(output.id)), reused=reused)

    async def _make(self, asked: RenderOutput, attempt: int, progress: OutputProgress, account: Account) -> bool:
        """Publish the output, and say whether nothing had to be rendered for it."""
        edl = await patiently(lambda: self._edl(asked))
        key = render_key(edl, self._context.encoder)
        if await patiently(lambda: self._reuse(asked, attempt, key)):
            account.outcome = Outcome.REUSED
            return True
        account.media_us = frame_to_us(edl.duration, edl.rate)
        with working_folder(self._context.scratch, f"{asked.output.output_id}-{attempt}") as folder:
            result = await self._render(asked, edl, folder, progress, account)
            await progress.enter("publishing")
            await patiently(lambda: self._publish(asked, attempt, key, result))
        return False

    async def _edl(self, asked: RenderOutput) -> EDL:
        return EDL.model_validate_json(await read_object(self._objects, Bucket.OUTPUTS, asked.edl_key))

    async def _reuse(self, asked: RenderOutput, attempt: int, key: str) -> bool:
        """Publish what was rendered from the very same edit before, if it is still there and whole."""
        found = await self._outputs.find_rendered(asked.owner_id, key)
        if found is None or found.files is None:
            return False
        async with self._outputs.publishing(asked.output.output_id, attempt):
            try:
                files = await self._copy(asked, found.files)
            except CinemaError as error:
                if error.code not in {ErrorCode.OBJECT_MISSING, ErrorCode.OBJECT_CORRUPT, ErrorCode.NOT_FOUND}:
                    raise
                return False
            await self._outputs.complete(asked.output.output_id, attempt, files)
        return True

    async def _copy(self, asked: RenderOutput, earlier: OutputFiles) -> OutputFiles:
        keys, objects = _keys(asked), self._objects
        video = objects.get(Bucket.OUTPUTS, earlier.video_key)
        await objects.put(Bucket.OUTPUTS, keys.video, video, expected_sha256=earlier.video_sha256)
        await objects.put(Bucket.OUTPUTS, keys.srt, objects.get(Bucket.OUTPUTS, earlier.srt_key))
        await objects.put(Bucket.OUTPUTS, keys.vtt, objects.get(Bucket.OUTPUTS, earlier.vtt_key))
        await objects.put(Bucket.THUMBS, keys.thumbnail, objects.get(Bucket.THUMBS, earlier.thumbnail_key))
        return earlier.model_copy(update={"report": earlier.report.with_review(asked.review), **_places(keys)})

    async def _render(
        self, asked: RenderOutput, edl: EDL, folder: Path, progress: OutputProgress, account: Account
    ) -> RenderResult:
        request = RenderRequest(
            edl=edl,
            sources=await patiently(lambda: self._sources(asked, edl)),
            folder=folder,
            encoder=self._context.encoder,
        )
        started = time.monotonic()
        result = await run_in_child(
            RENDER,
            request,
            RenderResult,
            limits=self._context.limits,
            time_limit=time_left(),
            on_progress=progress.advance,
            account=account,
        )
        observe_render(asked.output.variant, result.report.metrics, time.monotonic() - started)
        return result

    async def _sources(self, asked: RenderOutput, edl: EDL) -> dict[str, Path]:
        """Where each source's bytes can be read, found by their content."""
        assets = {asset.sha256: asset for asset in await self._assets.live_for_project(asked.project_id)}
        missing = [source.name for source in edl.sources if source.sha256 not in assets]
        if missing:
            raise TransientError(ErrorCode.OBJECT_MISSING, f"{missing[0]} is no longer in the project.")
        return {
            source.id: await self._objects.local_path(Bucket.ASSETS, assets[source.sha256].object_key)
            for source in edl.sources
        }

    async def _publish(self, asked: RenderOutput, attempt: int, key: str, result: RenderResult) -> None:
        async with self._outputs.publishing(asked.output.output_id, attempt):
            await self._outputs.complete(asked.output.output_id, attempt, await self._upload(asked, key, result))

    async def _upload(self, asked: RenderOutput, key: str, result: RenderResult) -> OutputFiles:
        keys = _keys(asked)
        video = await upload_file(self._objects, Bucket.OUTPUTS, keys.video, result.video)
        await upload_file(self._objects, Bucket.OUTPUTS, keys.srt, result.srt)
        await upload_file(self._objects, Bucket.OUTPUTS, keys.vtt, result.vtt)
        await upload_file(self._objects, Bucket.THUMBS, keys.thumbnail, result.thumbnail)
        return OutputFiles(
            render_key=key,
            video_bytes=video.size_bytes,
            video_sha256=video.sha256,
            report=result.report.with_review(asked.review),
            **_places(keys),
        )


def _keys(asked: RenderOutput) -> OutputKeys:
    return OutputKeys(asked.owner_id, asked.project_id, asked.job_id, asked.output.output_id)


def _places(keys: OutputKeys) -> dict[str, str]:
    return {
        "video_key": keys.video,
        "edl_key": keys.edl,
        "otio_key": keys.otio,
        "srt_key": keys.srt,
        "vtt_key": keys.vtt,
        "thumbnail_key": keys.thumbnail,
    }


def _published(output: Output, *, reused: bool) -> RenderedOutput:
    if output.files is None:
        raise TransientError(ErrorCode.OBJECT_MISSING, "A completed output has no files on record.")
    return RenderedOutput(
        video_key=output.files.video_key,
        video_sha256=output.files.video_sha256,
        attempt=output.attempt,
        reused=reused,
    )

"""An output's files in the object store and on record: published together, whatever was rendered how."""

from uuid import UUID

from activities.artifacts import read_object
from activities.context import ActivityContext
from activities.declarations import RenderedOutput, RenderOutput
from activities.edits import store_edit
from activities.output_keys import OutputKeys
from activities.uploads import sha256_of, upload_bytes, upload_file
from render import require_passed, restated, to_srt, to_vtt, video_key
from schemas.edl import EDL
from schemas.errors import CinemaError, ErrorCode, TransientError
from schemas.jobs import Output, OutputFiles, OutputStatus
from schemas.rendering import RenderResult
from schemas.storyboard import Storyboard
from stores import Bucket, ObjectStat, Outputs, Videos


class Publishing:
    """Reads edits, and publishes what was rendered of them: each output with the very edit that its video shows."""

    def __init__(self, context: ActivityContext) -> None:
        self._objects = context.objects
        self._outputs = Outputs(context.database)
        self._videos = Videos(context.database)
        self._encoder = context.encoder

    async def edl(self, key: str) -> EDL:
        return EDL.model_validate_json(await read_object(self._objects, Bucket.OUTPUTS, key))

    def render_key(self, edl: EDL) -> str:
        """What the edit's video goes by on this worker."""
        return video_key(edl, self._encoder)

    async def find(self, owner_id: UUID, edl: EDL) -> Output | None:
        """An output whose video this edit's would be; none where its notes call a source what it is not called now."""
        found = await self._videos.find(owner_id, self.render_key(edl))
        if found is None or found.files is None:
            return None
        try:
            renamed = found.files.report.notes and _names(await self.edl(found.files.edl_key)) != _names(edl)
        except CinemaError as error:
            await self._give_up(found, error)
            return None
        return None if renamed else found

    async def reuse(self, asked: RenderOutput, attempt: int, edl: EDL) -> bool:
        """Publish a video with this picture and sound that is there already and whole, if there is one.

        Done again by the same attempt, it changes nothing.
        """
        if await self._is_done(asked, attempt) or await self._finish(asked, attempt, edl):
            return True
        return await self._take_over(asked, attempt, edl)

    async def publish(self, asked: RenderOutput, attempt: int, edl: EDL, result: RenderResult) -> None:
        """Store what was rendered of this edit; the output exists from the end of this on. Again changes nothing."""
        if await self._is_done(asked, attempt):
            return
        async with self._outputs.publishing(asked.output.output_id, attempt):
            await self._outputs.complete(
                asked.output.output_id, attempt, await self._upload(asked, attempt, edl, result)
            )

    async def _is_done(self, asked: RenderOutput, attempt: int) -> bool:
        """Whether this very attempt has published the output, and only the answer to that was lost."""
        output = await self._outputs.get(asked.output.output_id)
        return output.status is OutputStatus.COMPLETED and output.attempt == attempt

    async def _finish(self, asked: RenderOutput, attempt: int, edl: EDL) -> bool:
        """Publish what an earlier attempt at this output has made, checked and uploaded, and did not live to publish.

        What was announced is what was checked: the store has it if it has these very bytes. Everything else was stored
        before the video.
        """
        made = await self._videos.announced(asked.output.output_id, self.render_key(edl))
        if made is None:
            return False
        report = restated(made.report, edl).with_review(asked.review).model_copy(update={"reused": made.report.reused})
        require_passed(report.checks)
        async with self._outputs.publishing(asked.output.output_id, attempt):
            if not await self._arrived(made):
                return False
            await self._complete(asked, attempt, edl, made.model_copy(update={"report": report}))
        return True

    async def _arrived(self, made: OutputFiles) -> bool:
        video = await self._stat(Bucket.OUTPUTS, made.video_key)
        return video is not None and (video.sha256, video.size_bytes) == (made.video_sha256, made.video_bytes)

    async def _stat(self, bucket: Bucket, key: str) -> ObjectStat | None:
        """The object as it was stored; none either where its bytes are not what they were."""
        try:
            return await self._objects.stat(bucket, key)
        except CinemaError as error:
            if error.code is not ErrorCode.OBJECT_CORRUPT:
                raise
            return None

    async def _take_over(self, asked: RenderOutput, attempt: int, edl: EDL) -> bool:
        """Publish a copy of another output's video with the same picture and sound.

        Only the video and what is drawn from it are copied: each output keeps its own files, whatever becomes of the
        other's, and its words are those of its own edit.
        """
        found = await self.find(asked.owner_id, edl)
        if found is None or found.files is None:
            return False
        keys = _keys(asked)
        report = restated(found.files.report, edl).with_review(asked.review)
        require_passed(report.checks)
        async with self._outputs.publishing(asked.output.output_id, attempt):
            try:
                storyboard = await self._copied(keys, found.files)
            except CinemaError as error:
                await self._give_up(found, error)
                return False
            made = {"report": report, "storyboard": storyboard, **_places(keys)}
            await self._complete(asked, attempt, edl, found.files.model_copy(update=made))
        return True

    async def _complete(self, asked: RenderOutput, attempt: int, edl: EDL, files: OutputFiles) -> None:
        """Publish a video that is where it belongs, with the words of this edit."""
        keys = _keys(asked)
        await upload_bytes(self._objects, Bucket.OUTPUTS, keys.srt, to_srt(edl).encode())
        await upload_bytes(self._objects, Bucket.OUTPUTS, keys.vtt, to_vtt(edl).encode())
        await store_edit(self._objects, keys, edl)
        await self._outputs.complete(asked.output.output_id, attempt, files)

    async def _give_up(self, found: Output, error: CinemaError) -> None:
        """Never again offer what is lost. Raises ``error`` where it says something else."""
        if error.code not in {ErrorCode.OBJECT_MISSING, ErrorCode.OBJECT_CORRUPT, ErrorCode.NOT_FOUND}:
            raise error
        await self._videos.keep_from_reuse(found.id)

    async def _copied(self, keys: OutputKeys, earlier: OutputFiles) -> Storyboard | None:
        """Copy the video and its pictures; the storyboard, where there is one."""
        objects = self._objects
        video = objects.get(Bucket.OUTPUTS, earlier.video_key)
        await objects.put(Bucket.OUTPUTS, keys.video, video, expected_sha256=earlier.video_sha256)
        await objects.put(Bucket.THUMBS, keys.thumbnail, objects.get(Bucket.THUMBS, earlier.thumbnail_key))
        if earlier.storyboard is None:
            return None
        await objects.put(Bucket.THUMBS, keys.storyboard, objects.get(Bucket.THUMBS, earlier.storyboard.image_key))
        return Storyboard(image_key=keys.storyboard, grid=earlier.storyboard.grid)

    async def _upload(self, asked: RenderOutput, attempt: int, edl: EDL, result: RenderResult) -> OutputFiles:
        """Store the video last: where it is, everything is, and what it is was announced."""
        keys = _keys(asked)
        files = OutputFiles(
            render_key=self.render_key(edl),
            video_bytes=result.video.stat().st_size,
            video_sha256=await sha256_of(result.video),
            report=result.report.with_review(asked.review),
            storyboard=Storyboard(image_key=keys.storyboard, grid=result.storyboard_grid),
            **_places(keys),
        )
        await self._videos.retract(asked.output.output_id)
        await upload_file(self._objects, Bucket.OUTPUTS, keys.srt, result.srt)
        await upload_file(self._objects, Bucket.OUTPUTS, keys.vtt, result.vtt)
        await upload_file(self._objects, Bucket.THUMBS, keys.thumbnail, result.thumbnail)
        await upload_file(self._objects, Bucket.THUMBS, keys.storyboard, result.storyboard)
        # A planner that was given up may have come back and planned otherwise since this render began.
        await store_edit(self._objects, keys, edl)
        await self._videos.announce(asked.output.output_id, attempt, files)
        await upload_file(self._objects, Bucket.OUTPUTS, keys.video, result.video, sha256=files.video_sha256)
        return files


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


def _names(edl: EDL) -> dict[str, str]:
    return {source.id: source.name for source in edl.sources}


def published(output: Output, *, reused: bool) -> RenderedOutput:
    """What the activity that was asked for the output answers."""
    if output.files is None:
        raise TransientError(ErrorCode.OBJECT_MISSING, "A completed output has no files on record.")
    return RenderedOutput(
        video_key=output.files.video_key,
        video_sha256=output.files.video_sha256,
        attempt=output.attempt,
        reused=reused,
    )

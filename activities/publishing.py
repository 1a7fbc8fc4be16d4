"""An output's files in the object store and on record: published together, whatever was rendered how."""

from activities.artifacts import read_object
from activities.context import ActivityContext
from activities.declarations import RenderedOutput, RenderOutput
from activities.output_keys import OutputKeys
from activities.uploads import upload_file
from schemas.edl import EDL
from schemas.errors import CinemaError, ErrorCode, TransientError
from schemas.jobs import Output, OutputFiles
from schemas.rendering import RenderResult
from schemas.storyboard import Storyboard
from stores import Bucket, Outputs


class Publishing:
    """Reads edits, and publishes what was rendered of them."""

    def __init__(self, context: ActivityContext) -> None:
        self._objects = context.objects
        self._outputs = Outputs(context.database)

    async def edl(self, key: str) -> EDL:
        return EDL.model_validate_json(await read_object(self._objects, Bucket.OUTPUTS, key))

    async def reuse(self, asked: RenderOutput, attempt: int, key: str) -> bool:
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
        copied = {
            "report": earlier.report.with_review(asked.review),
            "storyboard": await self._copy_storyboard(keys, earlier.storyboard),
        }
        return earlier.model_copy(update={**copied, **_places(keys)})

    async def _copy_storyboard(self, keys: OutputKeys, earlier: Storyboard | None) -> Storyboard | None:
        if earlier is None:
            return None
        image = self._objects.get(Bucket.THUMBS, earlier.image_key)
        await self._objects.put(Bucket.THUMBS, keys.storyboard, image)
        return Storyboard(image_key=keys.storyboard, grid=earlier.grid)

    async def publish(self, asked: RenderOutput, attempt: int, key: str, result: RenderResult) -> None:
        """Store what was rendered; the output exists from the end of this on."""
        async with self._outputs.publishing(asked.output.output_id, attempt):
            await self._outputs.complete(asked.output.output_id, attempt, await self._upload(asked, key, result))

    async def _upload(self, asked: RenderOutput, key: str, result: RenderResult) -> OutputFiles:
        keys = _keys(asked)
        video = await upload_file(self._objects, Bucket.OUTPUTS, keys.video, result.video)
        await upload_file(self._objects, Bucket.OUTPUTS, keys.srt, result.srt)
        await upload_file(self._objects, Bucket.OUTPUTS, keys.vtt, result.vtt)
        await upload_file(self._objects, Bucket.THUMBS, keys.thumbnail, result.thumbnail)
        await upload_file(self._objects, Bucket.THUMBS, keys.storyboard, result.storyboard)
        return OutputFiles(
            render_key=key,
            video_bytes=video.size_bytes,
            video_sha256=video.sha256,
            report=result.report.with_review(asked.review),
            storyboard=Storyboard(image_key=keys.storyboard, grid=result.storyboard_grid),
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

"""A project with a numbered talk in it, and orders to render edits of it: real rows, real objects, real renders."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from temporalio.testing import ActivityEnvironment

from activities.context import ActivityContext
from activities.declarations import OutputRef, RenderOutput, TaskQueue
from activities.output_keys import OutputKeys
from activities.time_limit import start_time_limit
from activities.uploads import upload_bytes, upload_file
from activities.webhook_sending import WebhookSending
from schemas.cost import Outcome
from schemas.edl import EDL, Caption, CaptionStyle, Variant
from schemas.jobs import JobRequest, OutputFiles, Project
from schemas.media import AssetKind
from schemas.rendering import EncoderSettings
from stores import Assets, Bucket, Jobs, Ledger, LocalObjects, Outputs, Pool
from stores.sealing import Seal, new_key
from tests.render.render_media import Media, audio_clip, edit, lumas, read_number, video_clip

RATE = Fraction(30)
SHOT = 30
FIRSTS = (10, 60, 110, 160)

Answer = TypeVar("Answer")


def cut(talk: Media, words: Sequence[str] = ("one", "two", "three", "four"), *, burn_in: bool = True) -> EDL:
    """Four shots with a caption for each, drawn into them or not."""
    clips = [video_clip(talk, SHOT * n, SHOT, first, RATE) for n, first in enumerate(FIRSTS)]
    sounds = [audio_clip(talk, SHOT * n, SHOT, first, RATE) for n, first in enumerate(FIRSTS)]
    style = CaptionStyle(burn_in=burn_in, left=0, top=150, right=320, bottom=180, font_size=16)
    captions = tuple(Caption(start=SHOT * n + 2, end=SHOT * n + 28, lines=(word,)) for n, word in enumerate(words))
    return edit([talk], clips, sounds, captions=captions, caption_style=style)


@dataclass(frozen=True)
class Studio:
    """What workers render with, and a project whose footage it is."""

    context: ActivityContext
    pool: Pool
    objects: LocalObjects
    project: Project

    async def add(self, talk: Media) -> None:
        """Put it among the project's assets; its bytes are its creator's, once for all projects."""
        stored = await upload_file(self.objects, Bucket.ASSETS, self.footage_key, talk.path)
        await Assets(self.pool).add(
            owner_id=self.project.owner_id,
            project_id=self.project.id,
            name="talk.mp4",
            kind=AssetKind.A_ROLL,
            object_key=stored.key,
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
            position=0,
        )

    @property
    def footage_key(self) -> str:
        """Where the talk lies in bucket ``assets``."""
        return f"{self.project.owner_id}/talk"

    async def ordered(self, edl: EDL) -> RenderOutput:
        """A new job whose only output is planned to be this edit."""
        request = JobRequest(variants=(Variant.CINEMATIC_FULL,))
        job = await Jobs(self.pool).create(self.project.owner_id, self.project.id, request)
        output = job.outputs[0]
        keys = OutputKeys(job.owner_id, job.project_id, job.id, output.id)
        await upload_bytes(self.objects, Bucket.OUTPUTS, keys.edl, edl.model_dump_json().encode())
        await Outputs(self.pool).plan(output.id, keys.edl)
        return RenderOutput(
            job_id=job.id,
            owner_id=job.owner_id,
            project_id=job.project_id,
            output=OutputRef(output_id=output.id, variant=output.variant, status=output.status),
            edl_key=keys.edl,
        )

    async def entries(self, asked: RenderOutput) -> list[tuple[str, Outcome]]:
        """The parts that were worked on, and how that ended."""
        return [(entry.part, entry.outcome) for entry in await Ledger(self.pool).of_job(asked.job_id)]

    async def files(self, asked: RenderOutput) -> OutputFiles:
        """What was published."""
        files = (await Outputs(self.pool).get(asked.output.output_id)).files
        assert files is not None
        return files

    async def numbers(self, asked: RenderOutput) -> list[int]:
        """The frame of the talk that each frame of the published output shows."""
        path = await self.objects.local_path(Bucket.OUTPUTS, (await self.files(asked)).video_key)
        return [read_number(luma) for luma in lumas(path)]


async def open_studio(pool: Pool, objects: LocalObjects, project: Project, talk: Media, folder: Path) -> Studio:
    context = ActivityContext(
        database=pool,
        objects=objects,
        models=folder,
        scratch=folder / "scratch",
        webhooks=WebhookSending(Seal([new_key()])),
        encoder=EncoderSettings(preset="ultrafast", threads=1),
    )
    studio = Studio(context, pool, objects, project)
    await studio.add(talk)
    return studio


async def run(work: Callable[[], Awaitable[Answer]]) -> Answer:
    """Inside an activity of a worker for renders, with time enough."""

    async def timed() -> Answer:
        start_time_limit()
        return await work()

    environment = ActivityEnvironment()
    info = ActivityEnvironment.default_info()
    environment.info = replace(info, task_queue=TaskQueue.RENDER, start_to_close_timeout=timedelta(minutes=5))
    answer: Answer = await environment.run(timed)
    return answer

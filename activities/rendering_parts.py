"""The activities that render a long output in parts, each found or made once, and join them."""

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from temporalio import activity

from activities.accounting import Account, accounted
from activities.child_tasks import JOIN, SEGMENT, SOUND
from activities.context import ActivityContext
from activities.declarations import (
    ASSEMBLE_OUTPUT,
    BEGIN_PARTS,
    RENDER_SEGMENT,
    RENDER_SOUND,
    AssembleOutput,
    BeginParts,
    BegunParts,
    RenderedOutput,
    RenderedPart,
    RenderPart,
    SegmentSpan,
)
from activities.footage_child import FootageChild
from activities.heartbeat import heartbeating
from activities.identity import identify
from activities.made_files import require_made_in
from activities.metrics import RENDERED_MEDIA, observe_stages
from activities.output_attempt import Attempt, OutputAttempts, Step
from activities.output_keys import segment_object_key
from activities.output_progress import PartProgress
from activities.patience import patiently
from activities.pixel_rates import pixel_rate_of
from activities.publishing import Publishing
from activities.sandbox import run_in_child
from activities.scratch import working_folder
from activities.sole_maker import sole_maker
from activities.time_limit import time_left
from activities.uploads import upload_file
from render import Segment, segment_key, sound_key, sources_heard, sources_shown
from schemas.edl import EDL
from schemas.errors import CinemaError, ErrorCode, TransientError
from schemas.hardware import RenderPath
from schemas.jobs import OutputStatus
from schemas.rendering import JoinRequest, MadePart, MadeSegment, RenderRequest, RenderResult, SegmentRequest
from schemas.segments import SegmentReport, StoredSegment
from schemas.timebase import frame_to_us
from stores import Bucket, Ledger, Outputs, PartWork, Segments
from stores.threads import in_thread

#: Shares of an output, for its progress: its sound, its picture, and the rest for joining and checking.
SOUND_SHARE, PICTURE_SHARE = 0.05, 0.85
PARTS_SHARE = SOUND_SHARE + PICTURE_SHARE


class PartActivities:
    """An EDL in, its parts in the store, and of them a published and proven output."""

    def __init__(self, context: ActivityContext) -> None:
        self._context = context
        self._objects = context.objects
        self._outputs = Outputs(context.database)
        self._segments = Segments(context.database)
        self._ledger = Ledger(context.database)
        self._publishing = Publishing(context)
        self._child = FootageChild(context)
        self._joining = OutputAttempts(context, Step("join", Outputs.begin_joining, "join", PARTS_SHARE))

    @activity.defn(name=BEGIN_PARTS.name)
    async def begin_parts(self, asked: BeginParts) -> BegunParts:
        """Begin an attempt, and say which parts are to be made: none where the whole output exists already."""
        output = await self._outputs.get(asked.output.output_id)
        if output.status is OutputStatus.COMPLETED:
            return BegunParts(attempt=output.attempt, missing=())
        edl = await self._publishing.edl(asked.edl_key)
        keys = self._keys(edl, asked.segments)
        made = await self._publishing.find(asked.owner_id, edl)
        stored = set(keys) if made is not None else await self._segments.find(asked.owner_id, keys)
        done = {number for number, key in enumerate(keys) if key in stored}
        attempt = await self._outputs.begin_parts(output.id, _shares(asked.segments), done)
        return BegunParts(attempt=attempt, missing=tuple(sorted(set(range(len(keys))) - done)))

    @activity.defn(name=RENDER_SOUND.name)
    async def render_sound(self, asked: RenderPart) -> RenderedPart:
        """Mix, master and encode the sound of the whole output.

        Raises:
            VideoBeingMade: somebody else does, for an output that sounds the same; to be called again once they have
                ended.
        """
        return await self._part(asked)

    @activity.defn(name=RENDER_SEGMENT.name)
    async def render_segment(self, asked: RenderPart) -> RenderedPart:
        """Render the picture of one segment; raises as :meth:`render_sound`."""
        return await self._part(asked)

    @activity.defn(name=ASSEMBLE_OUTPUT.name)
    async def assemble_output(self, asked: AssembleOutput) -> RenderedOutput:
        """Join the parts, check the whole and publish it.

        Raises:
            TransientError: Parts are missing or damaged (``OBJECT_MISSING``); they have to be made again.
        """
        return await self._joining.run(asked, lambda attempt: self._join(asked, attempt))

    async def _part(self, asked: RenderPart) -> RenderedPart:
        identify(attempt=asked.attempt)
        async with heartbeating("render") as heartbeat:
            edl = await patiently(lambda: self._publishing.edl(asked.edl_key))
            progress = PartProgress(self._outputs, asked.output.output_id, asked.attempt, asked.number, heartbeat)
            rendered = await patiently(lambda: self._found_or_made(asked, edl, progress))
            await progress.advance(1.0)
            return rendered

    async def _found_or_made(self, asked: RenderPart, edl: EDL, progress: PartProgress) -> RenderedPart:
        key = self._key(edl, asked.number, asked.span)
        if await self._is_there(asked, key):
            return RenderedPart(reused=True)
        async with sole_maker(lambda: self._segments.making(asked.owner_id, key), key):
            # Another output may show the same, and another worker have finished it in between.
            if await self._is_there(asked, key):
                return RenderedPart(reused=True)
            entry = await self._ledger.begin_part(PartWork(asked.output.output_id, _name(asked.number)))
            async with accounted(self._ledger, entry) as account:
                account.media_us = frame_to_us(asked.span.end, edl.rate) - frame_to_us(asked.span.first, edl.rate)
                account.pixel_rate = pixel_rate_of(edl) if asked.number else None
                with working_folder(self._context.scratch, f"{asked.output.output_id}-part-{asked.number}") as folder:
                    made = await self._make(asked, edl, folder, progress, account)
                    await patiently(lambda: self._keep(asked, key, made))
            observe_stages(asked.output.variant, made.report.stages)
        return RenderedPart(reused=False)

    async def _is_there(self, asked: RenderPart, key: str) -> bool:
        found = (await self._segments.find(asked.owner_id, [key])).get(key)
        return found is not None and await self._objects.stat(Bucket.OUTPUTS, found.object_key) is not None

    async def _keep(self, asked: RenderPart, key: str, made: MadePart) -> None:
        place = segment_object_key(asked.owner_id, asked.project_id, key)
        await self._segments.announce(asked.owner_id, asked.project_id, key, place)
        stored = await upload_file(self._objects, Bucket.OUTPUTS, place, made.file)
        await self._segments.record(
            asked.project_id, key, size_bytes=stored.size_bytes, sha256=stored.sha256, report=made.report
        )

    async def _make(
        self, asked: RenderPart, edl: EDL, folder: Path, progress: PartProgress, account: Account
    ) -> MadePart:
        """The picture of a segment, or, as number 0, the sound of all of it."""
        span, context = asked.span, self._context
        making = partial(
            self._child.run,
            project_id=asked.project_id,
            frames=range(span.first, span.end),
            on_progress=progress.advance,
            account=account,
        )
        whole = RenderRequest(edl=edl, sources={}, folder=folder, encoder=context.encoder)
        if asked.number == 0:
            return await making(SOUND, whole, MadePart, sources=sources_heard(edl))
        hardware = context.hardware.for_decoding()
        segment = SegmentRequest(**{**dict(whole), "hardware": hardware}, first=span.first, end=span.end)
        return await making(SEGMENT, segment, MadePart, sources=sources_shown(edl, _segment(span)))

    async def _join(self, asked: AssembleOutput, attempt: Attempt) -> RenderResult:
        keys = self._keys(attempt.edl, asked.segments)
        request = await self._gathered(asked, attempt.edl, keys, attempt.folder)
        try:
            result = await run_in_child(
                JOIN,
                request,
                RenderResult,
                limits=self._context.limits,
                time_limit=time_left(),
                on_progress=attempt.progress.advance,
                account=attempt.account,
            )
        except CinemaError as error:
            if error.code is ErrorCode.DELIVERY_CHECK_FAILED:
                # One of the parts may be to blame: whoever tries again makes all of them anew.
                await self._segments.discard(asked.owner_id, keys)
            raise
        require_made_in(request.folder, result.files)
        _observe(asked, request.report, result)
        return result

    async def _gathered(self, asked: AssembleOutput, edl: EDL, keys: Sequence[str], folder: Path) -> JoinRequest:
        """The parts on this machine, each of them whole.

        Raises:
            TransientError: Some are missing or damaged; they are out of use now.
        """
        stored = await patiently(lambda: self._segments.find(asked.owner_id, keys))
        paths = {key: await patiently(partial(self._local, part)) for key, part in stored.items()}
        lost = [key for key in keys if paths.get(key) is None]
        if lost:
            await self._segments.discard(asked.owner_id, lost)
            raise TransientError(ErrorCode.OBJECT_MISSING, "Parts of this video are gone; they are made again.")
        sound, *pictures = [path for path in map(paths.get, keys) if path is not None]
        reports = [stored[key].report for key in dict.fromkeys(keys)]
        return JoinRequest(
            edl=edl,
            sources={},
            folder=folder,
            encoder=self._context.encoder,
            segments=tuple(
                MadeSegment(file=path, first=span.first, end=span.end)
                for path, span in zip(pictures, asked.segments, strict=True)
            ),
            sound=sound,
            report=SegmentReport(
                notes=tuple(note for report in reports for note in report.notes),
                stages=tuple(stage for report in reports for stage in report.stages),
                corrections=tuple(correction for report in reports for correction in report.corrections),
                path=RenderPath.joined(report.path for report in reports),
            ),
        )

    async def _local(self, part: StoredSegment) -> Path | None:
        """Where the part can be read, if it is there and as it was stored."""
        try:
            path = await self._objects.local_path(Bucket.OUTPUTS, part.object_key)
            return path if await in_thread(lambda: _sha256(path)) == part.sha256 else None
        except FileNotFoundError:
            return None
        except CinemaError as error:
            if error.code not in {ErrorCode.OBJECT_MISSING, ErrorCode.OBJECT_CORRUPT, ErrorCode.NOT_FOUND}:
                raise
            return None

    def _keys(self, edl: EDL, segments: Sequence[SegmentSpan]) -> list[str]:
        """What each part depends on, by its number."""
        whole = SegmentSpan(first=0, end=edl.duration)
        return [self._key(edl, number, span) for number, span in enumerate([whole, *segments])]

    def _key(self, edl: EDL, number: int, span: SegmentSpan) -> str:
        encoder = self._context.encoder
        return segment_key(edl, _segment(span), encoder) if number else sound_key(edl, encoder)


def _name(number: int) -> str:
    return f"segment {number}" if number else "sound"


def _segment(span: SegmentSpan) -> Segment:
    return Segment(span.first, span.end)


def _shares(segments: Sequence[SegmentSpan]) -> list[float]:
    """Of the whole output, for each part."""
    frames = segments[-1].end
    return [SOUND_SHARE, *(PICTURE_SHARE * (span.end - span.first) / frames for span in segments)]


def _observe(asked: AssembleOutput, parts: SegmentReport, result: RenderResult) -> None:
    """Count the whole output, and what came after its parts."""
    RENDERED_MEDIA.labels(asked.output.variant).inc(result.report.metrics.duration_s)
    before = {stage.stage for stage in parts.stages}
    observe_stages(asked.output.variant, [stage for stage in result.report.metrics.stages if stage.stage not in before])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

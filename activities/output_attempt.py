"""An attempt at a whole output: its video is found or made, published once, and accounted for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from activities.accounting import Account, accounted
from activities.context import ActivityContext
from activities.declarations import RenderedOutput, RenderOutput
from activities.heartbeat import Heartbeat, heartbeating
from activities.identity import identify
from activities.output_progress import OutputProgress
from activities.patience import patiently
from activities.pixel_rates import pixel_rate_of
from activities.publishing import Publishing, published
from activities.scratch import working_folder
from activities.sole_maker import sole_maker
from schemas.cost import Outcome
from schemas.edl import EDL
from schemas.errors import VideoBeingMade
from schemas.jobs import OutputStatus
from schemas.rendering import RenderResult
from schemas.timebase import frame_to_us
from stores import Ledger, Outputs, RenderWork, Videos


@dataclass(frozen=True)
class Step:
    """The last step to an output: how its attempt begins, what it goes by, and the share that was done before it."""

    stage: str
    begin: Callable[[Outputs, UUID], Awaitable[int]]
    part: str = ""
    begins_at: float = 0.0


@dataclass(frozen=True)
class Attempt:
    """What there is to make a video with: its edit, an empty folder, and who wants to know how it comes along."""

    edl: EDL
    folder: Path
    progress: OutputProgress
    account: Account


Make = Callable[[Attempt], Awaitable[RenderResult]]


class OutputAttempts:
    """Attempts at outputs that are to be published."""

    def __init__(self, context: ActivityContext, step: Step) -> None:
        self._step = step
        self._scratch = context.scratch
        self._outputs = Outputs(context.database)
        self._videos = Videos(context.database)
        self._ledger = Ledger(context.database)
        self._publishing = Publishing(context)

    async def run(self, asked: RenderOutput, make: Make) -> RenderedOutput:
        """What was published before, or of a video that is there, or of what ``make`` makes.

        Raises:
            VideoBeingMade: somebody else makes this very video; to be called again once they have ended.
        """
        async with heartbeating(self._step.stage) as heartbeat:
            output = await patiently(lambda: self._outputs.get(asked.output.output_id))
            if output.status is OutputStatus.COMPLETED:
                return published(output, reused=True)
            edl = await patiently(lambda: self._publishing.edl(asked.edl_key))
            try:
                key = self._publishing.render_key(edl)
                async with sole_maker(lambda: self._videos.making(asked.owner_id, key), key):
                    reused = await self._attempt(asked, edl, heartbeat, make)
            except VideoBeingMade:
                await self._outputs.wait_for_video(output.id, output.attempt)
                raise
            return published(await patiently(lambda: self._outputs.get(output.id)), reused=reused)

    async def _attempt(self, asked: RenderOutput, edl: EDL, heartbeat: Heartbeat, make: Make) -> bool:
        """Begin an attempt and account for it; whether nothing had to be made."""
        step, output_id = self._step, asked.output.output_id
        attempt = await patiently(lambda: step.begin(self._outputs, output_id))
        identify(attempt=attempt)
        progress = OutputProgress(self._outputs, output_id, attempt, heartbeat, begins_at=step.begins_at)
        entry = await patiently(lambda: self._ledger.begin_render(RenderWork(output_id, attempt, step.part)))
        async with accounted(self._ledger, entry) as account:
            if await patiently(lambda: self._publishing.reuse(asked, attempt, edl)):
                account.outcome = Outcome.REUSED
                return True
            account.media_us, account.pixel_rate = frame_to_us(edl.duration, edl.rate), pixel_rate_of(edl)
            with working_folder(self._scratch, f"{output_id}-{attempt}") as folder:
                result = await make(Attempt(edl, folder, progress, account))
                await progress.enter("publishing")
                await patiently(lambda: self._publishing.publish(asked, attempt, edl, result))
        return False

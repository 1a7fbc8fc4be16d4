"""The activity that waits for a video which somebody else makes, without a worker for as long as it takes."""

from temporalio import activity

from activities.context import ActivityContext
from activities.declarations import AWAIT_VIDEO, AwaitVideo
from schemas.errors import VideoBeingMade
from stores import Videos


class VideoActivities:
    """Light work on the database alone."""

    def __init__(self, context: ActivityContext) -> None:
        self._videos = Videos(context.database)

    @activity.defn(name=AWAIT_VIDEO.name)
    async def await_video(self, asked: AwaitVideo) -> None:
        """End once nobody makes the video any more, be it that it is there or that its maker was stopped or died.

        A look that finds it being made fails, and its retry policy says when to look again: so no worker's slot is
        held by waiting, the server calls the wait off by itself, and the job's history does not grow meanwhile.

        Raises:
            VideoBeingMade: not yet.
        """
        if await self._videos.is_being_made(asked.owner_id, asked.render_key):
            raise VideoBeingMade(asked.render_key)

"""The activity that waits for what somebody else makes of a video, without a worker for as long as it takes."""

from temporalio import activity

from activities.context import ActivityContext
from activities.declarations import AWAIT_VIDEO, AwaitVideo
from schemas.errors import VideoBeingMade
from stores import Segments, Videos


class VideoActivities:
    """Light work on the database alone."""

    def __init__(self, context: ActivityContext) -> None:
        self._videos = Videos(context.database)
        self._segments = Segments(context.database)

    @activity.defn(name=AWAIT_VIDEO.name)
    async def await_video(self, asked: AwaitVideo) -> None:
        """End once nobody makes the video, or that part of one: it is there, or its maker was stopped or died.

        A look that finds it being made fails, and its retry policy says when to look again: so no worker's slot is
        held by waiting, the server calls the wait off by itself, and the job's history does not grow meanwhile.

        Raises:
            VideoBeingMade: not yet.
        """
        made = self._segments if asked.part else self._videos
        if await made.is_being_made(asked.owner_id, asked.render_key):
            raise VideoBeingMade(asked.render_key)

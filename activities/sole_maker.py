"""The right to make a video that nobody else makes at the moment."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

import structlog

from activities.patience import patiently
from schemas.errors import TransientError, VideoBeingMade
from stores import Videos

log = structlog.get_logger(__name__)


@asynccontextmanager
async def sole_maker(videos: Videos, owner_id: UUID, render_key: str) -> AsyncIterator[None]:
    """Make the video in the block, or leave it to whoever is making it.

    A right that is lost while the block runs, with the connection that held it, costs nothing that was made.

    Raises:
        VideoBeingMade: somebody else has the right.
    """
    made = False
    try:
        async with AsyncExitStack() as right:
            if not await patiently(lambda: right.enter_async_context(videos.making(owner_id, render_key))):
                raise VideoBeingMade(render_key)
            yield
            made = True
    except TransientError as error:
        if not made:
            raise
        log.warning("the right to a video was lost while it was made", error=error.message)

"""The right to make a video, or a part of one, that nobody else makes at the moment."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import structlog

from activities.patience import patiently
from schemas.errors import TransientError, VideoBeingMade

log = structlog.get_logger(__name__)


@asynccontextmanager
async def sole_maker(making: Callable[[], AbstractAsyncContextManager[bool]], key: str) -> AsyncIterator[None]:
    """Make in the block what goes by ``key``, or leave it to whoever is making it; ``making`` tries for the right.

    A right that is lost while the block runs, with the connection that held it, costs nothing that was made.

    Raises:
        VideoBeingMade: somebody else has the right.
    """
    made = False
    try:
        async with AsyncExitStack() as right:
            if not await patiently(lambda: right.enter_async_context(making())):
                raise VideoBeingMade(key)
            yield
            made = True
    except TransientError as error:
        if not made:
            raise
        log.warning("the right to make something was lost while it was made", error=error.message)

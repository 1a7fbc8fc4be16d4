"""A look at the bytes of what was uploaded, in a process with limits."""

from datetime import timedelta
from pathlib import Path

from activities.child_tasks import LOOK, LookAt
from activities.sandbox import run_in_child
from cinema.sandboxing import sandbox_limits
from cinema.settings import Settings
from schemas.uploads import Look

#: Starting, loading libraries and decoding a few frames.
LOOK_TIME = timedelta(minutes=2)
#: Every packet is read, and a network's disk with others at it gives no less than this.
SLOWEST_BYTES_A_SECOND = 20_000_000


class Looking:
    """Looks at files as the settings allow."""

    def __init__(self, settings: Settings) -> None:
        self._models = settings.models
        self._limits = sandbox_limits(settings)

    async def __call__(self, path: Path, name: str) -> Look:
        """What the file at ``path`` is, which its creator calls ``name``.

        Raises:
            MediaRefused: it is nothing that a job could use.
            TransientError: looking failed.
        """
        asked = LookAt(path=path, name=name, models=self._models)
        return await run_in_child(
            LOOK, asked, Look, limits=self._limits, time_limit=look_time(path), on_progress=_nobody_watches
        )


def look_time(path: Path) -> timedelta:
    """How long a look at this file may take: all of a large one is read."""
    return LOOK_TIME + timedelta(seconds=path.stat().st_size / SLOWEST_BYTES_A_SECOND)


async def _nobody_watches(_done: float) -> None:
    """A look takes a moment."""

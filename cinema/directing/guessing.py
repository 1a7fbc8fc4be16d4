"""What a file is for, where nobody said: measured as a worker would, in a process with limits."""

from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from activities.child_tasks import ANALYSE, Analyse
from activities.sandbox import SandboxLimits, run_in_child
from analysis import Guess, guess_kind
from cinema.settings import Settings
from schemas.analysing import AnalysisRequest
from schemas.errors import CinemaError
from schemas.facts import Sound
from schemas.media import AssetKind, MediaProbe
from schemas.model import Model

Result = TypeVar("Result", bound=Model)

#: How long looking at one file may take, just to guess what it is.
GUESS_TIME = timedelta(minutes=2)


class KindGuesser:
    """Guesses kinds. ``alone`` says that there is one file only, and nothing to tell it apart from by its sound."""

    def __init__(self, settings: Settings, *, alone: bool) -> None:
        self._models = settings.models
        self._limits = SandboxLimits(memory_bytes=settings.sandbox_memory_bytes, file_bytes=settings.sandbox_file_bytes)
        self._alone = alone

    async def guess(self, path: Path, name: str) -> Guess:
        """The kind of the file at ``path``, which its creator calls ``name``.

        What cannot be measured counts as A-roll: the job will refuse it, say why, and go on with the others.
        """
        try:
            probe = await self._measure("probe", path, MediaProbe, probe=None)
            guess = guess_kind(probe, None, name)
            if self._alone or guess.kind is not AssetKind.A_ROLL or guess != guess_kind(probe, None, ""):
                return guess
            return guess_kind(probe, await self._measure("sound", path, Sound, probe=probe), name)
        except CinemaError as error:
            return Guess(AssetKind.A_ROLL, error.message)

    async def _measure(self, analyzer: str, path: Path, result: type[Result], *, probe: MediaProbe | None) -> Result:
        request = AnalysisRequest(analyzer=analyzer, path=path, kind=AssetKind.A_ROLL, probe=probe)
        return await run_in_child(
            ANALYSE,
            Analyse(request=request, models=self._models),
            result,
            limits=self._limits,
            time_limit=GUESS_TIME,
            on_progress=_ignore,
        )


async def _ignore(_done: float) -> None:
    """Nobody watches a guess."""

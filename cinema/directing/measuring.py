"""One analyzer on one local file, in a process with limits, as a worker would run it."""

from pathlib import Path
from typing import TypeVar

from activities.child_tasks import ANALYSE, Analyse, Answers
from activities.sandbox import run_in_child
from cinema.looking import look_time
from cinema.sandboxing import sandbox_limits
from cinema.settings import Settings
from schemas.analysing import AnalysisRequest
from schemas.media import AssetKind, MediaProbe
from schemas.model import Model

Result = TypeVar("Result", bound=Model)


async def measure(
    settings: Settings, analyzer: str, path: Path, result: type[Result], *, probe: MediaProbe | None = None
) -> Result:
    """What ``analyzer`` says of the file at ``path``.

    Raises:
        CinemaError: It cannot be measured, or not in time.
    """
    request = AnalysisRequest(analyzer=analyzer, path=path, kind=AssetKind.A_ROLL, probe=probe)
    answered = await run_in_child(
        ANALYSE,
        Analyse(requests=(request,), models=settings.models),
        Answers,
        limits=sandbox_limits(settings),
        time_limit=look_time(path),
        on_progress=_ignore,
    )
    (answer,) = answered.answers
    return result.model_validate_json(answer)


async def _ignore(_done: float) -> None:
    """Nobody watches a look."""

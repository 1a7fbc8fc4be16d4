"""Whether a process lives and whether it can work, as its platform, its supervisor and ``cinema status`` ask it.

``/livez`` fails where a restart helps: the event loop hangs, so that nothing answers, or the work has ended.
``/readyz`` fails where waiting helps: what the process depends on is away, or the process is stopping.
"""

from asyncio import Event
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from stores.health import Check, ask

OK = "ok"


@dataclass(frozen=True)
class Probes:
    """How to find out: ``alive`` whether the work goes on, ``needs`` by name whether each dependency answers.

    ``stopping`` is set while the process drains: it lives, and takes nothing new.
    """

    alive: Callable[[], bool]
    needs: Mapping[str, Check]
    stopping: Event

    def routes(self) -> list[Route]:
        return [Route("/livez", self._live), Route("/readyz", self._ready)]

    async def _live(self, _request: Request) -> JSONResponse:
        return _answer({"work": OK if self.alive() else "ended"})

    async def _ready(self, _request: Request) -> JSONResponse:
        answers = await ask(self.needs)
        checks = {name: OK if answered else "unavailable" for name, answered in answers.items()}
        return _answer({**checks, "work": "stopping" if self.stopping.is_set() else OK})


def _answer(checks: Mapping[str, str]) -> JSONResponse:
    well = all(answer == OK for answer in checks.values())
    status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse({"status": OK if well else "unavailable", "checks": checks}, status)

"""A problem document for whatever goes wrong that nobody has thought of."""

from http import HTTPStatus

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem
from schemas.errors import ErrorCode

log = structlog.get_logger(__name__)


class Faults:
    """Within the layer for origins, so that a page elsewhere may read these answers as any other."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_noting(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except ClientDisconnect:
            log.info("the client went away", route=_route(scope))
        except Exception as error:
            log.exception("request failed", route=_route(scope), exc_info=error)
            if started:
                raise
            sentence = "Something went wrong on our side."
            await problem(HTTPStatus.INTERNAL_SERVER_ERROR, sentence, code=ErrorCode.INTERNAL)(scope, receive, send)


def _route(scope: Scope) -> str:
    """The route's pattern: the path itself may hold the secret of a share link."""
    return str(getattr(scope.get("route"), "path", "none"))

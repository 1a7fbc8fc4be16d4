"""How long a request may take until its answer begins; how long the answer then streams is its own matter."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem


class Patience:
    """Ends what has not begun to answer after ``longest_s``, except below the paths whose bodies take long."""

    def __init__(self, app: ASGIApp, *, longest_s: float, elsewhere: Sequence[str]) -> None:
        self._app = app
        self._longest_s = longest_s
        self._elsewhere = tuple(elsewhere)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(self._elsewhere):
            await self._app(scope, receive, send)
            return
        whole = False

        async def receive_noting() -> Message:
            nonlocal whole
            message = await receive()
            whole = whole or not message.get("more_body", False)
            return message

        limit = asyncio.timeout(self._longest_s)

        async def send_in_time(message: Message) -> None:
            if message["type"] == "http.response.start":
                if limit.expired():
                    return
                limit.reschedule(None)
            await send(message)

        try:
            async with limit:
                await self._app(scope, receive_noting, send_in_time)
        except TimeoutError:
            if not limit.expired():
                raise
            answer = (
                problem(HTTPStatus.GATEWAY_TIMEOUT, "This took too long; try again.")
                if whole or scope["method"] in {"GET", "HEAD"}
                else problem(HTTPStatus.REQUEST_TIMEOUT, "The request did not arrive in time.")
            )
            await answer(scope, receive, send)

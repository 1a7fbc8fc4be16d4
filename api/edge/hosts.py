"""Requests for the names that this API has, and for no others: what is sent elsewhere has been misled."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import problem

#: Load balancers ask these by address.
BY_ANY_NAME: Final = frozenset({"/livez", "/readyz"})


class Hosts:
    """Refuses any ``Host`` but these names; ``*.example.com`` stands for all below it."""

    def __init__(self, app: ASGIApp, *, names: Sequence[str]) -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in names)
        self._endings = tuple(name[1:] for name in self._names if name.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in BY_ANY_NAME or self._is_ours(_host(scope)):
            await self._app(scope, receive, send)
            return
        answer = problem(HTTPStatus.MISDIRECTED_REQUEST, "This server does not answer for that host name.")
        await answer(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        return host in self._names or host.endswith(self._endings)


def _host(scope: Scope) -> str:
    """The host asked for, without its port; empty where it makes no sense."""
    try:
        return (urlsplit(f"//{Headers(scope=scope).get('host', '')}").hostname or "").lower()
    except ValueError:
        return ""

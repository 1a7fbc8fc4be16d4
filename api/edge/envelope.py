"""The outermost layer: a request id, and the headers of every answer."""

from collections.abc import Iterator
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.edge.exchange import REQUEST_ID, Allowance, Exchange, begin_exchange

#: A year, in which browsers that were here come by HTTPS alone (RFC 6797).
STRICT_TRANSPORT: Final = (b"strict-transport-security", b"max-age=31536000")

#: What a route says itself of these stands.
OF_EVERY_ANSWER: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
OF_JSON: Final = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
OF_OTHERS: Final = ((b"content-security-policy", b"frame-ancestors 'none'"),)


class Envelope:
    """Pure ASGI: what streams, streams through it."""

    def __init__(self, app: ASGIApp, *, strict_transport: bool) -> None:
        self._app = app
        self._always = (*OF_EVERY_ANSWER, STRICT_TRANSPORT) if strict_transport else OF_EVERY_ANSWER

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = begin_exchange(scope)

        async def send_in_envelope(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._missing(message, exchange)]
            await send(message)

        with structlog.contextvars.bound_contextvars(request=exchange.request_id):
            await self._app(scope, receive, send_in_envelope)

    def _missing(self, message: Message, exchange: Exchange) -> Iterator[tuple[bytes, bytes]]:
        said = dict(message.get("headers", ()))
        is_json = b"json" in said.get(b"content-type", b"")
        for header in (*self._always, *(OF_JSON if is_json else OF_OTHERS)):
            if header[0] not in said:
                yield header
        yield REQUEST_ID.lower().encode(), exchange.request_id.encode()
        if exchange.allowance is not None:
            yield from _rate_headers(exchange.allowance)


def _rate_headers(allowance: Allowance) -> Iterator[tuple[bytes, bytes]]:
    """By draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4."""
    name = allowance.policy
    yield b"ratelimit-policy", f'"{name}";q={allowance.limit};w={allowance.window_s}'.encode()
    yield b"ratelimit", f'"{name}";r={allowance.remaining};t={allowance.reset_s}'.encode()

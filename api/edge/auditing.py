"""Who did what: a row for every request of a known caller that would change something, before it is answered."""

import asyncio
from collections.abc import Collection
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

import structlog
from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.edge.exchange import SAFE, Exchange, current_exchange
from schemas.errors import CinemaError
from stores.audit_log import Act, AuditLog

#: A row that cannot be written within this goes to the program's log instead; the answer waits no longer.
LONGEST_S: Final = 5.0

AUDIT_LOST: Final = Counter("cinema_audit_rows_lost", "Acts that are missing from the audit log.")

log = structlog.get_logger(__name__)


class Auditing:
    """``unrecorded``: actions that are parts of another, which is recorded."""

    def __init__(self, app: ASGIApp, *, rows: AuditLog, unrecorded: Collection[str]) -> None:
        self._app = app
        self._rows = rows
        self._unrecorded = frozenset(unrecorded)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = current_exchange()
        if scope["type"] != "http" or scope["method"] in SAFE or exchange is None:
            await self._app(scope, receive, send)
            return

        recorded = False

        async def send_recorded(message: Message) -> None:
            nonlocal recorded
            if message["type"] == "http.response.start" and not recorded:
                recorded = True
                await self._record(scope, exchange, message["status"])
            await send(message)

        try:
            await self._app(scope, receive, send_recorded)
        except Exception:
            if not recorded:
                await self._record(scope, exchange, HTTPStatus.INTERNAL_SERVER_ERROR)
            raise

    async def _record(self, scope: Scope, exchange: Exchange, status: int) -> None:
        if exchange.owner_id is None or exchange.action is None or exchange.action in self._unrecorded:
            return
        act = Act(
            owner_id=exchange.owner_id,
            token_id=exchange.token_id,
            action=exchange.action,
            resource=scope["path"],
            status=status,
            request_id=exchange.request_id,
            address=_address(scope),
        )
        try:
            async with asyncio.timeout(LONGEST_S):
                await self._rows.add(act)
        except (CinemaError, TimeoutError) as error:
            # What was done is done: the answer must not say otherwise. The log line holds all of the row.
            AUDIT_LOST.inc()
            log.exception("the audit log cannot be written", act=act, exc_info=error)


def _address(scope: Scope) -> str | None:
    """The client's, where it has one: a request by a local socket has not."""
    client = scope.get("client")
    try:
        return str(ip_address(client[0])) if client else None
    except ValueError:
        return None

"""How much one caller, and one address, may ask in a while."""

import math
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
from typing import Final
from uuid import UUID

from limits import RateLimitItem
from starlette.types import ASGIApp, Receive, Scope, Send

from api.edge.exchange import SAFE, Allowance, Exchange, current_exchange
from api.edge.windows import Windows
from api.problems import problem_of
from schemas.errors import RateLimited

#: An IPv6 client has at least a network of this size to itself (RFC 6177), so that is what counts as its address.
IPV6_CLIENT: Final = 64
HEALTH: Final = frozenset({"/livez", "/readyz"})


class Kind(StrEnum):
    """What is counted apart: cheap reads, writes, pieces of uploads, and tries to get in."""

    READS = "reads"
    WRITES = "writes"
    UPLOADS = "uploads"
    SIGN_INS = "sign-ins"


#: Paths below which every request that is not safe is of this kind.
OF_PATHS: Final = (("/uploads", Kind.UPLOADS), ("/auth/", Kind.SIGN_INS), ("/s/", Kind.SIGN_INS))


@dataclass(frozen=True)
class RateRules:
    """What one caller may do. An address may do ``address_multiple`` as much, as many people may share one."""

    reads: RateLimitItem
    writes: RateLimitItem
    uploads: RateLimitItem
    sign_ins: RateLimitItem
    address_multiple: int

    def of(self, kind: Kind) -> RateLimitItem:
        """Named like the kind."""
        rule: RateLimitItem = getattr(self, kind.name.lower())
        return rule


class Rates:
    """The rules, and what has been used of them."""

    def __init__(self, rules: RateRules, windows: Windows) -> None:
        self._rules = rules
        self._windows = windows

    async def of_owner(self, kind: Kind, owner_id: UUID) -> Allowance:
        """Counts one request of this creator's, whoever acts for them."""
        rule = self._rules.of(kind)
        return await self._take(kind, rule.amount, rule, f"owner:{owner_id}")

    async def of_address(self, kind: Kind, address: str) -> Allowance:
        """Counts one request from there. Tries to get in are counted by address alone, and so not multiplied."""
        rule = self._rules.of(kind)
        multiple = 1 if kind is Kind.SIGN_INS else self._rules.address_multiple
        return await self._take(kind, rule.amount * multiple, rule, f"address:{_client_of(address)}")

    async def _take(self, kind: Kind, limit: int, rule: RateLimitItem, who: str) -> Allowance:
        window_s = rule.get_expiry()
        taken = await self._windows.take(f"{kind}:{who}", limit, window_s)
        return Allowance(kind, limit, window_s, taken.remaining, math.ceil(taken.reset_s), taken.granted)


class RateLimiting:
    """Counts every request but those for health by its address; a caller's own limit is theirs to ask."""

    def __init__(self, app: ASGIApp, *, rates: Rates) -> None:
        self._app = app
        self._rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = current_exchange()
        if scope["type"] != "http" or scope["path"] in HEALTH or exchange is None:
            await self._app(scope, receive, send)
            return
        address = scope["client"][0] if scope.get("client") else ""
        try:
            note(exchange, await self._rates.of_address(kind_of(scope["method"], scope["path"]), address))
        except RateLimited as error:
            await problem_of(error)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def note(exchange: Exchange, allowance: Allowance) -> None:
    """Tells the client what is left.

    Raises:
        RateLimited: nothing is.
    """
    exchange.allowance = allowance
    if not allowance.granted:
        raise RateLimited(allowance.reset_s)


def kind_of(method: str, path: str) -> Kind:
    if method in SAFE:
        return Kind.READS
    return next((kind for beginning, kind in OF_PATHS if path.startswith(beginning)), Kind.WRITES)


def _client_of(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(IPv6Address(int(parsed) >> IPV6_CLIENT << IPV6_CLIENT))
    return address

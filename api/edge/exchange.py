"""One request and its answer, as far as everything that handles them shares it."""

import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

from starlette.datastructures import Headers
from starlette.types import Scope

REQUEST_ID: Final = "X-Request-ID"
_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")

#: Methods that change nothing (RFC 9110, section 9.2.1).
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a limit leaves its caller: ``remaining`` requests until it is whole again in ``reset_s`` seconds."""

    policy: str
    limit: int
    window_s: int
    remaining: int
    reset_s: int
    granted: bool


@dataclass(slots=True)
class Exchange:
    """``owner_id`` and ``action`` are known once the caller is; ``allowance`` is that of the last limit asked."""

    request_id: str
    owner_id: UUID | None = None
    token_id: UUID | None = None
    action: str | None = None
    allowance: Allowance | None = None


_current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


def current_exchange() -> Exchange | None:
    """The one that this code runs for."""
    return _current.get()


def begin_exchange(scope: Scope) -> Exchange:
    """The exchange of this request, current from now on in its task and those it starts."""
    asked = Headers(scope=scope).get(REQUEST_ID)
    exchange = Exchange(asked if asked is not None and _WELL_FORMED.fullmatch(asked) else uuid4().hex)
    _current.set(exchange)
    return exchange

"""Who a request comes from, as every route that is not public asks for it."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.base import SecurityBase

from api.authentication.tokens import unauthenticated
from api.context import ApiContext
from api.edge.exchange import current_exchange
from api.edge.rates import kind_of, note
from api.operations import Operation
from api.scopes import scope_of
from schemas.scopes import InsufficientScope, Scope, allows
from stores import ActingAs
from stores.service_tokens import PREFIX, ServiceTokens

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    bearerFormat="JWT",
    description="An access token of the sign-in service, or one made for a program at `/tokens`.",
)


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in creator, or a program of theirs. ``connections`` see and do only what row-level security grants.

    ``token_id`` and ``scopes`` are a program's, which may do no more than they say.
    """

    owner_id: UUID
    connections: ActingAs
    token_id: UUID | None = None
    scopes: frozenset[Scope] = frozenset()


def context_of(request: Request) -> ApiContext:
    context: ApiContext = request.app.state.context
    return context


async def authenticated(request: Request, credentials: HTTPAuthorizationCredentials | None) -> Caller:
    """The caller, who may do what this route does.

    Raises:
        CinemaError: there is no valid token (``UNAUTHENTICATED``).
        InsufficientScope: it is a program's token, and was not made for this (``FORBIDDEN``).
        RateLimited: the creator has asked too much (``RATE_LIMITED``).
    """
    if credentials is None:
        raise unauthenticated("Sign in first: this needs an access token.")
    context = context_of(request)
    caller = await _caller(context, credentials.credentials)
    structlog.contextvars.bind_contextvars(owner=str(caller.owner_id))
    operation: Operation = request.app.state.operations[request.scope["endpoint"]]
    await _counted(request, context, caller, operation)
    if caller.token_id is not None:
        _check_scope(caller, scope_of(operation, request.method))
    return caller


class SignedIn(SecurityBase):
    """The security scheme that finds the caller itself: what depends on another dependency is solved in two turns."""

    def __init__(self, scheme: HTTPBearer) -> None:
        self.model = scheme.model
        self.scheme_name = scheme.scheme_name
        self._scheme = scheme

    async def __call__(self, request: Request) -> Caller:
        """See :func:`authenticated`."""
        return await authenticated(request, await self._scheme(request))


async def _caller(context: ApiContext, token: str) -> Caller:
    if not token.startswith(PREFIX):
        owner_id = (await context.verifier.verify(token)).subject
        return Caller(owner_id, ActingAs(context.database, owner_id))
    holder = await ServiceTokens(context.database).holder(token)
    if holder is None:
        raise unauthenticated("This token is not valid: it may have been revoked or have expired.")
    return Caller(holder.owner_id, ActingAs(context.database, holder.owner_id), holder.token_id, holder.scopes)


async def _counted(request: Request, context: ApiContext, caller: Caller, operation: Operation) -> None:
    """Who it is and what they do, for the log of who did what; and one request less for them."""
    exchange = current_exchange()
    if exchange is None:
        return
    exchange.owner_id, exchange.token_id = caller.owner_id, caller.token_id
    exchange.action = operation.id
    rates = context.edge.rates
    if rates is not None:
        note(exchange, await rates.of_owner(kind_of(request.method, request.url.path), caller.owner_id))


def _check_scope(caller: Caller, needed: Scope | None) -> None:
    if needed is None or not allows(caller.scopes, needed):
        raise InsufficientScope(needed)


async def _context(request: Request) -> ApiContext:
    """The context, without the change of threads that a dependency costs which is no coroutine."""
    return context_of(request)


Context = Annotated[ApiContext, Depends(_context)]
Authenticated = Annotated[Caller, Security(SignedIn(bearer))]
